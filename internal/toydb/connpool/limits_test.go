package connpool_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/toydb/connpool"
)

func Test19ALimitInTotalThatHoldsWhileConnectionsAreMade(t *testing.T) {
	const size, clients = 5, 50
	p := open(t, connpool.Config{Addr: serve(t, server.HandshakeDelayKey.Is(scenario.Duration(20*time.Millisecond))), Size: size})
	var most atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			c, err := p.Acquire(context.Background(), "")
			if err != nil {
				t.Error(err)
				return
			}
			v := p.Values()
			open := int64(v["connecting"] + v["connected"] + v["idle"] + v["closing"])
			for old := most.Load(); open > old && !most.CompareAndSwap(old, open); old = most.Load() {
			}
			p.Release(c)
		})
	}
	all.Wait()
	require.LessOrEqual(t, most.Load(), int64(size))
	require.LessOrEqual(t, p.Values()["idle"], float64(size))
}

func Test20ALimitPerClient(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), Size: 3, PerClient: 2})
	a, b := acquire(t, p, "greedy"), acquire(t, p, "greedy")
	refused(t, p, "greedy")
	other := acquire(t, p, "other")
	refused(t, p, "third") // in total
	p.Release(a)
	p.Release(acquire(t, p, "greedy"))
	p.Release(b)
	p.Release(other)
	states(t, p, 0, 3, 0)
}

func Test21IdleCleanup(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), Every: time.Millisecond, IdleTimeout: 10 * time.Millisecond})
	a, b, c := acquire(t, p, ""), acquire(t, p, ""), acquire(t, p, "")
	p.Release(a)
	p.Release(b)
	require.Eventually(t, func() bool { return p.Values()["closed"] == 2 }, soon, time.Millisecond)
	states(t, p, 1, 0, 2) // no client has to ask for one
	p.Release(c)
}

func Test22CleanupOfFailedOnes(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t, server.ResponsesKey.Is([]string{"reset", "whole"})), Size: 1})
	c := acquire(t, p, "")
	_, err := c.Query(context.Background(), "SELECT 1")
	require.ErrorIs(t, err, syscall.ECONNRESET)
	p.Discard(c)
	states(t, p, 0, 0, 1)
	c = acquire(t, p, "") // there is room for another
	require.Equal(t, "1", query(t, c))
	p.Release(c)
}

func Test22ADialThatFailsLeavesNoConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.Close()
	p := open(t, connpool.Config{Addr: l.Addr().String(), Size: 1, PerClient: 1})
	for range 3 {
		_, err = p.Acquire(context.Background(), "one")
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
	states(t, p, 0, 0, 3)
}

func Test23OrderlyShutdown(t *testing.T) {
	p := connpool.New(connpool.Config{Addr: serve(t), Every: time.Millisecond, Size: 2})
	a, b := acquire(t, p, ""), acquire(t, p, "")
	p.Release(b)
	waiting := make(chan error)
	p.Release(acquire(t, p, "")) // b again
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, p.Close(short), context.DeadlineExceeded, "one is in use")
	states(t, p, 1, 0, 1)
	_, err := p.Acquire(context.Background(), "")
	require.ErrorIs(t, err, connpool.ErrClosed)
	go func() { waiting <- p.Close(context.Background()) }()
	require.Equal(t, "1", query(t, a), "what is under way is answered")
	p.Release(a)
	require.NoError(t, <-waiting)
	states(t, p, 0, 0, 2)
}

func Test23ShutdownEndsTheWait(t *testing.T) {
	p := connpool.New(connpool.Config{Addr: serve(t), Size: 1})
	c := acquire(t, p, "")
	waiting := make(chan error)
	go func() {
		_, err := p.Acquire(context.Background(), "")
		waiting <- err
	}()
	closed := make(chan error)
	go func() { closed <- p.Close(context.Background()) }()
	require.ErrorIs(t, <-waiting, connpool.ErrClosed)
	p.Release(c)
	require.NoError(t, <-closed)
}

// Run with the race detector.
func Test24SafeForConcurrentUse(t *testing.T) {
	const clients, rounds = 20, 50
	p := open(t, connpool.Config{
		Addr: serve(t, server.CloseAfterKey.Is(7)), Size: 5, PerClient: 1, MaxRequests: 10,
		IdleTimeout: 5 * time.Millisecond, Every: time.Millisecond, Check: (*connpool.Conn).Look,
	})
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for round := range rounds {
				c, err := p.Acquire(context.Background(), fmt.Sprint(client))
				if err != nil {
					t.Error(err)
					return
				}
				// A row may be lost where the server closes after the check.
				if _, err = c.Query(context.Background(), "SELECT 1"); err != nil || round%10 == 0 {
					p.Discard(c)
				} else {
					p.Release(c)
				}
			}
		})
	}
	all.Wait()
	v := p.Values()
	require.Zero(t, v["connecting"]+v["closing"])
	require.LessOrEqual(t, v["idle"]+v["connected"], 5.0)
}

// A query over loopback takes some 20 µs and more. An acquire and a release are to be
// a small part of that, on any machine.
func Test25LittleOverheadMeasured(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), Size: 1, IdleTimeout: time.Minute})
	p.Release(acquire(t, p, ""))
	c := acquire(t, p, "")
	asked := best(func() { query(t, c) })
	p.Release(c)
	overhead := best(func() {
		c, err := p.Acquire(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		p.Release(c)
	})
	t.Logf("a query takes %s, an acquire and a release %s", asked, overhead)
	require.Less(t, overhead, asked/2)
}

// best is the shortest time that f took, of many: the one without the load of others.
func best(f func()) time.Duration {
	shortest := time.Hour
	for range 2000 {
		begin := time.Now()
		f()
		shortest = min(shortest, time.Since(begin))
	}
	return shortest
}
