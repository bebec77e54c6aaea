//go:build unix

package worker_test

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/worker"
)

// A server says what its process uses, and a limit of descriptors holds for it: above
// it no connection is accepted.
func TestServerUnderOrdersHoldsNoMoreDescriptorsThanItMay(t *testing.T) {
	t.Parallel()
	const most = 40
	p := start(t, "server", with(t, worker.ServerOrder{
		Listen: "127.0.0.1:0", Behaviour: scenario.Server{Protocol: scenario.DefaultProtocol}.With(server.MaxDescriptorsKey.Is(most)),
	}))
	addr := p.answer().Listening
	p.command(worker.Report)
	require.Positive(t, p.answer().Process.RSSPeakBytes)
	for range 2 * most {
		conn, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		_, err = io.WriteString(conn, "GET")
		require.NoError(t, err)
	}
	for held := 0; held < most-8; { // the runtime and the listener have the others
		p.command(worker.Report)
		used := p.answer().Process
		require.Positive(t, used.Goroutines)
		held = used.DescriptorsPeak
		require.Less(t, held, 2*most, "without a limit it accepts them all")
	}
	p.command(worker.Stop)
	require.True(t, p.answer().Stopped)
	p.requireEnd(0)
}
