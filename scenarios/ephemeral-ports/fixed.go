package ephemeralports

import (
	"context"
	"sync"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// fixed is a client of the order database.
type fixed struct {
	addr string
	mu   sync.Mutex // one query at a time
	conn *toydb.Conn
}

// NewFixed returns a client of the order database.
func NewFixed(t loadgen.Target) loadgen.Caller { return &fixed{addr: t.Addr} }

// Call looks one order up.
func (c *fixed) Call(ctx context.Context) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		if c.conn, err = toydb.Open(ctx, c.addr); err != nil {
			return err
		}
	}
	if _, err = c.conn.Query(ctx, "SELECT state FROM orders"); err != nil {
		c.conn.Close()
		c.conn = nil
	}
	return err
}
