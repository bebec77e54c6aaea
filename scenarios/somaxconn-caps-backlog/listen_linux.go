package somaxconncapsbacklog

import (
	"net"
	"syscall"
)

// listen listens anew where l does, with room for so many connections that were not
// accepted yet. (Go itself asks for as many as the kernel allowed when the process
// listened first.)
func listen(l net.Listener, backlog int) (net.Listener, error) {
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, err
	}
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return nil, err
	}
	var listened error
	if err := raw.Control(func(fd uintptr) { listened = syscall.Listen(int(fd), backlog) }); err != nil {
		return nil, err
	}
	return l, listened
}
