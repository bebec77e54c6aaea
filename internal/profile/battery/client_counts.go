package battery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"socketlab/internal/profile"
)

// after is how long after the last answer it is counted what is left.
const after = time.Second

// raceTries is how often bodies are left unread: in some clients their end and the close race,
// and a connection more is opened where the close comes first. The fewest count.
const raceTries = 3

// clientExperiments are all, the ones that wait longest first.
func clientExperiments() []experiment {
	calls := func(name, opened, left string, react reaction, env ...string) experiment {
		e := experiment{name: name, asks: []string{opened, left}, env: env, run: func(t *trial) error { return t.sequential(opened, left, react) }}
		if opened == "" {
			e.asks = e.asks[1:]
		}
		return e
	}
	needs := func(a Ability, e experiment) experiment { e.needs = a; return e }
	all := []experiment{
		{name: "an idle connection", asks: []string{"idle_close", "idle_close_shortest", "idle_closed_by", "tcp_keepalive", "user_timeout"}, reuses: true, run: (*trial).idle},
		{name: "an answer that stalls", asks: []string{"headers_stalled"}, run: func(t *trial) error {
			return t.stalled("headers_stalled", func(c *conn, _ *http.Request) error { return untilEnd(c) })
		}},
		{name: "a body that stalls", asks: []string{"body_stalled"}, run: func(t *trial) error {
			half := answer("HTTP/1.1 200 OK", 32<<10, 16<<10)
			return t.stalled("body_stalled", func(c *conn, r *http.Request) error {
				if err := half(c, r); err != nil {
					return err
				}
				return untilEnd(c)
			})
		}},
		{name: "a connect that stalls", asks: []string{"connect_stalled"}, run: (*trial).connectStalled},
		{name: "a changed address", asks: []string{"dns_change"}, run: (*trial).dnsChange},
		{name: "Keep-Alive: timeout=2", asks: []string{"honours_hint"}, reuses: true, run: (*trial).hint},
		calls("20 calls, one after the other", "opened_sequential", "left_sequential", reaction{}),
		{name: "20 calls at once", asks: []string{"opened_parallel", "left_parallel"}, run: (*trial).parallel},
		needs(Unclosed, calls("1 KiB unclosed", "opened_unclosed_small", "left_unclosed_small", reaction{answer: body(1 << 10)}, "SOCKETLAB_BODY=unclosed")),
		needs(Unclosed, calls("1 MiB unclosed", "opened_unclosed_large", "left_unclosed_large", reaction{answer: body(1 << 20)}, "SOCKETLAB_BODY=unclosed")),
		needs(New, calls("a new client for each call", "", "new_client_left", reaction{}, "SOCKETLAB_CLIENT=new")),
		needs(Closed, calls("a new client, closed", "", "new_client_closed_left", reaction{}, "SOCKETLAB_CLIENT=closed")),
		{name: "redirects", asks: []string{"redirect_opened", "redirect_left"}, run: func(t *trial) error { return t.redirects("redirect", 16) }},
		{name: "redirects of 64 KiB", asks: []string{"redirect_large_opened", "redirect_large_left"}, run: func(t *trial) error { return t.redirects("redirect_large", 64<<10) }},
		{name: "Connection: close", asks: []string{"connection_close_honoured"}, reuses: true, run: func(t *trial) error {
			return t.toldToClose("connection_close_honoured", "yes", body(16, "Connection: close"))
		}},
		{name: "HTTP/1.0", asks: []string{"http10_reused"}, reuses: true, run: func(t *trial) error {
			return t.toldToClose("http10_reused", "closes", answer("HTTP/1.0 200 OK", 16, 16))
		}},
		{name: "a proxy", asks: []string{"proxy_used"}, run: (*trial).proxy},
		{name: "a refused connection", asks: []string{"refused"}, run: (*trial).refused},
		{name: "a reset connection", asks: []string{"reset", "reset_tries"}, run: (*trial).reset},
	}
	for range raceTries {
		all = append(all,
			needs(Unread, calls("1 KiB unread", "opened_unread_small", "left_unread_small", reaction{answer: body(1 << 10)}, "SOCKETLAB_BODY=unread")),
			needs(Unread, calls("1 MiB unread", "opened_unread_large", "left_unread_large", reaction{answer: body(1 << 20)}, "SOCKETLAB_BODY=unread")),
		)
	}
	return slices.Concat(all, closedExperiments(), h2Experiments())
}

