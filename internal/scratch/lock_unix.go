//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package scratch

import (
	"os"

	"golang.org/x/sys/unix"
)

// acquire locks a folder of this user. The error is errTaken, or ErrNotExist where it is no folder
// of this user, or is gone by the time it is locked. Programs that this process starts do
// not inherit the lock: the descriptor is closed on exec.
func acquire(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	var of, now unix.Stat_t
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, errTaken
	}
	if unix.Fstat(fd, &of) != nil || int(of.Uid) != os.Getuid() || unix.Lstat(path, &now) != nil || of.Ino != now.Ino {
		_ = f.Close()
		return nil, os.ErrNotExist
	}
	return f, nil
}
