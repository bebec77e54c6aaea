package poolshutdownforgets

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

type fixed struct {
	calls atomic.Int64
	mu    sync.RWMutex // guards pool
	pool  *connpool.Pool
}

// NewFixed returns a client of the stock database, whose password changes at times.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{pool: connpool.New(connpool.Config{Addr: t.Addr, Every: t.Scaled(time.Second)})}
}

func (c *fixed) renew() {
	c.mu.Lock()
	go c.pool.Close(context.Background())
	c.pool = connpool.New(c.pool.Config)
	c.mu.Unlock()
}

// Call looks one article up. Every ninth time there is a new password.
func (c *fixed) Call(ctx context.Context) error {
	if c.calls.Add(1)%9 == 0 {
		c.renew()
	}
	c.mu.RLock()
	pool := c.pool
	conn, err := pool.Acquire(ctx, "web")
	c.mu.RUnlock()
	if err == nil {
		defer pool.Release(conn)
		_, err = conn.Query(ctx, "SELECT n FROM stock")
	}
	return err
}