// untilEnd sends nothing more until the connection ends.
func untilEnd(c *conn) error {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	return io.EOF
}

// sequential makes the calls one after the other, and counts the connections. What an
// empty name would have is not entered.
func (t *trial) sequential(opened, left string, react reaction) error {
	if err := t.start(); err != nil {
		return err
	}
	t.server.set(react)
	for range perBattery {
		if err := t.ok(); err != nil {
			return err
		}
	}
	return t.counted(opened, left, perBattery)
}

// counted enters what was opened and, a second later, what is left. requests is how many
// must have come.
func (t *trial) counted(opened, left string, requests int) error {
	n, err := t.lookAfter(after)
	if err != nil {
		return err
	}
	if n.requests < requests {
		return fmt.Errorf("%d requests came, not %d", n.requests, requests)
	}
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	if before, has := t.b.profile.Value(opened); has && before.Number <= n.opened {
		return nil // see raceTries
	}
	if opened != "" {
		t.setLocked(opened, profile.Counted(n.opened), fmt.Sprintf("%d requests", n.requests))
	}
	t.setLocked(left, profile.Counted(n.open), ends(n))
	return nil
}

// ends says how the connections were ended that are not open.
func ends(n counts) string {
	how := map[string]int{}
	for _, c := range n.conns {
		how[c.how]++
	}
	return fmt.Sprintf("%d ended by FIN, %d by RST", how["FIN"], how["RST"])
}

// idle makes one call, looks at its socket, and waits until the client has closed the
// connection.
func (t *trial) idle() error {
	if err := t.start(); err != nil {
		return err
	}
	if err := t.ok(); err != nil {
		return err
	}
	t.socketOptions()
	limit, stop := t.limit(t.b.Wait)
	defer stop()
	var n counts
	t.aside(func() { n = t.server.until(limit, func(n counts) bool { return n.open == 0 }) })
	if t.ctx.Err() != nil {
		return t.ctx.Err()
	}
	if n.open > 0 {
		t.set("idle_close", profile.LongerThan(t.b.Wait), fmt.Sprintf("%d open", n.open))
		t.b.miss([]string{"idle_close_shortest"}, "it did not close the connection")
		t.set("idle_closed_by", profile.Chosen("neither"))
		return nil
	}
	c := n.conns[0]
	if c.ours {
		return errors.New("it asks the server to close, and waits for that")
	}
	took := c.ended.Sub(c.answered)
	if n.all[0].close || took < atOnce {
		took = 0
	}
	t.set("idle_closed_by", profile.Chosen("client"))
	times := []time.Duration{took}
	if took > 0 && took < t.b.Wait/2 {
		more, err := t.idleAgain()
		if err != nil {
			return err
		}
		times = append(times, more...)
	}
	slices.Sort(times)
	var seen []string
	for _, d := range times {
		seen = append(seen, fmt.Sprintf("%.3f s", d.Seconds()))
	}
	t.set("idle_close", profile.Took(times[max(0, len(times)-2)]), append(seen, c.how)...) // as of idle_timeout
	t.set("idle_close_shortest", profile.Took(times[0]), seen...)
	return nil
}

