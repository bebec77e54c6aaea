package connpool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/toydb/connpool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = time.Minute

// serve starts a real server with a behaviour, and returns its address.
func serve(t testing.TB, settings ...scenario.Setting) string {
	t.Helper()
	b := scenario.Server{Protocol: "toydb"}.With(settings...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.New(server.Config{Behaviour: b, Log: slog.New(slog.DiscardHandler)}).Serve(ctx, l)
	}()
	t.Cleanup(func() {
		stop()
		<-served
	})
	return l.Addr().String()
}

// scripted starts a server that plays each connection by hand, and returns its address.
func scripted(t *testing.T, play func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				context.AfterFunc(t.Context(), func() { c.Close() })
				play(c)
				<-done
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		close(done)
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

func greets(c net.Conn) { _, _ = io.WriteString(c, "READY\n") }

func open(t testing.TB, c connpool.Config) *connpool.Pool {
	t.Helper()
	p := connpool.New(c)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		require.NoError(t, p.Close(ctx), "a connection was not given back")
	})
	return p
}

func acquire(t testing.TB, p *connpool.Pool, client string) *connpool.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	c, err := p.Acquire(ctx, client)
	require.NoError(t, err)
	return c
}

// refused asks for a connection that there is not, and does not wait for long.
func refused(t *testing.T, p *connpool.Pool, client string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := p.Acquire(ctx, client)
	require.ErrorIs(t, err, connpool.ErrExhausted)
}

func query(t testing.TB, c *connpool.Conn) string {
	t.Helper()
	row, err := c.Query(context.Background(), "SELECT 1")
	require.NoError(t, err)
	return row
}

// states requires the number of connections in each state: idle, in use, closed.
func states(t testing.TB, p *connpool.Pool, connected, idle, closed int) {
	t.Helper()
	require.Equal(t, map[string]float64{
		"connecting": 0, "connected": float64(connected), "idle": float64(idle), "closing": 0, "closed": float64(closed),
	}, p.Values())
}

func Test01AcquireGivesAnIdleHealthyConnectionIfThereIsOne(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), Check: (*connpool.Conn).Look})
	for n := 1; n <= 3; n++ {
		c := acquire(t, p, "")
		require.Equal(t, fmt.Sprint(n), query(t, c), "the rows of one connection are counted")
		p.Release(c)
	}
	states(t, p, 0, 1, 0)
}

func Test02ElseItMakesANewOneWhileBelowTheSizeLimit(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), Size: 2})
	a, b := acquire(t, p, ""), acquire(t, p, "")
	require.NotSame(t, a, b)
	states(t, p, 2, 0, 0)
	p.Release(a)
	p.Release(b)
}

func Test03ElseThePoolIsExhaustedWithADeadlineForWaiting(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), Size: 1, Wait: 30 * time.Millisecond})
	c := acquire(t, p, "")
	begin := time.Now()
	_, err := p.Acquire(context.Background(), "")
	require.ErrorIs(t, err, connpool.ErrExhausted)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.GreaterOrEqual(t, time.Since(begin), 30*time.Millisecond)
	p.Release(c)
	p.Release(acquire(t, p, ""))
	states(t, p, 0, 1, 0)
}

func Test03WhoWaitsGetsTheConnectionThatIsGivenBack(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), Size: 1})
	for _, give := range []func(*connpool.Conn){p.Release, p.Discard} {
		c := acquire(t, p, "")
		got := make(chan *connpool.Conn)
		go func() {
			next, err := p.Acquire(context.Background(), "")
			if err != nil {
				t.Error(err)
			}
			got <- next
		}()
		give(c)
		p.Release(<-got)
	}
	states(t, p, 0, 1, 1)
}

func Test04ReleaseGivesBackAsIdle(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t)})
	c := acquire(t, p, "")
	states(t, p, 1, 0, 0)
	p.Release(c)
	states(t, p, 0, 1, 0)
}

