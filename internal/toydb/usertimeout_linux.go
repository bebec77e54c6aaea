package toydb

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// SetUserTimeout sets how long what was sent on conn may stay unacknowledged before the
// kernel ends the connection with ETIMEDOUT (tcp(7), TCP_USER_TIMEOUT), in whole
// milliseconds. 0 is the kernel's own limit, some 15 minutes of retransmissions.
func SetUserTimeout(conn *net.TCPConn, limit time.Duration) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return set
}
