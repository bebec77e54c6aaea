//go:build unix

package sockopt_test

import (
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/sockopt"
)

// option is the value of an option of a listener's socket.
func option(t *testing.T, l net.Listener, name int) (value int) {
	t.Helper()
	raw, err := l.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, name) }))
	require.NoError(t, err)
	return value
}

func listen(t *testing.T, control sockopt.Control, addr string) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{Control: control}).Listen(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestReuseAddrIsSetOrTakenBack(t *testing.T) {
	t.Parallel()
	require.NotZero(t, option(t, listen(t, nil, "127.0.0.1:0"), unix.SO_REUSEADDR), "what package net does by itself")
	require.NotZero(t, option(t, listen(t, sockopt.ReuseAddr(true), "127.0.0.1:0"), unix.SO_REUSEADDR))
	require.Zero(t, option(t, listen(t, sockopt.ReuseAddr(false), "127.0.0.1:0"), unix.SO_REUSEADDR))
}

func TestListenersShareAPortWhereAllHaveReusePort(t *testing.T) {
	t.Parallel()
	first := listen(t, sockopt.ReusePort(true), "127.0.0.1:0")
	listen(t, sockopt.ReusePort(true), first.Addr().String())
	_, err := (&net.ListenConfig{Control: sockopt.ReusePort(false)}).Listen(t.Context(), "tcp", first.Addr().String())
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}
