package server

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"socketlab/internal/scenario"
)

// requestKeys are the keys of every protocol that has requests.
var requestKeys scenario.KeySet

// Some keys of requests. DelayKey and JitterKey give the time that a response
// takes.
var (
	DelayKey = scenario.NewKey[scenario.Duration](&requestKeys, scenario.Key{
		Name: "delay", Flag: scenario.Duration(20 * time.Second),
		Text: "wait this long before each response",
	})
	JitterKey = scenario.NewKey[scenario.Duration](&requestKeys, scenario.Key{
		Name: "jitter", Text: "add a random time up to this to each delay",
	})
	WorkersKey = scenario.NewKey[int](&requestKeys, scenario.Key{
		Name: "workers", Text: "work on this many requests at a time, while the others wait; 0 for no limit",
	})
	PauseAfterKey = scenario.NewKey[scenario.Duration](&requestKeys, scenario.Key{
		Name: "pause_after", Needs: "pause_for", Text: "after this time respond to nothing, for the time of {pause_for}",
	})
	PauseForKey = scenario.NewKey[scenario.Duration](&requestKeys, scenario.Key{
		Name: "pause_for", Needs: "pause_after",
		Text: "how long the pause of {pause_after} lasts",
	})
	NoResponseKey = scenario.NewKey[bool](&requestKeys, scenario.Key{
		Name: "no_response", Text: "accept requests and never respond to them",
	})
)

// MeanDelay is how long a server waits before a response, on average.
func MeanDelay(b scenario.Server) time.Duration {
	return DelayKey.Of(b).D() + JitterKey.Of(b).D()/2
}

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
func (s *Server) wait(ctx context.Context) bool { return until(ctx, s.due()) }

// never is the time of an answer that is not given.
var never = time.Unix(1<<40, 0)

// delays are the times that a response takes, looked up once for all of them.
type delays struct {
	never                    bool
	delay, jitter            time.Duration
	pauseBegins, pauseLength time.Duration
}

func delaysOf(b scenario.Server) delays {
	return delays{
		never: NoResponseKey.Of(b), delay: DelayKey.Of(b).D(), jitter: JitterKey.Of(b).D(),
		pauseBegins: PauseAfterKey.Of(b).D(), pauseLength: PauseForKey.Of(b).D(),
	}
}

// due returns the time at which an answer that is begun now is due; the zero time is at
// once.
func (s *Server) due() time.Time {
	d := s.delays
	switch {
	case d == (delays{}):
		return time.Time{}
	case d.never:
		return never
	}
	delay := d.delay
	if d.jitter > 0 {
		delay += rand.N(d.jitter + 1)
	}
	// resumed is the time, since the first connection, at which the server is not in
	// its pause.
	resumed := func(at time.Duration) time.Duration {
		if at < d.pauseBegins || at >= d.pauseBegins+d.pauseLength {
			return at
		}
		return d.pauseBegins + d.pauseLength
	}
	now := s.clock.since()
	return time.Now().Add(resumed(resumed(now)+delay) - now)
}

// until waits until a time, and reports false when ctx was done before.
func until(ctx context.Context, at time.Time) bool {
	switch {
	case at.IsZero():
	case at.Equal(never):
		<-ctx.Done()
	default:
		if d := time.Until(at); d > 0 {
			return pause(ctx, d)
		}
	}
	return ctx.Err() == nil
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
