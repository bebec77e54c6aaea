package battery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"socketlab/internal/profile"
)

// hintWait is how long is waited for the end of a connection whose hint says 2 s.
const hintWait = 2500 * time.Millisecond

// hint sends Keep-Alive: timeout=2.
func (t *trial) hint() error {
	if err := t.start(); err != nil {
		return err
	}
	t.server.set(reaction{answer: body(16, "Connection: keep-alive", "Keep-Alive: timeout=2")})
	if err := t.ok(); err != nil {
		return err
	}
	limit, stop := t.limit(hintWait)
	defer stop()
	// In its place: what comes next must not be late.
	n := t.server.until(limit, func(n counts) bool { return n.opened > 0 && n.open == 0 })
	if n.all[0].close {
		return errKeepsNone
	}
	if n.open == 0 {
		took := n.conns[0].ended.Sub(n.conns[0].answered)
		if took < atOnce {
			// undici takes 2 s off the hint, and closes at once for it alone.
			t.server.set(reaction{})
			if err := t.ok(); err != nil {
				return err
			}
			if err := t.settle(); err != nil {
				return err
			}
			if t.server.look().open == 0 {
				return errKeepsNone
			}
		}
		t.set("honours_hint", profile.Chosen("yes"), fmt.Sprintf("closed after %.3fs", took.Seconds()))
		return nil
	}
	if err := t.settle(); err != nil {
		return err
	}
	open := t.server.look().open
	if err := t.ok(); err != nil {
		return err
	}
	if n := t.server.look(); n.opened > 1 && open > 0 {
		t.set("honours_hint", profile.Chosen("on_reuse"))
	} else {
		t.set("honours_hint", profile.Chosen("no"))
	}
	return nil
}

var errKeepsNone = errors.New("it keeps no connection")

// atOnce is how soon a connection ends that is not kept, also on a busy machine.
const atOnce = 700 * time.Millisecond

// toldToClose answers so that the connection should be closed, and does not close it.
func (t *trial) toldToClose(id, closes string, told func(*conn, *http.Request) error) error {
	if err := t.start(); err != nil {
		return err
	}
	t.server.set(reaction{answer: told})
	if err := t.ok(); err != nil {
		return err
	}
	then, err := t.lookAfter(after)
	if err != nil {
		return err
	}
	open := then.open
	if err := t.ok(); err != nil {
		return err
	}
	switch n := t.server.look(); {
	case n.opened < n.requests:
		t.set(id, profile.Chosen("reused"))
	case open > 0:
		t.set(id, profile.Chosen("keeps_open"))
	default:
		t.set(id, profile.Chosen(closes))
	}
	return nil
}

// trials is how often each of the closed connections is tried.
const trials = 3

// settle is how long after the end of a connection the next call is made, and how long
// after a call a request sent again may come.
const settle = 500 * time.Millisecond

// settle waits that long, in its place: other experiments do not come in between.
func (t *trial) settle() error {
	select {
	case <-time.After(settle):
		return nil
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	}
}

// errNotReused says that there is no connection to be closed under a call.
var errNotReused = errors.New("no connection is used again")

// closedExperiments are calls that meet a connection that is closed. Each has a process for
// itself, as libcurl repeats no more than five requests in the life of a handle.
func closedExperiments() []experiment {
	var all []experiment
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, kind := range []struct {
			name  string
			react reaction
		}{{"stale", reaction{}}, {"race", reaction{reset: true}}, {"read_then_closed", reaction{close: true}}} {
			id := kind.name + "_" + strings.ToLower(method)
			all = append(all, experiment{
				name: "a closed connection: " + id, asks: []string{id}, reuses: true, env: []string{"SOCKETLAB_METHOD=" + method},
				run: func(t *trial) error { return t.closedConnections(id, kind.react) },
			})
		}
	}
	return all
}

// closedConnections makes calls that each meet a connection that is closed.
func (t *trial) closedConnections(id string, react reaction) error {
	if err := t.start(); err != nil {
		return err
	}
	var seen, words []string
	for range trials {
		word, what, err := t.meetsClosed(react)
		if err != nil {
			return err
		}
		words, seen = append(words, word), append(seen, what)
	}
	if len(slices.Compact(words)) > 1 {
		return fmt.Errorf("differs from one trial to the next: %s", strings.Join(seen, "; "))
	}
	t.set(id, profile.Chosen(words[0]), seen...)
	return nil
}

