package server

import (
	"context"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// reserve keeps others from addr while the server is down, until free is
// called: not even a client that dials the server is given its port. A socket
// that is bound and does not listen does that, and connections are refused as
// if it were not there. It is no harm if it does not work.
func reserve(addr net.Addr) (free func()) {
	free = func() {}
	at, ok := addr.(*net.TCPAddr)
	if !ok {
		return free
	}
	family, sockaddr := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: at.Port, Addr: [16]byte(at.IP.To16())})
	if ip := at.IP.To4(); ip != nil {
		family, sockaddr = unix.AF_INET, &unix.SockaddrInet4{Port: at.Port, Addr: [4]byte(ip)}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return free
	}
	// As Go's own listeners: with it, two sockets may be bound to one address
	// while neither listens.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	_ = unix.Bind(fd, sockaddr)
	return func() { unix.Close(fd) }
}

// delivered waits until the client's system has all that was written to c: a
// reset would throw away what still waits here (tcp(7), SIOCOUTQ). What it
// has, Linux gives to its reader before the reset.
func delivered(ctx context.Context, c *conn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	for waits := 1; ; {
		if err := raw.Control(func(fd uintptr) { waits, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); err != nil {
			return
		}
		if err != nil || waits == 0 || !pause(ctx, time.Millisecond) {
			return
		}
	}
}
