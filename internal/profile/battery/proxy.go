package battery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"socketlab/internal/profile"
)

// ProxyBattery measures a proxy, with a server of ours behind it: as a server, what it
// does to its clients, and as a client, what it does to the server.
type ProxyBattery struct {
	// Program has no Backend: each part of the battery has one of its own.
	Program Program
	// Long and Say are as in [ServerBattery].
	Long bool
	Say  func(format string, args ...any)
}

// Measure measures the proxy. With an error the profile is nil.
func (b ProxyBattery) Measure(ctx context.Context) (*profile.Profile, error) {
	front, err := newUpstream()
	if err != nil {
		return nil, err
	}
	defer front.close()
	r := &serverRun{
		ServerBattery: ServerBattery{Program: b.Program, Slow: slowPath, Read: readPath, Long: b.Long, Say: b.Say},
		ctx:           ctx,
		out:           &profile.Profile{Kind: profile.Proxy},
	}
	r.Program.Backend = front.addr()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.measure(ctx) })
	for _, probe := range []func(context.Context, *Instance, *upstream) error{r.backendIdle, r.backendCounts, r.staleBackend} {
		g.Go(func() error { return b.behind(ctx, probe) })
	}
	if err := g.Wait(); err != nil {
		return r.interrupted(err)
	}
	r.judgeHeader()
	if idle, ok := r.out.Values["idle_close"]; ok && idle.Bound == profile.Exact && idle.Time <= 2*hintTime {
		delete(r.out.Values, "hint_obeyed")
		r.out.Miss("hint_obeyed", "it closes an idle connection after "+idle.String()+" without a hint")
	}
	return r.out, nil
}

// behind runs a probe on an instance with a backend of its own.
func (b ProxyBattery) behind(ctx context.Context, probe func(context.Context, *Instance, *upstream) error) error {
	u, err := newUpstream()
	if err != nil {
		return err
	}
	defer u.close()
	b.Program.Backend = u.addr()
	i, err := b.Program.Start(ctx)
	if err != nil {
		return err
	}
	defer i.Stop()
	if err := reaches(ctx, i, u); err != nil {
		return err
	}
	u.closeIdle() // those of before
	return probe(ctx, i, u)
}

