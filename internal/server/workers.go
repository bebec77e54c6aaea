package server

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// clock counts from the first connection.
type clock struct {
	first sync.Once
	mu    sync.Mutex
	began time.Time
}

func (c *clock) start() {
	c.first.Do(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.began = time.Now()
	})
}

// since returns the time since the first connection; 0 before it.
func (c *clock) since() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.began.IsZero() {
		return 0
	}
	return time.Since(c.began)
}

// acquireWorker waits until one of the workers is free for a request. It reports false
// when the client left before; else the caller calls done after its answer.
// Requests have their turn as they came: those that wait to send on a channel
// stand in a line (waitq in runtime/chan.go).
func (s *Server) acquireWorker(ctx context.Context) (done func(), ok bool) {
	if s.workers == nil {
		return func() {}, true
	}
	select {
	case s.workers <- struct{}{}:
		return func() { <-s.workers }, true
	case <-ctx.Done():
		return nil, false
	}
}

// wait waits for the delay, and reports false when the client left before.
func (s *Server) wait(ctx context.Context) bool {
	b := s.cfg.Behaviour
	if b.NoResponse {
		<-ctx.Done()
		return false
	}
	if !s.resumed(ctx) {
		return false
	}
	delay := b.Delay.D()
	if b.Jitter > 0 {
		delay += rand.N(b.Jitter.D() + 1)
	}
	if delay <= 0 {
		return ctx.Err() == nil
	}
	return pause(ctx, delay) && s.resumed(ctx)
}

// resumed waits until the server is not in its pause, and reports false when
// the client left before.
func (s *Server) resumed(ctx context.Context) bool {
	b, now := s.cfg.Behaviour, s.clock.since()
	if b.PauseFor <= 0 || now < b.PauseAfter.D() {
		return true
	}
	end := b.PauseAfter.D() + b.PauseFor.D()
	return now >= end || pause(ctx, end-now)
}

// pause waits, and reports false when ctx was done before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
