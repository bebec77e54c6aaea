package cleaneofafterreset

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync"

	"socketlab/internal/loadgen"
)

// fixed exports orders from the database.
type fixed struct {
	addr string
	mu   sync.Mutex // one export at a time
	exported
}

// NewFixed returns an exporter of orders.
func NewFixed(t loadgen.Target) loadgen.Caller { return &fixed{addr: t.Addr} }

// Call exports 12 rows. The server closes the connection after the last.
func (c *fixed) Call(ctx context.Context) error {
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
	if err = lines.Err(); err == nil && rows < 12 {
		err = io.ErrUnexpectedEOF
	}
	return c.ended(rows, err)
}
