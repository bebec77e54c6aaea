package connpool

import (
	"context"
	"time"

	"socketlab/internal/toydb"
)

// Conn is a connection of a pool. Who has acquired it uses it from one goroutine at a
// time, and gives it back by Release or Discard.
type Conn struct {
	pool    *Pool
	created time.Time

	// These are of who has the connection, and of who holds the pool's mu while it is idle.
	db       *toydb.Conn // set while Connecting
	used     time.Time   // the last activity: the end of the last query
	requests int

	// The pool's mu guards these.
	client string
	state  State
}

// Query sends a query and returns its row, within the pool's times for writing and
// reading. After an error the connection is to be discarded.
func (c *Conn) Query(ctx context.Context, query string) (string, error) {
	c.requests++
	return c.ask(ctx, query)
}

// Ping asks the server for a sign of life.
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.ask(ctx, "SELECT 1")
	return err
}

// Look looks at the socket, without a word to the server: what the server has closed
// is an error, and a server that hangs is not noticed.
func (c *Conn) Look(context.Context) error { return c.db.Check() }

func (c *Conn) ask(ctx context.Context, query string) (string, error) {
	if limit := c.pool.WriteTimeout; limit > 0 {
		if err := c.db.SetWriteDeadline(time.Now().Add(limit)); err != nil {
			return "", err
		}
	}
	ctx, cancel := within(ctx, c.pool.ReadTimeout)
	defer cancel()
	return c.db.Query(ctx, query)
}

// Created returns when the connection was begun.
func (c *Conn) Created() time.Time { return c.created }

// LastUsed returns when the connection was last given back after use. It is for
// [Config.IdleSince].
func (c *Conn) LastUsed() time.Time { return c.used }

// within is context.WithTimeout, where 0 is no limit.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}
