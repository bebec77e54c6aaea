package cli_test

import (
	"io"
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckOfAConnectionThatStaysInCloseWait(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	server, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, server.Close())
	_, err = client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	said, code := sockwatch(t, "check", "--pid", strconv.Itoa(os.Getpid()), "--max-close-wait", "0", "--for", "2s", "--interval", "100ms")
	require.Equal(t, 3, code, said)
	require.Contains(t, said, "NOT MET   at most 0 CLOSE_WAIT for a second or longer, got ")
	require.Contains(t, said, client.LocalAddr().String()+" -> "+l.Addr().String()+" CLOSE_WAIT")
}
