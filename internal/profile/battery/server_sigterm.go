package battery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"socketlab/internal/profile"
)

// A request on an idle connection comes soon after SIGTERM, and where that is too soon once
// more, while the request of before is under way.
const (
	underWay   = 300 * time.Millisecond
	afterWards = 300 * time.Millisecond
	// restAfter is when the rest of a body follows. As with the slow path, the request is
	// under way for longer than momentary after SIGTERM.
	restAfter = 1700 * time.Millisecond
	// promptly is how long a process takes to end on a busy machine that does not wait for
	// anything.
	promptly = 1500 * time.Millisecond
)

func (r *serverRun) sigtermMissed(why string) {
	r.miss(why, "sigterm_request", "sigterm_idle", "sigterm_newcomer", "sigterm_exit")
}

// sigterm sends SIGTERM to an instance that has a request under way and connections that
// are idle.
func (r *serverRun) sigterm(ctx context.Context, i *Instance) error {
	idle, idleErr := r.idle(ctx, i.Addr)
	if idle != nil {
		defer idle.Close()
	}
	second := (*probe)(nil) // none where the server serves few connections at once
	if idle != nil {
		if second, _ = r.idle(ctx, i.Addr); second != nil {
			defer second.Close()
		}
	}
	c, rest, err := r.longRequest(ctx, i.Addr)
	if err != nil && second != nil { // it may have been one connection too many
		_ = second.Close()
		second = nil
		c, rest, err = r.longRequest(ctx, i.Addr)
	}
	if err != nil {
		r.sigtermMissed(reason(err))
		return ctx.Err()
	}
	defer c.Close()
	if err := i.Terminate(); err != nil {
		r.sigtermMissed("SIGTERM: " + reason(err))
		return nil
	}
	at := time.Now()
	over := make(chan time.Duration, 1)
	go func() {
		<-i.Ended
		over <- time.Since(at)
	}()
	answered := make(chan string, 1)
	var settled time.Duration // of the request
	go func() {
		how := r.finish(ctx, c, rest)
		settled = time.Since(at)
		answered <- how
	}()
	newcomers, turned := make(chan []meeting, 1), make(chan struct{})
	go func() { newcomers <- meetings(ctx, i, at.Add(r.patience()), sync.OnceFunc(func() { close(turned) })) }()
	if idleErr != nil {
		r.miss(idleErr.Error(), "sigterm_idle")
	} else if err := r.askIdle(ctx, idle, second, at, turned); err != nil {
		return err
	}
	if how := <-answered; how == "" {
		r.set("sigterm_request", profile.Chosen("answered"))
	} else {
		r.set("sigterm_request", profile.Chosen("cut"), how)
	}
	all := <-newcomers
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.set("sigterm_newcomer", profile.Chosen(steps(all)...), texts(all, at)...)
	give := time.NewTimer(time.Until(at.Add(r.patience())))
	defer give.Stop()
	select {
	case after := <-over:
		value := profile.Took(after)
		if after-settled < promptly {
			value = profile.Took(0)
		}
		r.set("sigterm_exit", value, fmt.Sprintf("%.1f s after SIGTERM, %.1f s after the end of the request", after.Seconds(), (after-settled).Seconds()))
	case <-give.C:
		r.set("sigterm_exit", profile.LongerThan(r.patience()))
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// askIdle sends a request on an idle connection. A process may need a while to handle
// SIGTERM: what is served before new connections are turned away is no answer, and a second
// idle connection is asked after that, or at the end of that while. It is not the same one
// again, as servers that shut down close a connection with its next answer. turned is closed
// once a new connection was turned away.
func (r *serverRun) askIdle(ctx context.Context, first, second *probe, at time.Time, turned <-chan struct{}) error {
	var seen []string
	for _, idle := range []*probe{first, second} {
		if idle == nil {
			break
		}
		if !pause(ctx, afterWards) {
			return ctx.Err()
		}
		handled := false
		select {
		case <-turned:
			handled = true
		default:
		}
		asked := time.Since(at)
		if _, err := idle.roundTrip(time.Now().Add(5*time.Second), "GET", "/"); err != nil {
			r.set("sigterm_idle", profile.Chosen("closed"), append(seen, fmt.Sprintf("%.3f s: %s", asked.Seconds(), reason(err)))...)
			return nil
		}
		seen = append(seen, fmt.Sprintf("served %.3f s", asked.Seconds()))
		if handled {
			break
		}
		wait := time.NewTimer(time.Until(at.Add(momentary - afterWards)))
		select {
		case <-turned:
		case <-wait.C:
		case <-ctx.Done():
		}
		wait.Stop()
	}
	r.set("sigterm_idle", profile.Chosen("served"), seen...)
	return nil
}

// idle opens a connection with one answered request.
func (r *serverRun) idle(ctx context.Context, addr string) (*probe, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	a, err := c.roundTrip(time.Now().Add(soon), "GET", "/")
	if err == nil && a.Close {
		err = errAtOnce
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// longRequest begins a request that is under way for a while: of the slow path or, where
// that is answered at once, one whose body is not whole. rest is what is still to be
// sent.
func (r *serverRun) longRequest(ctx context.Context, addr string) (c *probe, rest string, err error) {
	for _, request := range []struct {
		method, path, part, rest string
		fields                   []string
	}{
		{method: "GET", path: r.Slow},
		{method: "POST", path: r.Read, fields: []string{"Content-Length: 1000"}, part: pad(10), rest: pad(990)},
	} {
		if c, err = dial(ctx, addr); err != nil {
			return nil, "", err
		}
		if err = c.send(c.head(request.method, request.path, "1.1", request.fields...) + request.part); err == nil {
			_ = c.SetReadDeadline(time.Now().Add(underWay))
			if _, err = c.r.Peek(1); err != nil && howEnded(err) == open {
				return c, request.rest, nil
			}
		}
		_ = c.Close()
	}
	return nil, "", fmt.Errorf("no request can be kept under way: GET %s and POST %s are answered at once; give a path that takes 2 s or more with --slow", r.Slow, r.Read)
}

// finish sends what is left of a request and reads its answer. It returns "" or how it
// was cut.
func (r *serverRun) finish(ctx context.Context, c *probe, rest string) string {
	if rest != "" {
		if !pause(ctx, restAfter) {
			return "interrupted"
		}
		if err := c.send(rest); err != nil {
			return reason(err)
		}
	}
	if _, err := c.receive(time.Now().Add(2 * soon)); err != nil {
		return reason(err)
	}
	return ""
}

// askAgain is how soon a new connection follows the one before. What new connections get
// for less than momentary is left out: it differs from one run to the next, as a process needs
// 1 to 100 ms to handle SIGTERM, and a JVM on a busy machine 330 ms. Servers that listen on until
// the request under way has ended do so for 1.6 s and longer.
const (
	askAgain  = 20 * time.Millisecond
	momentary = time.Second
)

// askBeside is how soon the next one follows one that has no answer yet: what a connection
// gets that has waited says nothing of those that came meanwhile. As none waits for more than
// 10 s, there are at most 50 at once.
const askBeside = 200 * time.Millisecond

// meeting is what new connections got that came one after the other, with the same
// outcome. It begins with the first of them and ends where the next meeting begins.
type meeting struct {
	what       string
	begin, end time.Time
}

// meetings makes new connections until one is refused, or the deadline. Once the process is
// over, others of its processes may listen on: it is given up a moment later. turned is
// called with each that was not served.
func meetings(ctx context.Context, i *Instance, deadline time.Time, turned func()) []meeting {
	var each []meeting // of one connection
	met, waiting, over := make(chan meeting), 0, false
	next := time.Now()
	for ended := i.Ended; ; {
		over = over || ctx.Err() != nil || time.Now().After(deadline)
		if over && waiting == 0 {
			return together(each)
		}
		if !over && !time.Now().Before(next) {
			waiting++
			next = time.Now().Add(askBeside)
			go func() {
				begin := time.Now()
				what := meets(ctx, i.Addr)
				met <- meeting{what: what, begin: begin, end: time.Now()}
			}()
		}
		var due <-chan time.Time
		if !over {
			due = time.After(time.Until(next))
		}
		select {
		case m := <-met:
			waiting--
			each = append(each, m)
			next = time.Now().Add(askAgain)
			over = over || m.what == refused
			if m.what != served {
				turned()
			}
		case <-ended:
			ended, deadline = nil, time.Now().Add(momentary)
		case <-due:
		}
	}
}

// together makes one meeting of those that follow each other with the same outcome.
func together(each []meeting) []meeting {
	slices.SortFunc(each, func(a, b meeting) int { return a.begin.Compare(b.begin) })
	var all []meeting
	for _, m := range each {
		if n := len(all); n > 0 && all[n-1].what == m.what {
			all[n-1].end = m.end
			continue
		} else if n > 0 {
			all[n-1].end = m.begin
		}
		all = append(all, m)
	}
	return all
}

// steps are the outcomes of more than a moment in the order in which they came first, and the
// last one.
func steps(all []meeting) []string {
	lasted := map[string]time.Duration{}
	for _, m := range all {
		lasted[m.what] += m.end.Sub(m.begin)
	}
	var words []string
	for i, m := range all {
		if last := i == len(all)-1; (last || lasted[m.what] >= momentary) && !slices.Contains(words, m.what) {
			words = append(words, m.what)
		}
	}
	return words
}

// texts says what new connections got, and when after SIGTERM.
func texts(all []meeting, sigterm time.Time) []string {
	var seen []string
	for _, m := range all {
		seen = append(seen, fmt.Sprintf("%s %.3f to %.3f s", m.what, m.begin.Sub(sigterm).Seconds(), m.end.Sub(sigterm).Seconds()))
	}
	return seen
}

// served is what a new connection gets that is answered, and refused where nothing listens.
const (
	served  = "served"
	refused = "refused"
)

// meets is what a new connection gets.
func meets(ctx context.Context, addr string) string {
	c, err := dial(ctx, addr)
	if err != nil {
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			return "no_answer"
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			return refused
		}
		return "reset"
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	a, err := c.roundTrip(time.Now().Add(5*time.Second), "GET", "/")
	switch {
	case err == nil && a.StatusCode == 503:
		return "503"
	case err == nil:
		return served
	}
	return map[string]string{open: "no_answer", byFIN: "closed", byRST: "reset"}[howEnded(err)]
}
