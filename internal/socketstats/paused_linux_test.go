package socketstats_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// The kernel sends probes to an end whose window is zero. It answers them, so it is there.
func TestAnEndThatDoesNotReadIsPaused(t *testing.T) {
	d := sockdiag(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	server, err := l.Accept()
	require.NoError(t, err)
	defer server.Close()
	go func() {
		data := make([]byte, 1<<16)
		for {
			if _, err := server.Write(data); err != nil {
				return
			}
		}
	}()
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	require.Eventually(t, func() bool {
		sockets, err := d.Sockets(t.Context(), socketstats.Query{Ports: []uint16{port}, Info: true})
		for _, s := range sockets {
			if err == nil && s.Local.Port() == port && s.State == socketstats.Established && s.Info.Paused {
				return s.SendQ > 0
			}
		}
		return false
	}, time.Minute, 20*time.Millisecond)
}
