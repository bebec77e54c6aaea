package synqueueandsyncookies

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// loseReplies gives a socket a filter that drops each packet that arrives, so that the
// SYN-ACK of the server is never acknowledged.
func loseReplies(_, _ string, raw syscall.RawConn) error {
	drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	var attached error
	err := raw.Control(func(fd uintptr) {
		attached = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(drop)), Filter: &drop[0]})
	})
	if err != nil {
		return err
	}
	return attached
}
