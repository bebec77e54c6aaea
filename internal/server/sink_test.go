package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

func TestSinkReadsLinesAndSendsNothing(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{Protocol: "sink"})
	conn := server.dial(t)
	const lines = 100
	for n := range lines {
		_, err := fmt.Fprintln(conn, "line", n)
		require.NoError(t, err)
	}
	server.served(t, Served{Received: lines, Answered: lines, Reused: lines - 1, Accepted: 1})
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(soon)))
	sent, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Empty(t, sent)
}

func TestHeartbeatsAreSentUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(HeartbeatKey.Is(scenario.Duration(time.Millisecond))))
	c, url := server.client(t)
	resp, err := c.Get(url)
	require.NoError(t, err)
	lines := bufio.NewScanner(resp.Body)
	for n := 1; n <= 20; n++ {
		require.True(t, lines.Scan())
		require.Equal(t, fmt.Sprint(n), lines.Text())
	}
	server.working(t, 1)
	require.NoError(t, resp.Body.Close())
	server.working(t, 0)
	server.served(t, Served{Received: 1, Answered: 1, Accepted: 1})
}
