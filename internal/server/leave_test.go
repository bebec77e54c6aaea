package server

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

// In all tests of this file the server would work for an hour, or for ever:
// that it stops is because it noticed that its client left.

var neverAnswers = map[string]scenario.Setting{
	"in mid-delay":   DelayKey.Is(forever),
	"while it hangs": NoResponseKey.Is(true),
}

func TestServerStopsWhenItsClientsLeave(t *testing.T) {
	t.Parallel()
	bodies := map[string]func() io.Reader{
		"GET":                     func() io.Reader { return nil },
		"POST":                    func() io.Reader { return strings.NewReader("SELECT 1") },
		"POST of a large body":    func() io.Reader { return strings.NewReader(strings.Repeat("x", 2<<20)) },
		"POST of unknown length":  func() io.Reader { return io.MultiReader(strings.NewReader("SELECT 1")) },
		"POST of an empty stream": func() io.Reader { return io.MultiReader() },
	}
	for when, never := range neverAnswers {
		for method, body := range bodies {
			t.Run(method+" "+when, func(t *testing.T) {
				t.Parallel()
				const clients = 3
				server := start(t, scenario.Server{}.With(never))
				ctx, leave := context.WithCancel(context.Background())
				defer leave()
				var all sync.WaitGroup
				for range clients {
					all.Go(func() {
						method, _, _ := strings.Cut(method, " ")
						req, err := http.NewRequestWithContext(ctx, method, "http://"+server.addr, body())
						if err != nil {
							t.Error(err)
							return
						}
						resp, err := server.http.Do(req)
						if err == nil {
							resp.Body.Close()
							t.Error("it answered")
						}
					})
				}
				server.working(t, clients)
				require.Zero(t, server.work.left.Load())
				leave()
				server.working(t, 0)
				require.EqualValues(t, clients, server.work.left.Load())
				require.Zero(t, server.work.answered.Load())
				all.Wait()
			})
		}
	}
}

func TestServerStopsForOneClientAndWorksOnForOthers(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(DelayKey.Is(forever)))
	first, second, third := server.dial(t), server.dial(t), server.dial(t)
	for _, conn := range []io.Writer{first, second, third} {
		_, err := io.WriteString(conn, request)
		require.NoError(t, err)
	}
	server.working(t, 3)
	second.Close()
	server.working(t, 2)
	require.EqualValues(t, 1, server.work.left.Load())
	third.Close()
	server.working(t, 1)
	first.Close()
	server.working(t, 0)
	require.EqualValues(t, 3, server.work.left.Load())
}

func TestServerStopsWhenAClientLeavesInTheMiddleOfItsBody(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"of known length":   "Content-Length: 1000",
		"of unknown length": "Transfer-Encoding: chunked",
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t, scenario.Server{}.With(DelayKey.Is(forever)))
			conn := server.dial(t)
			send(t, conn, "POST / HTTP/1.1\r\nHost: test\r\n"+header+"\r\n\r\n5\r\nhello\r\n")
			server.working(t, 1)
			conn.Close()
			server.working(t, 0)
			require.EqualValues(t, 1, server.work.left.Load())
		})
	}
}
