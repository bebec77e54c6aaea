package socketstats

import (
	"bytes"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// eachDescriptor visits the descriptors of a process, except those in known.
func eachDescriptor(pid int32, known map[int32]bool, visit func(listedDescriptor)) {
	first := "/proc/" + strconv.Itoa(int(pid))
	if readFast(pid, func(fd int32, inode uint32, protocol string) {
		if !known[fd] {
			visit(listedDescriptor{proc: first, fd: fd, inode: inode, protocol: protocol})
		}
	}) {
		return
	}
	if eachIn(first, known, visit) {
		return
	}
	if dir := procDir(pid); dir != first {
		eachIn(dir, known, visit)
	}
}

// eachIn visits those in a folder of /proc, and reports whether there was any. There is
// none if the process has ended or is another user's, or its first thread has ended.
func eachIn(proc string, known map[int32]bool, visit func(listedDescriptor)) bool {
	dir, err := os.Open(proc + "/fd")
	if err != nil {
		return false
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
		d := listedDescriptor{proc: proc, fd: int32(fd)}
		if inode, ok := socketInode(link[:n]); ok {
			d.inode = inode
		} else {
			d.link = link[:n]
		}
		visit(d)
	}
	return len(names) > 0
}

// descriptors has the reader of [ReadDescriptorsBy].
var descriptors struct {
	mu   sync.Mutex // guards what follows
	open func() (DescriptorReader, error)
	read DescriptorReader
	// links is how many links were read, or would have been, while there was no reader.
	links int
}

const (
	// manyLinks is after how many links a reader is opened, which costs as much as a
	// thousand, and fewLinks how many a process must have for the reader to be faster.
	manyLinks = 1000
	fewLinks  = 32
)

// ReadDescriptorsBy has what open returns read the descriptors of processes that have
// many, in place of the links in /proc/PID/fd. It is opened when it is first worth its
// cost, once, and never closed. Where it cannot be opened, or fails, the links are read.
func ReadDescriptorsBy(open func() (DescriptorReader, error)) {
	descriptors.mu.Lock()
	defer descriptors.mu.Unlock()
	descriptors.open = open
}

// readFast visits the descriptors of a process if it has many and there is a reader, and
// reports whether it did; if not, it has visited none.
func readFast(pid int32, visit func(fd int32, inode uint32, protocol string)) bool {
	read := descriptorReader(pid)
	return read != nil && read.Descriptors(pid, visit) == nil
}

// descriptorReader is nil where the links are to be read.
func descriptorReader(pid int32) DescriptorReader {
	descriptors.mu.Lock()
	defer descriptors.mu.Unlock()
	if descriptors.read == nil && descriptors.open == nil {
		return nil
	}
	n, known := openDescriptors(pid)
	if !known || n < fewLinks {
		return nil
	}
	if descriptors.read == nil {
		if descriptors.links += n; descriptors.links < manyLinks {
			return nil
		}
		read, err := descriptors.open()
		if err == nil {
			descriptors.read = read
		}
		if err != nil && !FewDescriptors(err) {
			descriptors.open = nil
		}
	}
	return descriptors.read
}

// path is where its link is.
func (d listedDescriptor) path() string { return d.proc + "/fd/" + strconv.Itoa(int(d.fd)) }

// kind is the kind of a descriptor that is no socket.
func (d listedDescriptor) kind() string {
	if d.link != nil {
		return kindOf(d.link)
	}
	var link [64]byte
	n, err := unix.Readlink(d.path(), link[:])
	if err != nil {
		return "" // closed since
	}
	return kindOf(link[:n])
}

// kindOf is the kind of a descriptor that is no socket, by the target of its link.
func kindOf(link []byte) string {
	name, anonymous := bytes.CutPrefix(link, []byte("anon_inode:"))
	switch {
	case bytes.HasPrefix(link, []byte("pidfd:")): // since Linux 6.9 it has a file system of its own
		return KindPidfd
	case bytes.HasPrefix(link, []byte("pipe:")):
		return KindPipe
	case bytes.HasPrefix(link, []byte("/memfd:")):
		return KindMemfd
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
	case "signalfd":
		return KindSignalfd
	case "pidfd":
		return KindPidfd
	}
	return KindOther
}

// readProtocol is the kernel's name of the protocol of a socket (sockfs_xattr_get in
// net/socket.c), whatever network namespace it is in; "" if it is closed.
func (d listedDescriptor) readProtocol() string {
	var name [32]byte
	n, err := unix.Getxattr(d.path(), "system.sockprotoname", name[:])
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
