package poolcountsafterdial

import (
	"context"
	"sync"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// pool is a pool of connections without the way to get one: each side has its own.
type pool struct {
	addr  string
	size  int
	mu    sync.Mutex // guards idle and open
	freed *sync.Cond // of mu: there is a connection, or room for one
	idle  []*toydb.Conn
	open  int
}

func newPool(t loadgen.Target) *pool {
	p := &pool{addr: t.Addr, size: 5}
	p.freed = sync.NewCond(&p.mu)
	return p
}

// query looks one ticket up on a connection that acquire gives.
func (p *pool) query(ctx context.Context, acquire func(context.Context) (*toydb.Conn, error)) error {
	conn, err := acquire(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Query(ctx, "SELECT price FROM tickets")
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.freed.Signal()
	if err != nil {
		p.open--
		conn.Close()
		return err
	}
	p.idle = append(p.idle, conn)
	return nil
}
