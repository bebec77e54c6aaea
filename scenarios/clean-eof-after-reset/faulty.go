package cleaneofafterreset

import (
	"bufio"
	"context"
	"net"
	"sync"

	"socketlab/internal/loadgen"
)

// faulty exports orders from the database.
type faulty struct {
	addr string
	mu   sync.Mutex // one export at a time
	exported
}

// NewFaulty returns an exporter of orders.
func NewFaulty(t loadgen.Target) loadgen.Caller { return &faulty{addr: t.Addr} }

// Call exports 12 rows. The server closes the connection after the last.
func (c *faulty) Call(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	go ask(conn)
	lines, rows := bufio.NewScanner(conn), 0
	for lines.Scan() {
		rows += store(lines.Text())
	}
	return c.ended(rows, lines.Err())
}
