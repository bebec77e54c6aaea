package sockopt

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// SetBacklog makes l's queue hold n connections and one more (the kernel's
// sk_acceptq_is_full compares with >). A listen(2) on a socket that listens
// already changes that and nothing else (inet_listen in net/ipv4/af_inet.c).
// Elsewhere it is an error that wraps [errors.ErrUnsupported].
func SetBacklog(l net.Listener, n int) error {
	raw, err := l.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var listened error
	if err := raw.Control(func(fd uintptr) { listened = unix.Listen(int(fd), n) }); err != nil {
		return err
	}
	return listened
}
