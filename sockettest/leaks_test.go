package sockettest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func discard(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }

func TestABodyThatIsNotClosedIsALeak(t *testing.T) {
	for name, size := range map[string]int{"13 bytes": 13, "1 MiB": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			everySource(t, func(t *testing.T, source Option) {
				server := serve(t, size)
				client := &http.Client{Transport: transport(t)}
				failure := play(t, func(TB) {
					for range 3 {
						leak(t, client, server.URL)
					}
				}, soon, source)
				require.Contains(t, failure, "TestX left 3 sockets open:\n")
				require.Contains(t, failure, "3 connections are held by response bodies that were not closed")
				require.Equal(t, 3, strings.Count(failure, " -> "+server.Listener.Addr().String()+" ESTABLISHED"))
				require.Equal(t, 3, strings.Count(failure, "the server's end is in this process too"))
			})
		})
	}
}

// Of http.DefaultTransport, whose idle connections are closed, those with an open
// body stay.
func TestABodyOfTheDefaultClientIsALeak(t *testing.T) {
	server := serve(t, 13)
	failure := play(t, func(TB) {
		fetch(t, http.DefaultClient, server.URL)
		leak(t, http.DefaultClient, server.URL)
	}, soon)
	require.Contains(t, failure, "1 connection is held by response bodies")
}

func TestUnreadBytesAreTold(t *testing.T) {
	l := listen(t)
	accept(t, l, func(c net.Conn) {
		t.Cleanup(func() { c.Close() })
		_, _ = c.Write([]byte("thirteen byte"))
	})
	failure := play(t, func(TB) {
		conn := dial(t, l.Addr().String())
		listed(t, func(s socketstats.Socket) bool {
			return s.Local.String() == conn.LocalAddr().String() && s.RecvQ == 13
		})
	}, soon)
	require.Contains(t, failure, "13 bytes unread")
	require.Regexp(t, `ESTABLISHED, open for at least [\d.]+m?s, silent for [\d.]+m?s, 13 bytes unread`, failure)
}

// A leak among healthy idle connections: on Linux it is named, and elsewhere it is
// at least found.
func TestALeakAmongIdleOnes(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		healthy, leaky := serve(t, 13), serve(t, 13)
		client := &http.Client{Transport: transport(t)}
		failure := play(t, func(TB) {
			keep(t, client, healthy.URL)
			leak(t, client, leaky.URL)
		}, soon, source)
		require.Contains(t, failure, "TestX left 1 socket open:\n")
		require.Contains(t, failure, leaky.Listener.Addr().String())
		if strings.HasSuffix(t.Name(), "/gopsutil") {
			require.Contains(t, failure, "of these 2 connections, 1 is idle in a pool and healthy, 1 is held by response bodies")
		} else {
			require.NotContains(t, failure, healthy.Listener.Addr().String())
		}
	})
}

func TestATransportPerRequestIsALeak(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		server := serve(t, 13)
		requests := func(n int) func(TB) {
			return func(TB) {
				for range n {
					keep(t, &http.Client{Transport: transport(t)}, server.URL)
				}
			}
		}
		failure := play(t, requests(5), soon, source)
		require.Contains(t, failure, "TestX left 5 sockets open:\n")
		require.Contains(t, failure, "5 connections are idle in pools for "+server.Listener.Addr().String()+", where one transport keeps at most 2")
		require.Empty(t, play(t, requests(5), source, IdlePerHost(5)))
		require.NotEmpty(t, play(t, requests(1), soon, source, IdlePerHost(0)))
	})
}

// Issue 37 of uber-go/goleak: idle connections of a pool are no leak.
func TestIdleConnectionsOfASharedTransportAreHealthy(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		one, two := serve(t, 13), serve(t, 0)
		client := &http.Client{Transport: transport(t)}
		require.Empty(t, play(t, func(TB) {
			for range 5 {
				fetch(t, client, one.URL)
				fetch(t, client, two.URL)
			}
		}, source))
	})
}

func TestIdleConnectionsOfTheDefaultClientAreHealthy(t *testing.T) {
	server := serve(t, 13)
	require.Empty(t, play(t, func(TB) { fetch(t, http.DefaultClient, server.URL) }, IdlePerHost(0)))
}

func TestCloseIdleClosesThem(t *testing.T) {
	server := serve(t, 13)
	var options []Option
	var clients []*http.Client
	for range 5 {
		clients = append(clients, &http.Client{Transport: transport(t)})
		options = append(options, CloseIdle(clients[len(clients)-1]))
	}
	require.Empty(t, play(t, func(TB) {
		for _, c := range clients {
			fetch(t, c, server.URL)
		}
	}, options...))
}

