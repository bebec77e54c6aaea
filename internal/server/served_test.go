package server

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

// served waits until the server has done just this.
func (r *running) served(t *testing.T, want Served) {
	t.Helper()
	eventually(t, "the server has served what it should", func() bool { return r.Served() == want })
	require.Equal(t, want, r.Served())
}

func TestServedCountsRequestsAndConnections(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{})
	server.served(t, Served{})
	for range 2 {
		conn := server.dial(t)
		answers := bufio.NewReader(conn)
		for range 3 {
			send(t, conn, request)
			resp, err := http.ReadResponse(answers, nil)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
		}
	}
	server.dial(t) // asks for nothing
	server.served(t, Served{Received: 6, Answered: 6, Reused: 4, Accepted: 3})
}

func TestServedTellsWhatBecameOfRequests(t *testing.T) {
	t.Parallel()
	t.Run("in progress, then left", func(t *testing.T) {
		t.Parallel()
		server := start(t, scenario.Server{}.With(NoResponseKey.Is(true)))
		conn := server.dial(t)
		send(t, conn, request)
		server.served(t, Served{Received: 1, Accepted: 1})
		conn.Close()
		server.served(t, Served{Received: 1, Left: 1, Accepted: 1})
	})
	t.Run("cut off", func(t *testing.T) {
		t.Parallel()
		server := start(t, scenario.Server{}.With(AbortAfterKey.Is(1)))
		server.get(t)
		resp, err := server.http.Get("http://" + server.addr)
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		require.Error(t, err)
		server.served(t, Served{Received: 2, Answered: 1, Cut: 1, Reused: 1, Accepted: 1})
	})
	t.Run("queries", func(t *testing.T) {
		t.Parallel()
		server := start(t, overToyDB())
		conn := open(t, server)
		for range 3 {
			_, err := conn.Query(context.Background(), "SELECT 1")
			require.NoError(t, err)
		}
		server.served(t, Served{Received: 3, Answered: 3, Reused: 2, Accepted: 1})
	})
}
