package connpool

import (
	"context"
	"time"
)

func (p *Pool) expired(c *Conn) bool {
	return p.IdleTimeout > 0 && time.Since(p.IdleSince(c)) >= p.IdleTimeout
}

// tend checks the idle connections from time to time, until ctx is done.
func (p *Pool) tend(ctx context.Context) {
	ticker := time.NewTicker(p.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, c := range p.dropIdle(p.expired) {
			good := p.Check == nil || p.Check(c, ctx) == nil
			p.mu.Lock()
			p.put(c, good) // used is as it was: a check is no activity
			p.mu.Unlock()
		}
	}
}

// dropIdle takes all idle connections, closes those that are no more of use, and
// returns the others as those of no client.
func (p *Pool) dropIdle(useless func(*Conn) bool) (taken []*Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		if useless(c) {
			p.drop(c)
			continue
		}
		c.move(Connected)
		c.client = ""
		p.held[""]++
		taken = append(taken, c)
	}
	p.idle = nil
	p.wake()
	return taken
}

// CloseIdle closes the connections that are idle now. The pool can be used on.
func (p *Pool) CloseIdle() {
	p.dropIdle(func(*Conn) bool { return true })
}

// Close gives out no more connections, closes those that are idle, and each of the
// others when it is given back. It waits for that until ctx is done.
func (p *Pool) Close(ctx context.Context) error {
	p.stop()
	p.tending.Wait()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.CloseIdle()
	for {
		p.mu.Lock()
		open, freed := p.open(), p.freed
		p.mu.Unlock()
		if open == 0 {
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
