package sockettest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// slow is a machine with many sockets, whose listing takes longer than a test.
type slow struct {
	socketstats.Source
	listed chan struct{} // gets one for each listing that begins
}

func (s slow) Sockets(ctx context.Context, q socketstats.Query) ([]socketstats.Socket, error) {
	select {
	case s.listed <- struct{}{}:
	default:
	}
	time.Sleep(time.Second)
	return s.Source.Sockets(ctx, q)
}

// A server that is there for less time than a listing of all sockets takes is known all the same.
func TestConnectionsToAShortServerAreCountedBesideManySockets(t *testing.T) {
	c, err := begin("short", nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.close()) }()
	c.maxOpened = 3
	c.flow, err = openFlow(c)
	require.NoError(t, err)
	if c.flow.closings == nil {
		t.Skip("this kernel does not tell of connections that end")
	}
	source := slow{c.source, make(chan struct{}, 1)}
	c.source = source
	require.NoError(t, c.flow.start())
	<-source.listed
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 30 {
		response, err := client.Get(server.URL)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	at := server.Listener.Addr().(*net.TCPAddr).AddrPort()
	require.Eventually(t, func() bool {
		c.flow.ears.mu.Lock()
		defer c.flow.ears.mu.Unlock()
		return c.flow.ears.found.has(at)
	}, 10*time.Second, time.Millisecond)
	server.Close()
	problems, err := c.flow.stop()
	require.NoError(t, err)
	require.Len(t, problems, 1)
	require.Contains(t, problems[0].what, "30 connections were opened")
}