// A connection of Transport.NewClientConn is its caller's: no pool has it, so that closing
// idle ones does not close it. It waits as one of a pool does, and counts as one.
func TestAConnectionOfNewClientConnCountsAsIdle(t *testing.T) {
	server := serve(t, 13)
	client := &http.Client{Transport: transport(t)}
	connections := func(n int) func(TB) {
		return func(TB) {
			for range n {
				conn, err := client.Transport.(*http.Transport).NewClientConn(t.Context(), "http", server.Listener.Addr().String())
				require.NoError(t, err)
				t.Cleanup(func() { conn.Close() })
			}
		}
	}
	require.Empty(t, play(t, connections(2)))
	for _, test := range []struct {
		n       int
		options []Option
	}{
		{3, nil},
		{1, []Option{IdlePerHost(0)}},
		{1, []Option{IdlePerHost(0), CloseIdle(client)}},
	} {
		require.Contains(t, play(t, connections(test.n), append(test.options, soon)...), "idle in pools for "+server.Listener.Addr().String())
	}
}

func TestARequestInFlightIsALeak(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	returned := make(chan struct{})
	client := &http.Client{Transport: transport(t)}
	failure := play(t, func(TB) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		require.NoError(t, err)
		go func() {
			defer close(returned)
			if resp, err := client.Do(req); err == nil {
				resp.Body.Close()
			}
		}()
		<-arrived
	}, soon)
	cancel()
	<-returned
	require.Contains(t, failure, "1 connection waits for the response to a request")
}

func TestAServerLeftOpenIsALeak(t *testing.T) {
	failure := play(t, func(TB) {
		server := httptest.NewServer(answer(13))
		t.Cleanup(server.Close)
		fetch(t, http.DefaultClient, server.URL)
	}, soon)
	require.Contains(t, failure, "TestX left 1 socket open:\n", "the idle connection is none")
	require.Contains(t, failure, "1 listener was not closed")
	require.Contains(t, failure, " LISTEN")
}

func TestAServerThatIsClosedIsNone(t *testing.T) {
	require.Empty(t, play(t, func(tb TB) {
		server := httptest.NewServer(answer(13))
		tb.Cleanup(server.Close)
		fetch(t, server.Client(), server.URL)
		fetch(t, http.DefaultClient, server.URL)
	}))
}

func TestAListenerIsALeak(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		var address string
		failure := play(t, func(TB) {
			l := listen(t)
			address = l.Addr().String()
			dial(t, address).Close() // waits to be accepted, and has no owner
		}, soon, source)
		require.Contains(t, failure, "TestX left 1 socket open:\n")
		require.Contains(t, failure, "\n    "+address+" LISTEN")
	})
}

func TestADialIsALeak(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		l := listen(t)
		var accepted net.Conn
		conns := make(chan net.Conn, 1)
		accept(t, l, func(c net.Conn) { conns <- c })
		var conn net.Conn
		failure := play(t, func(TB) {
			conn = dial(t, l.Addr().String())
			accepted = <-conns
			t.Cleanup(func() { accepted.Close() })
		}, soon, source)
		require.Contains(t, failure, "TestX left 1 socket open:\n", "both ends are here, and one connection")
		require.Contains(t, failure, "1 connection was opened and not closed")
		require.Contains(t, failure, conn.LocalAddr().String()+" -> "+l.Addr().String()+" ESTABLISHED")
	})
}

// Nothing refers to the connection, and the wait must not have the garbage
// collector close it.
func TestAForgottenDialIsALeak(t *testing.T) {
	l := listen(t)
	failure := play(t, func(TB) {
		_, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		var garbage [][]byte
		time.AfterFunc(10*time.Millisecond, func() {
			for range 100 {
				garbage = append(garbage[:0], make([]byte, 1<<20))
			}
		})
	}, Within(100*time.Millisecond))
	runtime.GC()
	require.Contains(t, failure, "1 connection was opened and not closed")
}

func TestAnAcceptedConnectionIsALeak(t *testing.T) {
	l := listen(t)
	conns := make(chan net.Conn, 1)
	accept(t, l, func(c net.Conn) { conns <- c })
	failure := play(t, func(TB) {
		conn := dial(t, l.Addr().String())
		accepted := <-conns
		t.Cleanup(func() { accepted.Close() })
		conn.Close()
		listed(t, func(s socketstats.Socket) bool {
			return s.Local.String() == l.Addr().String() && s.State == socketstats.CloseWait && mine(s)
		})
	}, soon)
	require.Contains(t, failure, "1 connection was accepted, then closed by the peer and not by this process")
	require.Contains(t, failure, l.Addr().String()+" <- ")
}

func TestCloseWaitIsALeak(t *testing.T) {
	l := listen(t)
	accept(t, l, func(c net.Conn) { c.Close() })
	failure := play(t, func(TB) {
		conn := dial(t, l.Addr().String())
		listed(t, func(s socketstats.Socket) bool {
			return s.Local.String() == conn.LocalAddr().String() && s.State == socketstats.CloseWait
		})
	}, soon)
	require.Contains(t, failure, "TestX left 1 socket open:\n")
	require.Contains(t, failure, "1 connection was closed by the peer and not by this process")
	require.Contains(t, failure, " CLOSE_WAIT, ")
}

