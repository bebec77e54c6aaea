package server

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// canPark says that this system tells of many clients that leave without a goroutine
// for each.
const canPark = true

// departures notices what clients do on connections that are not read: with an epoll of
// its own, beside that of Go.
type departures struct {
	file *os.File // of the epoll; Go's own epoll waits for it
	raw  syscall.RawConn
}

// newDepartures returns a departures without a connection. The caller closes it.
func newDepartures() (*departures, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	d := &departures{file: os.NewFile(uintptr(fd), "epoll")}
	if d.raw, err = d.file.SyscallConn(); err != nil {
		d.file.Close()
		return nil, err
	}
	return d, nil
}

// close ends run. A nil departures has nothing to close.
func (d *departures) close() {
	if d != nil {
		d.file.Close()
	}
}

// watch has run say, once, that c has something to read, which may be its end.
func (d *departures) watch(c *conn, key uint64) error {
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT,
		Fd:     int32(key), Pad: int32(key >> 32), // together they are the epoll_data of 64 bits
	}
	return d.control(c, unix.EPOLL_CTL_ADD, &event)
}

// ignore ends what watch began. It does nothing for a connection that is closed.
func (d *departures) ignore(c *conn) { _ = d.control(c, unix.EPOLL_CTL_DEL, nil) }

func (d *departures) control(c *conn, op int, event *unix.EpollEvent) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	inner := d.raw.Control(func(epoll uintptr) {
		err = raw.Control(func(fd uintptr) { failed = unix.EpollCtl(int(epoll), op, int(fd), event) })
	})
	for _, err := range []error{inner, err, failed} {
		if err != nil {
			return err
		}
	}
	return nil
}

// run calls see with the key of each connection on which something happened, until
// close.
func (d *departures) run(see func(key uint64)) {
	events := make([]unix.EpollEvent, 128)
	for {
		n := 0
		err := d.raw.Read(func(epoll uintptr) bool {
			n, _ = unix.EpollWait(int(epoll), events, 0) // it is not interrupted without a wait
			return n > 0
		})
		if err != nil { // closed
			return
		}
		for _, e := range events[:n] {
			see(uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32)
		}
	}
}

// hasLeft reports whether a client sends no more. What it sent ahead is not the end of
// it: net/http takes notice of no more than that either.
func hasLeft(c *conn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	var n int
	var failed error
	if err := raw.Control(func(fd uintptr) {
		n, _, failed = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	}); err != nil {
		return true
	}
	if failed != nil {
		return failed != unix.EAGAIN && failed != unix.EINTR
	}
	return n == 0
}