// reaches waits until a request comes to the backend. A proxy that checks its backend may
// turn requests away at first.
func reaches(ctx context.Context, i *Instance, u *upstream) error {
	for end := time.Now().Add(soon); ; {
		if _, seen := u.look("/"); seen > 0 {
			return nil
		}
		a, err := once(ctx, i.Addr, "/")
		if _, seen := u.look("/"); seen > 0 {
			return nil
		}
		if err == nil && a.StatusCode < 400 || time.Now().After(end) {
			how := "GET / ends with " + reason(err)
			if err == nil {
				how = "GET / is answered " + a.Status
			}
			return fmt.Errorf("%s, and no request comes to the backend: does the command take its address from {backend}, or from SOCKETLAB_BACKEND in its environment?", how)
		}
		if !pause(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// once sends a request on a connection of its own, which it then closes. It does not say
// Connection: close, which some proxies pass on.
func once(ctx context.Context, addr, path string) (response, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return response{}, err
	}
	defer c.Close()
	return c.roundTrip(time.Now().Add(soon), "GET", path)
}

// backendIdle waits until the proxy closes its idle connections to the backend: several,
// which were answered at different moments.
func (r *serverRun) backendIdle(ctx context.Context, i *Instance, u *upstream) error {
	g, beside := errgroup.WithContext(ctx)
	for n := range idleRuns {
		g.Go(func() error {
			if !pause(beside, idleSpread*time.Duration(n)/idleRuns) {
				return beside.Err()
			}
			_, err := once(beside, i.Addr, slowPath)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		r.miss(reason(err), "idle_close", "idle_close_shortest", "idle_closed_by")
		return ctx.Err()
	}
	var times []time.Duration
	var seen []string
	for _, c := range u.answered() {
		after, err := r.untilClosed(ctx, c, r.patience())
		if err != nil {
			return err
		}
		if after == nil {
			r.set("idle_close", profile.LongerThan(r.patience()))
			r.miss("it did not close them", "idle_close_shortest")
			r.set("idle_closed_by", profile.Chosen("neither"))
			return nil
		}
		times = append(times, *after)
		seen = append(seen, fmt.Sprintf("%.3f s", after.Seconds()))
	}
	if len(times) == 0 {
		r.miss(slowPath+" was answered, and no request came to the backend", "idle_close", "idle_close_shortest", "idle_closed_by")
		return nil
	}
	slices.Sort(times)
	r.set("idle_close", profile.Took(times[max(0, len(times)-2)]), seen...) // as of idle_timeout
	r.set("idle_close_shortest", profile.Took(times[0]), seen...)
	r.set("idle_closed_by", profile.Chosen("client"))
	return nil
}

// untilClosed waits until the proxy closes a connection, and returns the time from the
// last answer on it, or nil if it stayed open.
func (r *serverRun) untilClosed(ctx context.Context, c *upstreamConn, most time.Duration) (*time.Duration, error) {
	give := time.NewTimer(most)
	defer give.Stop()
	select {
	case <-c.ended:
		after := c.endedAt.Sub(c.answered)
		return &after, nil
	case <-give.C:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// countedRequests is how many requests are sent where connections are counted.
const countedRequests = 20

// backInPool is how long a proxy may take, after its answer, to put the backend's connection
// back among those that it uses again.
const backInPool = 50 * time.Millisecond

// backendCounts counts the connections to the backend, and tries a hint.
func (r *serverRun) backendCounts(ctx context.Context, i *Instance, u *upstream) error {
	c, err := dial(ctx, i.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	before, _ := u.look("/")
	for range countedRequests {
		if _, err = c.roundTrip(time.Now().Add(soon), "GET", "/"); err != nil {
			break
		}
	}
	if after, _ := u.look("/"); err == nil {
		r.set("backend_opened", profile.Counted(after-before))
	} else {
		r.miss("on one connection of a client: "+reason(err), "backend_opened")
	}
	u.closeIdle()
	if !pause(ctx, underWay) {
		return ctx.Err()
	}
	before, _ = u.look("/")
	for range countedRequests {
		if _, err := once(ctx, i.Addr, "/"); err != nil {
			r.miss(reason(err), "backend_opened_new_clients")
			return nil
		}
		if !pause(ctx, backInPool) {
			return ctx.Err()
		}
	}
	after, _ := u.look("/")
	opened := "some"
	if n := after - before; n <= 1 || n >= countedRequests {
		opened = fmt.Sprint(max(1, min(n, countedRequests)))
	}
	r.set("backend_opened_new_clients", profile.Chosen(opened), fmt.Sprint(after-before))
	return r.hint(ctx, i, u)
}

// hintTries is how often a hint is tried: a proxy that closes idle connections at intervals
// closes one in time by chance, or at once.
const hintTries = 3

// hint tries whether the proxy passes a hint on, and whether it obeys it: it does not if one
// connection stays open.
func (r *serverRun) hint(ctx context.Context, i *Instance, u *upstream) error {
	var seen []string
	atOnce := true // each of them
	for range hintTries {
		waited, err := r.hintOnce(ctx, i, u)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			r.miss(reason(err), "hint_passed_on", "hint_obeyed")
			return nil
		case waited == nil:
			r.set("hint_obeyed", profile.Chosen("no"), append(seen, "still open after 2.5 s")...)
			return nil
		}
		seen = append(seen, fmt.Sprintf("closed after %.1f s", waited.Seconds()))
		atOnce = atOnce && *waited < 100*time.Millisecond
	}
	if atOnce {
		r.miss("it closes each connection at once", "hint_obeyed")
	} else {
		r.set("hint_obeyed", profile.Chosen("yes"), seen...)
	}
	return nil
}

// hintOnce returns after which time the proxy closed its connection to a backend that gave a
// hint, and nil if it did not.
func (r *serverRun) hintOnce(ctx context.Context, i *Instance, u *upstream) (*time.Duration, error) {
	c, err := dial(ctx, i.Addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	a, err := c.roundTrip(time.Now().Add(soon), "GET", hintPath)
	if err != nil {
		return nil, err
	}
	passed := "no"
	if keepAliveSays(a.Header) == hintTime {
		passed = "yes"
	}
	r.set("hint_passed_on", profile.Chosen(passed), fmt.Sprintf("the client reads Keep-Alive: %q", a.Header.Get("Keep-Alive")))
	kept := u.last()
	if kept == nil {
		return new(time.Duration), nil
	}
	return r.untilClosed(ctx, kept, hintTime+500*time.Millisecond)
}

// staleBackend sends requests whose connection to the backend turns out to be closed.
func (r *serverRun) staleBackend(ctx context.Context, i *Instance, u *upstream) error {
	for _, method := range []string{"GET", "POST"} {
		for _, stale := range []struct {
			id, path string
			before   func()
		}{
			{"closed_backend_", "/after-close", u.closeIdle},
			{"stale_backend_", droppedPath, func() {}},
		} {
			id := stale.id + map[string]string{"GET": "get", "POST": "post"}[method]
			if err := r.secondRequest(ctx, i, u, id, method, stale.path, stale.before); err != nil {
				return err
			}
		}
	}
	return nil
}

// secondRequest sends GET / and, after before, a second request on the same connection.
func (r *serverRun) secondRequest(ctx context.Context, i *Instance, u *upstream, id, method, path string, before func()) error {
	c, err := dial(ctx, i.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.roundTrip(time.Now().Add(soon), "GET", "/"); err != nil {
		r.miss("the first request: "+reason(err), id)
		return nil
	}
	if !pause(ctx, underWay) { // who closes it at once has done so by then
		return ctx.Err()
	}
	if u.last() == nil {
		r.miss("it keeps no connection to the backend", id)
		return nil
	}
	before()
	if !pause(ctx, underWay) {
		return ctx.Err()
	}
	_, seenBefore := u.look(path)
	request := c.head(method, path, "1.1")
	if method == "POST" {
		request = c.head(method, path, "1.1", "Content-Type: text/plain", "Content-Length: 10") + pad(10)
	}
	var a response
	if err = c.send(request); err == nil {
		a, err = c.receive(time.Now().Add(soon))
	}
	_, seen := u.look(path)
	seen -= seenBefore
	saw := fmt.Sprintf("the backend read it %d times", seen)
	switch {
	case err != nil && howEnded(err) == open:
		r.miss("no answer within 10 s", id)
	case err != nil:
		r.set(id, profile.Chosen("closed"), reason(err), saw)
	case a.StatusCode >= 500 && a.StatusCode <= 504 && a.StatusCode != 501:
		r.set(id, profile.Chosen(fmt.Sprint(a.StatusCode)), saw)
	case a.StatusCode != 200:
		r.miss("answered "+a.Status, id)
	case seen > 1:
		r.set(id, profile.Chosen("repeated"), saw)
	default:
		r.set(id, profile.Chosen("new_connection"), saw)
	}
	return nil
}
