package threadperconnection

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"socketlab/internal/loadgen"
)

// client keeps many connections, each of which is used now and then.
type client struct {
	addr  string
	conns int
	every time.Duration // between two exchanges of a connection

	mu    sync.Mutex
	times []time.Duration // of the exchanges
	open  chan struct{}   // closed once all connections had an exchange
}

// NewClient returns a client with a connection for each of pool_size, which ten
// requests open.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{addr: t.Addr, conns: t.PoolSize / 10, every: max(t.Every, time.Millisecond), open: make(chan struct{})}
}

// Call opens a tenth of the connections, and uses each six times: the first time at once,
// and then once all are open, so that the server has all of them at one time.
func (c *client) Call(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for range c.conns {
		all.Go(func() error { return c.use(ctx) })
	}
	return all.Wait()
}

func (c *client) use(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	every := time.NewTicker(c.every)
	defer every.Stop()
	message := make([]byte, 64)
	for n := range 6 {
		begun := time.Now()
		if _, err := conn.Write(message); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, message); err != nil {
			return err
		}
		c.mu.Lock()
		c.times = append(c.times, time.Since(begun))
		if len(c.times) == 10*c.conns {
			close(c.open)
		}
		c.mu.Unlock()
		if n == 0 {
			select {
			case <-c.open:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		<-every.C
	}
	return nil
}

// Values says how long an exchange takes: 99 of 100 at most this.
func (c *client) Values() map[string]float64 {
	c.mu.Lock()
	times := slices.Clone(c.times)
	c.mu.Unlock()
	if len(times) == 0 {
		return nil
	}
	slices.Sort(times)
	return map[string]float64{"exchange_p99_us": float64(times[len(times)*99/100].Microseconds())}
}
