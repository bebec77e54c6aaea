package observe_test

import (
	"math/rand/v2"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/internal/bpf/softirqtest"
	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// crowd is connections of this process to itself.
type crowd struct {
	t        *testing.T
	listener *net.TCPListener
	conns    [][2]*net.TCPConn // client's end and server's
}

func (c *crowd) open(n int) {
	for range n {
		client, err := net.Dial("tcp", c.listener.Addr().String())
		require.NoError(c.t, err)
		server, err := c.listener.AcceptTCP()
		require.NoError(c.t, err)
		c.conns = append(c.conns, [2]*net.TCPConn{client.(*net.TCPConn), server})
	}
}

// end ends n connections in one of the ways in which they end, or begin to.
func (c *crowd) end(how string, n int) {
	for range min(n, len(c.conns)) {
		i := rand.IntN(len(c.conns))
		client, server := c.conns[i][0], c.conns[i][1]
		switch how {
		case "half closed": // it goes on
			assert.NoError(c.t, client.CloseWrite())
			continue
		case "reset":
			assert.NoError(c.t, client.SetLinger(0))
		}
		assert.NoError(c.t, client.Close())
		assert.NoError(c.t, server.Close())
		c.conns = append(c.conns[:i], c.conns[i+1:]...)
	}
}

// counts are those of the kernel's list at both ends.
func (c *crowd) counts(port uint16) [2]socketstats.Counts {
	list, err := sockdiag(c.t).Sockets(c.t.Context(), socketstats.Query{Ports: []uint16{port}})
	require.NoError(c.t, err)
	var both [2]socketstats.Counts
	for _, s := range list {
		if end := socketstats.Server; s.State != socketstats.Listen {
			if s.Remote.Port() == port {
				end = socketstats.Client
			}
			both[end].Add(&s)
		}
	}
	return both
}

// requireTrue takes a sample, and fails the test unless it counts as the kernel lists.
func (c *crowd) requireTrue(w *observe.Watcher, port uint16, after string) series.Moment {
	c.t.Helper()
	for {
		before := c.counts(port)
		m, err := w.Sample(c.t.Context())
		require.NoError(c.t, err)
		if before != c.counts(port) {
			continue // something was still on its way
		}
		var got [2]socketstats.Counts
		for _, s := range m.Subjects {
			got[socketstats.Client] = got[socketstats.Client].Plus(s.Client.Counts)
			got[socketstats.Server] = got[socketstats.Server].Plus(s.Server.Counts)
		}
		require.Equal(c.t, before, got, after)
		return m
	}
}

// A sample reads only what may have changed, and counts as a list of everything would:
// with the tracepoint, without it, and when that loses events.
func TestCountsAreThoseOfAListWhateverHappens(t *testing.T) {
	for _, hears := range []string{"tracepoint", "little of it", "closed sockets"} {
		t.Run(hears, func(t *testing.T) {
			l, port := listen(t)
			c := &crowd{t: t, listener: l}
			w := newWatcher(t, sockdiag(t), series.Target{Port: port}, observe.Options{})
			m := c.requireTrue(w, port, "nothing")
			hid := func() int { return 0 }
			switch {
			case hears == "closed sockets":
				require.NoError(t, w.WithoutPrivilege(port))
			case m.EventSource != "tracepoint":
				t.Skip("not allowed to hear the tracepoint")
			case hears == "little of it":
				require.NoError(t, w.HearLittle(port))
			default:
				hid = softirqtest.Hidden(t)
			}
			c.open(20)
			for range 4 {
				for _, how := range []string{"half closed", "reset", "closed"} {
					c.open(60) // more than a page has room for
					c.requireTrue(w, port, "open")
					c.end(how, 1+rand.IntN(20))
					for range 3 {
						m = c.requireTrue(w, port, how)
					}
				}
			}
			assert.Zero(t, m.Repaired)
			if m.AtLeast != (hears == "little of it") {
				assert.True(t, m.AtLeast, "it lost some")
				assert.Positive(t, hid(), "lost, and the kernel hid nothing")
			}
			c.end("closed", len(c.conns))
			c.requireTrue(w, port, "the end")
		})
	}
}
