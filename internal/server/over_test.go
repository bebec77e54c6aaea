package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

func TestConnectionsAboveTheLimitAreRefused(t *testing.T) {
	t.Parallel()
	for _, protocol := range webs {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			server := start(t, scenario.Server{Protocol: protocol}.With(MaxConnsKey.Is(1), OverLimitKey.Is(overRefuse)))
			first, url := server.client(t)
			status, _, err := fetch(first, url)
			require.NoError(t, err)
			require.Equal(t, 200, status)
			for range 3 {
				second, url := server.client(t)
				resp, err := second.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", 4<<20)))
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				require.NoError(t, err)
				require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
				require.Equal(t, "too many connections\n", string(body))
				require.Equal(t, protocol == "http", resp.Close)
			}
			status, _, err = fetch(first, url)
			require.NoError(t, err)
			require.Equal(t, 200, status, "who was there first is served on")
			first.CloseIdleConnections()
			eventually(t, "there is room again", func() bool {
				third, url := server.client(t)
				status, _, err := fetch(third, url)
				return err == nil && status == 200
			})
			require.EqualValues(t, 3, server.Served().Received)
		})
	}
}

func TestRefusalsOfManyAtATime(t *testing.T) {
	t.Parallel()
	const clients = 50
	server := start(t, scenario.Server{}.With(MaxConnsKey.Is(10), OverLimitKey.Is(overRefuse), DelayKey.Is(forever)))
	var refused atomic.Int64
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+server.addr, nil)
			resp, err := (&http.Transport{}).RoundTrip(req)
			if errors.Is(err, context.Canceled) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			refused.Add(1)
		})
	}
	// Who leaves before the server has read its request was never served.
	eventually(t, "the others are refused and ten are served", func() bool {
		return refused.Load() == clients-10 && server.Served().Received == 10
	})
	leave()
	all.Wait()
	require.EqualValues(t, clients-10, refused.Load())
	server.served(t, Served{Received: 10, Left: 10, Accepted: clients})
}

func TestConnectionThatIsRefusedAndAsksForNothingDoesNotHoldUpTheStop(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(MaxConnsKey.Is(1), OverLimitKey.Is(overRefuse), GraceKey.Is(forever)))
	server.get(t)
	conn := server.dial(t)
	eventually(t, "it is accepted", func() bool { return server.Served().Accepted == 2 })
	require.NoError(t, server.stop())
	_, err := io.ReadAll(conn)
	require.NoError(t, err)
}

func TestConnectionsAboveTheLimitAreClosed(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http", "toydb", "balancer"} {
		for _, over := range []string{overClose, overRefuse} {
			if protocol == "http" && over == overRefuse {
				continue
			}
			t.Run(protocol+" "+over, func(t *testing.T) {
				t.Parallel()
				behind := start(t, scenario.Server{}.With(NoResponseKey.Is(true)))
				server := start(t, scenario.Server{Protocol: protocol}.With(MaxConnsKey.Is(1), OverLimitKey.Is(over), NoResponseKey.Is(protocol != "balancer")),
					func(c *Config) { c.Peers = peers(behind.addr) })
				first := server.dial(t)
				eventually(t, "the first is accepted", func() bool { return server.Served().Accepted == 1 })
				for range 3 {
					conn := server.dial(t)
					_, err := io.ReadAll(conn)
					require.NoError(t, err)
				}
				server.served(t, Served{Accepted: 4})
				first.Close()
				eventually(t, "there is room again", func() bool {
					server.conns.mu.Lock()
					defer server.conns.mu.Unlock()
					return server.conns.served == 0
				})
			})
		}
	}
}
