package cli_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckOfAConnectionThatStaysInCloseWait(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	keeps := start(t, keepsOpen, l.Addr().String())
	server, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, server.Close())
	client := keeps.until(t, `at the end of (\S+)`)[1]
	said, code := sockwatch(t, "check", "--pid", pidOf(keeps), "--max-close-wait", "0", "--for", "3s", "--interval", "100ms")
	require.Equal(t, 3, code, said)
	require.Contains(t, said, "NOT MET   at most 0 CLOSE_WAIT for a second or longer, got 1, after ")
	require.Contains(t, said, client+" -> "+l.Addr().String()+" CLOSE_WAIT")
}
