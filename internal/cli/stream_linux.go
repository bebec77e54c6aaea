package cli

import (
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// openStream opens what is at a path to write to it as it is, and truncates nothing. A
// descriptor of this process is duplicated: opened by its name in /proc, a regular file
// would be written from its beginning, over what the stream has written.
func openStream(path string) (*os.File, error) {
	if n, ok := ownDescriptor(path); ok {
		fd, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		return os.NewFile(uintptr(fd), path), nil
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
}

// ownDescriptor is the descriptor of this process that a path such as /proc/self/fd/1 names.
func ownDescriptor(path string) (n int, ok bool) {
	folder, name := filepath.Split(path)
	n, err := strconv.Atoi(name)
	if err != nil {
		return 0, false
	}
	real, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return 0, false
	}
	self, err := filepath.EvalSymlinks("/proc/self")
	if err != nil {
		return 0, false
	}
	ofThread, _ := filepath.Match(self+"/task/*/fd", real) // its threads have the same
	return n, ofThread || real == self+"/fd"
}
