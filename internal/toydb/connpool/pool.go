// Package connpool is a connection pool to be read. It has what a pool needs and no
// more: limits in total and for each client, a deadline for the wait, health checks
// before use and at intervals, timeouts, and an orderly shutdown.
//
// It is read in this order: state.go has the states of a connection and the permitted
// transitions, pool.go how connections are acquired and given back within the limits,
// upkeep.go the cleanup and the shutdown, conn.go what is done with one connection.
package connpool

import (
	"context"
	"errors"
	"sync"
	"time"

	"socketlab/internal/toydb"
)

// Errors of Acquire.
var (
	// ErrExhausted is returned where no connection was free in time. The error wraps
	// that of the context, too.
	ErrExhausted = errors.New("connpool: all connections are in use")
	ErrClosed    = errors.New("connpool: the pool is closed")
)

// Pool is a pool of connections to one server. It is safe for concurrent use. The
// caller closes it.
type Pool struct {
	Config
	stop    context.CancelFunc
	tending sync.WaitGroup

	mu     sync.Mutex     // guards all below, and the state of each connection
	counts [5]int         // connections by state
	idle   []*Conn        // the last used is the last
	held   map[string]int // by client, those that are Connecting or Connected
	freed  chan struct{}  // closed, and replaced, when there is room again
	closed bool
}

// New returns a pool without connections.
func New(c Config) *Pool {
	if c.IdleSince == nil {
		c.IdleSince = (*Conn).LastUsed
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Pool{Config: c, stop: stop, held: map[string]int{}, freed: make(chan struct{})}
	if c.Every > 0 {
		p.tending.Go(func() { p.tend(ctx) })
	}
	return p
}

// Acquire returns an idle connection that is healthy, or a new one, or waits for one.
// The caller gives it back by Release, or by Discard after an error.
func (p *Pool) Acquire(ctx context.Context, client string) (*Conn, error) {
	wait, cancel := within(ctx, p.Wait)
	defer cancel()
	for {
		c, freed, err := p.take(client)
		switch {
		case err != nil:
			return nil, err
		case c == nil:
			select {
			case <-freed:
			case <-wait.Done():
				return nil, errors.Join(ErrExhausted, wait.Err())
			}
		case c.db == nil:
			return p.connect(ctx, c)
		case !p.expired(c) && (p.Check == nil || p.Check(c, ctx) == nil):
			return c, nil
		default:
			p.Discard(c)
		}
	}
}

// take takes an idle connection, or begins one where there is room for it: it counts
// before it is dialled, so that others find it counted. Else freed is closed when it
// may be worth another try.
func (p *Pool) take(client string) (c *Conn, freed <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch n := len(p.idle); {
	case p.closed:
		return nil, nil, ErrClosed
	case p.PerClient > 0 && p.held[client] >= p.PerClient:
		return nil, p.freed, nil
	case n > 0:
		c, p.idle = p.idle[n-1], p.idle[:n-1]
		c.move(Connected)
	case p.Size > 0 && p.open() >= p.Size:
		return nil, p.freed, nil
	default:
		c = &Conn{pool: p, created: time.Now()}
		p.counts[Connecting]++
	}
	c.client = client
	p.held[client]++
	return c, nil, nil
}

func (p *Pool) connect(ctx context.Context, c *Conn) (*Conn, error) {
	ctx, cancel := within(ctx, p.ConnectTimeout)
	defer cancel()
	db, err := toydb.Open(ctx, p.Addr)
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.db = db; err == nil && p.closed {
		err = ErrClosed
	}
	if err != nil {
		p.put(c, false)
		return nil, err
	}
	c.move(Connected)
	return c, nil
}

// Release gives a connection back that is as good as before.
func (p *Pool) Release(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.used = time.Now()
	p.put(c, p.MaxRequests == 0 || c.requests < p.MaxRequests)
}

// Discard closes a connection in place of giving it back.
func (p *Pool) Discard(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(c, false)
}

// put takes a connection from its client, and keeps it as idle or drops it. The caller
// holds mu.
func (p *Pool) put(c *Conn, keep bool) {
	if p.held[c.client]--; p.held[c.client] == 0 {
		delete(p.held, c.client)
	}
	if keep && !p.closed {
		c.move(Idle)
		p.idle = append(p.idle, c)
	} else {
		p.drop(c)
	}
	p.wake()
}

// drop closes a connection. The caller holds mu; Close of a socket does not block.
func (p *Pool) drop(c *Conn) {
	c.move(Closing)
	if c.db != nil {
		c.db.Close()
	}
	c.move(Closed)
}

// wake lets those that wait try again. The caller holds mu.
func (p *Pool) wake() {
	close(p.freed)
	p.freed = make(chan struct{})
}

// open is how many connections are not Closed. The caller holds mu.
func (p *Pool) open() int {
	return p.counts[Connecting] + p.counts[Connected] + p.counts[Idle]
}