// A connection that a goroutine of the test's reads is not taken for net/http's.
func TestAReaderOfItsOwnIsALeakBesideIdleConnections(t *testing.T) {
	server, l := serve(t, 13), listen(t)
	accept(t, l, func(c net.Conn) { t.Cleanup(func() { c.Close() }) })
	client := &http.Client{Transport: transport(t)}
	var conn net.Conn
	failure := play(t, func(TB) {
		fetch(t, client, server.URL)
		conn = dial(t, l.Addr().String())
		go func() { _, _ = discard(conn) }()
	}, soon)
	require.Contains(t, failure, "TestX left 1 socket open:\n")
	require.Contains(t, failure, conn.LocalAddr().String()+" -> ")
}

// A body that is still read is told from a connection that nobody reads.
func TestABodyThatIsReadBesideARawConnection(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		<-over
	}))
	t.Cleanup(server.Close)
	l := listen(t)
	accept(t, l, func(c net.Conn) { t.Cleanup(func() { c.Close() }) })
	done := make(chan struct{})
	failure := play(t, func(TB) {
		resp, err := (&http.Client{Transport: transport(t)}).Get(server.URL)
		require.NoError(t, err)
		go func() {
			defer close(done)
			_, _ = discard(resp.Body)
			resp.Body.Close()
		}()
		dial(t, l.Addr().String())
	}, soon)
	close(over)
	<-done
	require.Contains(t, failure, "TestX left 2 sockets open:\n")
	require.Regexp(t, `1 connection is held by response bodies .*\n .* -> `+server.Listener.Addr().String(), failure)
	require.Regexp(t, `1 connection was opened and not closed.*\n .* -> `+l.Addr().String(), failure)
}

// What the peer has closed does not wait in a pool, so it is named also where only
// the number of idle connections is known.
func TestCloseWaitBesideIdleConnections(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		server, l := serve(t, 13), listen(t)
		accept(t, l, func(c net.Conn) { c.Close() })
		client := &http.Client{Transport: transport(t)}
		failure := play(t, func(TB) {
			fetch(t, client, server.URL)
			conn := dial(t, l.Addr().String())
			listed(t, func(s socketstats.Socket) bool {
				return s.Local.String() == conn.LocalAddr().String() && s.State == socketstats.CloseWait
			})
		}, soon, source)
		require.Contains(t, failure, "TestX left 1 socket open:\n")
		require.Contains(t, failure, "1 connection was closed by the peer")
		require.NotContains(t, failure, server.Listener.Addr().String())
	})
}

func TestTimeWaitIsClean(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		l := listen(t)
		accept(t, l, func(c net.Conn) {
			_, _ = discard(c)
			c.Close()
		})
		require.Empty(t, play(t, func(TB) {
			conn := dial(t, l.Addr().String())
			conn.Close()
			listed(t, func(s socketstats.Socket) bool {
				return s.Local.String() == conn.LocalAddr().String() && s.State == socketstats.TimeWait
			})
		}, source))
	})
}

func TestWhatWasThereBeforeIsNotReported(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		server, l := serve(t, 13), listen(t)
		accept(t, l, func(c net.Conn) { t.Cleanup(func() { c.Close() }) })
		dial(t, l.Addr().String())
		leak(t, &http.Client{Transport: transport(t)}, server.URL)
		require.Empty(t, play(t, func(TB) {}, source))
	})
}

// A leak from before is not counted as the cause of a new one.
func TestABodyFromBeforeIsNotTheCause(t *testing.T) {
	server, l := serve(t, 13), listen(t)
	leak(t, &http.Client{Transport: transport(t)}, server.URL)
	failure := play(t, func(TB) { dial(t, l.Addr().String()) }, soon)
	require.Contains(t, failure, "1 connection was opened and not closed")
}

func TestALeakThatHealsInTimeIsNone(t *testing.T) {
	l := listen(t)
	accept(t, l, func(c net.Conn) {
		_, _ = discard(c)
		c.Close()
	})
	began := time.Now()
	require.Empty(t, play(t, func(TB) {
		conn := dial(t, l.Addr().String())
		time.AfterFunc(100*time.Millisecond, func() { conn.Close() })
	}, Within(2*time.Minute)))
	require.Less(t, time.Since(began), time.Minute, "it need not wait for the whole time")
}

func TestACleanTestIsQuick(t *testing.T) {
	server := serve(t, 13)
	quickest := time.Hour
	for until := time.Now().Add(2 * time.Minute); quickest >= 100*time.Millisecond && time.Now().Before(until); { // a machine may be busy for long
		began := time.Now()
		require.Empty(t, play(t, func(TB) { fetch(t, http.DefaultClient, server.URL) }, Within(time.Minute)))
		quickest = min(quickest, time.Since(began))
	}
	t.Log(quickest)
	require.Less(t, quickest, 100*time.Millisecond)
}

func TestManySocketsAreCutShort(t *testing.T) {
	l := listen(t)
	accept(t, l, func(c net.Conn) { t.Cleanup(func() { c.Close() }) })
	failure := play(t, func(TB) {
		for range 25 {
			dial(t, l.Addr().String())
		}
	}, soon)
	require.Contains(t, failure, "TestX left 25 sockets open:\n")
	require.Equal(t, 20, strings.Count(failure, " -> "))
	require.True(t, strings.HasSuffix(failure, "\n    and 5 more"))
}