// meetsClosed makes one call on a connection that is used again and closed: before, with
// the zero reaction.
func (t *trial) meetsClosed(react reaction) (word, seen string, err error) {
	t.server.set(reaction{})
	if err := t.ok(); err != nil {
		return "", "", err
	}
	before := t.server.look()
	if post := slices.Contains(t.env, "SOCKETLAB_METHOD=POST"); post && before.all[before.requests-1].method != http.MethodPost {
		return "", "", fmt.Errorf("COMMAND made a %s where SOCKETLAB_METHOD was POST", before.all[before.requests-1].method)
	}
	early := !react.reset && !react.close
	if early {
		if err := t.settle(); err != nil {
			return "", "", err
		}
		if t.server.closeIdle() == 0 {
			return "", "", errNotReused
		}
		if err := t.settle(); err != nil {
			return "", "", err
		}
	}
	t.server.set(react)
	r, err := t.call()
	if err != nil {
		return "", "", err
	}
	if err := t.settle(); err != nil {
		return "", "", err
	}
	now := t.server.look()
	sent := now.requests - before.requests
	if react.reset { // those were not read
		sent += ours(now) - ours(before)
	}
	if !early && ours(now) == ours(before) {
		return "", "", errNotReused
	}
	seen = fmt.Sprintf("%s, sent %d times, %d new connections", r, sent, now.opened-before.opened)
	switch {
	case r.OK && sent == 1:
		word = "new_connection"
	case r.OK && sent > 1:
		word = "sent_twice"
	case r.OK:
		return "", "", errors.New("reported ok, and nothing was sent")
	case sent > 1:
		word = "error_after_repeats"
	default:
		word = "error"
	}
	return word, seen, nil
}

// ours counts the connections that we ended.
func ours(n counts) int {
	k := 0
	for _, c := range n.conns {
		if c.ours {
			k++
		}
	}
	return k
}

// fails makes calls that must fail, and enters how long they take: the shortest of three,
// or the first if that is more than 2 s.
func (t *trial) fails(id string, count func() int, tries string) error {
	var took []time.Duration
	var seen []string
	var counts []int
	for range trials {
		before := count()
		r, err := t.callWithin(t.b.Wait)
		if err != nil {
			return err
		}
		if r == nil {
			t.set(id, profile.LongerThan(t.b.Wait))
			return nil
		}
		if r.OK {
			return errors.New("reported ok, and no whole answer was sent: does COMMAND look at the error of reading the body?")
		}
		took, seen, counts = append(took, r.Took), append(seen, fmt.Sprintf("%s after %.3fs", r, r.Took.Seconds())), append(counts, count()-before)
		if r.Took > 2*time.Second {
			break
		}
	}
	// What other processes take of the machine only ever makes it longer.
	t.set(id, profile.Took(t.inside(slices.Min(took))), seen...)
	if tries != "" {
		slices.Sort(counts)
		t.set(tries, profile.Counted(counts[len(counts)/2]), fmt.Sprint(counts))
	}
	return nil
}

// inside is the time of a call without that of starting the program, where each call
// starts it.
func (t *trial) inside(d time.Duration) time.Duration {
	if !t.b.once {
		return d
	}
	d -= t.b.startup
	if d < max(t.b.startup, 500*time.Millisecond) { // starting takes longer at one time than at another
		return 0
	}
	return d
}

// callWithin makes a call that may take so long; nil is a call that took longer.
func (t *trial) callWithin(d time.Duration) (*Result, error) {
	asked := time.Now()
	answer, err := t.program.ask()
	if err != nil {
		return nil, err
	}
	limit, stop := t.limit(d)
	defer stop()
	var text string
	var ok, over bool
	var took time.Duration
	t.aside(func() {
		select {
		case text, ok = <-answer:
			took = time.Since(asked)
		case <-limit:
			over = true
		}
	})
	switch {
	case t.ctx.Err() != nil:
		return nil, t.ctx.Err()
	case over:
		return nil, nil
	case !ok:
		return nil, errEnded
	}
	return &Result{OK: text == "ok", Error: text, Took: took}, nil
}

// warm starts the program and makes a call that ends its connection, so that what comes
// next has a connection of its own.
func (t *trial) warm() error {
	if err := t.start(); err != nil {
		return err
	}
	closing := body(16, "Connection: close")
	t.server.set(reaction{answer: func(c *conn, r *http.Request) error {
		if err := closing(c, r); err != nil {
			return err
		}
		return errClose
	}})
	if err := t.ok(); err != nil {
		return err
	}
	// The client reads the end of the connection too.
	return t.settle()
}

func (t *trial) stalled(id string, stall func(*conn, *http.Request) error) error {
	if err := t.warm(); err != nil {
		return err
	}
	t.server.set(reaction{answer: stall})
	return t.fails(id, func() int { return 0 }, "")
}

func (t *trial) refused() error {
	if err := t.warm(); err != nil {
		return err
	}
	if err := stopListening(t.server.listener); err != nil {
		return err
	}
	return t.fails("refused", func() int { return 0 }, "")
}

func (t *trial) reset() error {
	if err := t.warm(); err != nil {
		return err
	}
	t.server.set(reaction{reset: true, always: true})
	return t.fails("reset", func() int { return t.server.look().opened }, "reset_tries")
}
