package toydb_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/toydb"
)

func TestTheUserTimeoutIsInMilliseconds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	tcp := conn.(*net.TCPConn)
	require.NoError(t, toydb.SetUserTimeout(tcp, 2*time.Second))
	raw, err := tcp.SyscallConn()
	require.NoError(t, err)
	var got int
	require.NoError(t, raw.Control(func(fd uintptr) {
		got, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
	}))
	require.NoError(t, err)
	require.Equal(t, 2000, got)
	require.NoError(t, tcp.Close())
	require.ErrorIs(t, toydb.SetUserTimeout(tcp, time.Second), net.ErrClosed)
}