// idleAgain measures the idle time with more processes of the program. Each makes a second
// call at another moment after the first: a client that looks at intervals for what is idle begins to
// do so with its first connection.
func (t *trial) idleAgain() ([]time.Duration, error) {
	const more, apart = 5, 830 * time.Millisecond // as good as evenly over looks each 0.5, 1 and 5 s
	times := make([]time.Duration, more)
	var err error
	t.aside(func() {
		g, ctx := errgroup.WithContext(t.ctx)
		for i := range more {
			g.Go(func() error {
				select {
				case t.b.slots <- struct{}{}:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
				other := &trial{b: t.b, ctx: ctx, env: t.env}
				defer func() { other.end(); <-t.b.slots }()
				var err error
				times[i], err = other.idleOnce(apart * time.Duration(i+1))
				return err
			})
		}
		err = g.Wait()
	})
	return times, err
}

// idleOnce is the time after which a connection is closed that had its last call so long
// after the first.
func (t *trial) idleOnce(later time.Duration) (time.Duration, error) {
	if err := t.start(); err != nil {
		return 0, err
	}
	if err := t.ok(); err != nil {
		return 0, err
	}
	if err := t.pause(later); err != nil {
		return 0, err
	}
	if err := t.ok(); err != nil {
		return 0, err
	}
	limit, stop := t.limit(t.b.Wait)
	defer stop()
	var n counts
	t.aside(func() { n = t.server.until(limit, func(n counts) bool { return n.open == 0 }) })
	if t.ctx.Err() != nil {
		return 0, context.Cause(t.ctx)
	}
	if n.open > 0 {
		return t.b.Wait, nil
	}
	last := n.conns[0]
	for _, c := range n.conns {
		if c.ended.After(last.ended) {
			last = c
		}
	}
	return last.ended.Sub(last.answered), nil
}

// socketOptions enters what the client has set on a connection that is idle.
func (t *trial) socketOptions() {
	asks := []string{"tcp_keepalive", "user_timeout"}
	for _, c := range t.server.look().conns {
		if !c.ended.IsZero() {
			continue
		}
		o, err := optionsOf(t.program.group, c.RemoteAddr())
		if err != nil {
			t.b.miss(asks, err.Error())
			return
		}
		keepalive, timeout := profile.IsNever(), profile.IsNever()
		if o.keepalive {
			keepalive = profile.Took(o.idle)
		}
		if o.userTimeout > 0 {
			timeout = profile.Took(o.userTimeout)
		}
		t.set("tcp_keepalive", keepalive, fmt.Sprintf("then every %s, %d probes", o.interval, o.probes))
		t.set("user_timeout", timeout)
		return
	}
	t.b.miss(asks, "no connection stays open")
}

// errOneAtATime says why calls at once are not measured. By its requests alone the one is
// not told from the other.
var errOneAtATime = errors.New("COMMAND makes one call at a time, or all on one connection")

// parallel makes the calls all at once.
func (t *trial) parallel() error {
	if err := t.start(); err != nil {
		return err
	}
	const delay = time.Second // a busy machine needs a while to begin all of them
	slow := body(16)
	// A program that makes one call at a time makes the next as soon as it has an answer: a
	// request is over before its answer is written. So does one that has all its calls wait
	// for one connection.
	var mu sync.Mutex
	var busy, most int
	t.server.set(reaction{answer: func(c *conn, r *http.Request) error {
		mu.Lock()
		busy++
		most = max(most, busy)
		mu.Unlock()
		time.Sleep(delay) // that is how long an answer takes
		mu.Lock()
		busy--
		mu.Unlock()
		return slow(c, r)
	}})
	var answers []<-chan string
	for range perBattery {
		answer, err := t.program.ask()
		if err != nil {
			return err
		}
		answers = append(answers, answer)
	}
	asked := time.Now()
	for _, answer := range answers {
		r, err := t.program.wait(t.ctx, asked, answer)
		if err == nil && !r.OK {
			err = fmt.Errorf("a call is reported as %s", r)
		}
		if err != nil {
			return err
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if most == 1 {
		return errOneAtATime
	}
	return t.counted("opened_parallel", "left_parallel", perBattery)
}

// redirects makes calls that are each redirected once, with a body of n bytes.
func (t *trial) redirects(name string, n int) error {
	if err := t.start(); err != nil {
		return err
	}
	last, to := body(16), answer("HTTP/1.1 302 Found", n, n, "Location: "+"http://"+t.server.addr()+"/redirected")
	t.server.set(reaction{answer: func(c *conn, r *http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/redirected") {
			return last(c, r)
		}
		return to(c, r)
	}})
	for range perBattery {
		before := t.server.look().requests
		r, err := t.call()
		if err != nil {
			return err
		}
		if t.server.look().requests == before+1 {
			return errors.New("COMMAND does not follow redirects")
		}
		if !r.OK {
			return fmt.Errorf("a call that was redirected is reported as %s", r)
		}
	}
	return t.counted(name+"_opened", name+"_left", 2*perBattery)
}