func Test05IdleConnectionsAreRemovedAfterTheIdleTimeout(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), IdleTimeout: 30 * time.Millisecond})
	first := acquire(t, p, "")
	p.Release(first)
	require.Eventually(t, func() bool { return time.Since(first.LastUsed()) > 30*time.Millisecond }, soon, time.Millisecond)
	second := acquire(t, p, "")
	require.NotSame(t, first, second)
	states(t, p, 1, 0, 1)
	p.Release(second)
}

// closedByServer is a pool whose only connection is idle, and closed by the server.
func closedByServer(t *testing.T, check func(*connpool.Conn, context.Context) error) *connpool.Pool {
	p := open(t, connpool.Config{Addr: serve(t, server.CloseAfterKey.Is(1)), Check: check})
	c := acquire(t, p, "")
	query(t, c)
	require.Eventually(t, func() bool { return errors.Is(c.Look(context.Background()), io.EOF) }, soon, time.Millisecond)
	p.Release(c)
	return p
}

func Test06HealthCheckBeforeReuseByPing(t *testing.T) {
	p := closedByServer(t, (*connpool.Conn).Ping)
	c := acquire(t, p, "")
	states(t, p, 1, 0, 1)
	require.Equal(t, "1", query(t, c))
	p.Discard(c)
}

func Test07HealthCheckBeforeReuseByATestRequest(t *testing.T) {
	tested := false
	p := closedByServer(t, func(c *connpool.Conn, ctx context.Context) error {
		tested = true
		row, err := c.Query(ctx, "SELECT version")
		if err == nil && row == "" {
			err = errors.New("no version")
		}
		return err
	})
	p.Discard(acquire(t, p, ""))
	require.True(t, tested)
	states(t, p, 0, 0, 2)
}

func Test08HealthCheckBeforeReuseByLookingAtTheSocket(t *testing.T) {
	p := closedByServer(t, (*connpool.Conn).Look)
	p.Discard(acquire(t, p, ""))
	states(t, p, 0, 0, 2)
}

func Test08WithoutACheckTheDeadConnectionIsHandedOut(t *testing.T) {
	p := closedByServer(t, nil)
	c := acquire(t, p, "")
	_, err := c.Query(context.Background(), "SELECT 1")
	require.Error(t, err)
	p.Discard(c)
	states(t, p, 0, 0, 1)
}

func Test09ChecksAtIntervals(t *testing.T) {
	var checks atomic.Int64
	var bad atomic.Bool
	p := open(t, connpool.Config{Addr: serve(t), Every: time.Millisecond, Check: func(*connpool.Conn, context.Context) error {
		checks.Add(1)
		if bad.Load() {
			return errors.New("bad")
		}
		return nil
	}})
	a, b := acquire(t, p, ""), acquire(t, p, "")
	p.Release(a)
	require.Eventually(t, func() bool { return checks.Load() >= 10 }, soon, time.Millisecond)
	bad.Store(true)
	require.Eventually(t, func() bool { return p.Values()["closed"] == 1 }, soon, time.Millisecond)
	states(t, p, 1, 0, 1) // what is in use is left alone
	bad.Store(false)
	p.Release(b)
}

func Test10KeepAliveWithATimeoutThatACheckDoesNotProlong(t *testing.T) {
	p := open(t, connpool.Config{
		Addr: serve(t), Every: 5 * time.Millisecond, Check: (*connpool.Conn).Ping, IdleTimeout: 100 * time.Millisecond,
	})
	begin := time.Now()
	p.Release(acquire(t, p, ""))
	require.Eventually(t, func() bool { return p.Values()["closed"] == 1 }, soon, time.Millisecond)
	require.GreaterOrEqual(t, time.Since(begin), 100*time.Millisecond)
}

func Test11KeepAliveWithAMostNumberOfRequestsPerConnection(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), MaxRequests: 3})
	for _, want := range []string{"1", "2", "3", "1", "2", "3", "1"} {
		c := acquire(t, p, "")
		require.Equal(t, want, query(t, c))
		p.Release(c)
	}
	states(t, p, 0, 1, 2)
}

