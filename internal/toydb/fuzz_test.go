package toydb_test

import (
	"bytes"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/toydb"
)

// Whatever a server says, a query has a row or an error, and no row has a line's end.
func FuzzLines(f *testing.F) {
	for _, text := range []string{toydb.Greeting + "\nROW 1\n", toydb.Greeting + "\r\nROW \r\n", "ROW 1\n", toydb.Greeting + "\nERR\nROW 2\n", "\n\n", toydb.Greeting} {
		f.Add([]byte(text))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(f, err)
	defer l.Close()
	f.Fuzz(func(t *testing.T, text []byte) {
		served := make(chan struct{})
		go func() {
			defer close(served)
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write(text)
			_ = c.(*net.TCPConn).SetLinger(0) // no port is left behind
			_ = c.Close()
		}()
		c, err := toydb.Open(t.Context(), l.Addr().String())
		if err == nil {
			row, err := c.Query(t.Context(), "SELECT 1")
			if err == nil {
				require.NotContains(t, row, "\n")
				require.True(t, bytes.Contains(text, []byte("ROW "+row)))
			}
			_ = c.Close()
		}
		<-served
	})
}
