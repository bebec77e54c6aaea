package socketstats

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A buffer that nobody empties overflows, and that is said.
func TestClosingsThatFindNoRoomAreSaidToBeLost(t *testing.T) {
	src, err := OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	opened, err := OpenClosings(src, nil)
	require.NoError(t, err)
	defer opened.Close()
	c := opened.(*destroyed)
	raw, err := c.file.SyscallConn()
	require.NoError(t, err)
	var set error
	require.NoError(t, raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) // the least there is
	}))
	require.NoError(t, set)

	c.mu.Lock() // the reader stops at its first message
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for range 100 {
		near, err := net.Dial("tcp4", l.Addr().String())
		require.NoError(t, err)
		far, err := l.Accept()
		require.NoError(t, err)
		require.NoError(t, near.(*net.TCPConn).SetLinger(0))
		require.NoError(t, near.Close())
		require.NoError(t, far.Close())
	}
	c.mu.Unlock()

	require.Eventually(t, func() bool {
		_, overflows, err := c.Drain(nil)
		require.NoError(t, err)
		return overflows > 0
	}, 10*time.Second, time.Millisecond)
}

func FuzzDecodeClosed(f *testing.F) {
	message := make([]byte, headerLen+rowLen)
	message[0], message[4], message[headerLen] = byte(len(message)), 20, unix.AF_INET
	message[headerLen+1] = byte(Close)
	f.Add(message)
	f.Add(message[:headerLen])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if closed, ok := decodeClosed(b); ok {
			require.True(t, closed.Remote.IsValid())
		}
	})
}