func Test12KeepAliveWithACheckThatIsNoRequest(t *testing.T) {
	p := open(t, connpool.Config{Addr: serve(t), MaxRequests: 2, Check: (*connpool.Conn).Ping})
	for range 2 {
		c := acquire(t, p, "")
		query(t, c)
		p.Release(c)
	}
	states(t, p, 0, 0, 1)
}

func Test13ConnectTimeout(t *testing.T) {
	p := open(t, connpool.Config{Addr: scripted(t, func(net.Conn) {}), Size: 1, ConnectTimeout: 30 * time.Millisecond})
	for range 2 { // the place is free again
		_, err := p.Acquire(context.Background(), "")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, connpool.ErrExhausted)
	}
	states(t, p, 0, 0, 2)
}

func Test14ReadTimeout(t *testing.T) {
	p := open(t, connpool.Config{Addr: scripted(t, greets), ReadTimeout: 30 * time.Millisecond})
	c := acquire(t, p, "")
	_, err := c.Query(context.Background(), "SELECT 1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	p.Discard(c)
}

// A query is at most some kilobytes, so it takes many until the socket's buffers are
// full. The server reads none of them, and sends a row for each.
func Test15WriteTimeout(t *testing.T) {
	const short = 100 * time.Millisecond
	p := open(t, connpool.Config{Addr: scripted(t, func(c net.Conn) {
		greets(c)
		_ = c.(*net.TCPConn).SetReadBuffer(4096)
		for {
			if _, err := io.WriteString(c, "ROW 1\n"); err != nil {
				return
			}
		}
	}), WriteTimeout: short})
	c := acquire(t, p, "")
	defer p.Discard(c)
	long := strings.Repeat("x", 1<<20)
	for {
		begin := time.Now()
		if _, err := c.Query(context.Background(), long); err != nil {
			var failed net.Error
			require.ErrorAs(t, err, &failed)
			require.True(t, failed.Timeout())
			require.GreaterOrEqual(t, time.Since(begin), short)
			return
		}
	}
}

func Test16IdleTimeoutByTimeOfLastActivity(t *testing.T) {
	const timeout = 200 * time.Millisecond
	p := open(t, connpool.Config{Addr: serve(t), IdleTimeout: timeout, Every: time.Millisecond})
	var c *connpool.Conn
	for again := acquire(t, p, ""); again != c; again = acquire(t, p, "") {
		if c != nil { // a busy machine took so long between the two
			require.Greater(t, time.Since(c.LastUsed()), timeout)
		}
		c = again
		for time.Since(c.Created()) < 2*timeout { // in use for longer than the timeout
			query(t, c)
		}
		p.Release(c)
	}
	before := p.Values()["closed"]
	p.Release(c)
	idle := c.LastUsed()
	require.Eventually(t, func() bool { return p.Values()["closed"] == before+1 }, soon, time.Millisecond)
	require.GreaterOrEqual(t, time.Since(idle), timeout)
}

func Test17TheStatesOfAConnection(t *testing.T) {
	greeted := make(chan struct{})
	p := open(t, connpool.Config{Addr: scripted(t, func(c net.Conn) {
		<-greeted
		greets(c)
	})})
	got := make(chan *connpool.Conn)
	go func() {
		c, err := p.Acquire(context.Background(), "")
		if err != nil {
			t.Error(err)
		}
		got <- c
	}()
	in := func(state string) {
		t.Helper()
		require.Eventually(t, func() bool { return p.Values()[state] == 1 }, soon, time.Millisecond)
		sum := 0.0
		for _, n := range p.Values() {
			sum += n
		}
		require.Equal(t, 1.0, sum, "a connection is in one state")
	}
	in("connecting")
	close(greeted)
	c := <-got
	in("connected")
	p.Release(c)
	in("idle")
	p.Discard(acquire(t, p, ""))
	in("closed")
}
