package socketstats

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// eachDescriptor visits the descriptors of a process, except those in known, with the
// targets of their links in /proc/PID/fd; link is valid during the visit.
func eachDescriptor(pid int32, known map[int32]bool, visit func(fd int32, link []byte)) {
	dir, err := os.Open("/proc/" + strconv.Itoa(int(pid)) + "/fd")
	if err != nil {
		return // the process has ended, or is another user's
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var link [64]byte // of a longer one only the beginning matters
	for _, name := range names {
		fd, err := strconv.ParseInt(name, 10, 32)
		if err != nil || known[int32(fd)] {
			continue
		}
		n, err := unix.Readlinkat(int(dir.Fd()), name, link[:])
		if err != nil {
			continue // closed since
		}
		visit(int32(fd), link[:n])
	}
}

// kindOf is the kind of a descriptor that is no socket, by the target of its link.
func kindOf(link []byte) string {
	name, anonymous := bytes.CutPrefix(link, []byte("anon_inode:"))
	switch {
	case bytes.HasPrefix(link, []byte("pipe:")):
		return KindPipe
	case bytes.HasPrefix(link, []byte("/")):
		return KindFile
	case !anonymous:
		return KindOther
	}
	switch string(bytes.Trim(name, "[]")) {
	case "eventfd":
		return KindEventfd
	case "eventpoll":
		return KindEpoll
	case "timerfd":
		return KindTimerfd
	case "inotify":
		return KindInotify
	}
	return KindOther
}

// protocolOf is the kernel's name of the protocol of a socket (sockfs_xattr_get in
// net/socket.c), whatever network namespace it is in; "" if it is closed.
func protocolOf(pid, fd int32) string {
	var name [32]byte
	n, err := unix.Getxattr("/proc/"+strconv.Itoa(int(pid))+"/fd/"+strconv.Itoa(int(fd)), "system.sockprotoname", name[:])
	if err != nil {
		return ""
	}
	return string(bytes.TrimRight(name[:n], "\x00"))
}

// openDescriptors is the size of the folder of descriptors (proc_fd_getattr in
// fs/proc/fd.c), which earlier kernels give as 0.
func openDescriptors(pid int32) (int, bool) {
	var info unix.Stat_t
	err := unix.Stat("/proc/"+strconv.Itoa(int(pid))+"/fd", &info)
	return int(info.Size), err == nil && info.Size > 0
}
