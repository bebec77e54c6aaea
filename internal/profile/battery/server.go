package battery

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"socketlab/internal/profile"
	"socketlab/internal/words"
)

// How long is waited for what takes time by itself. The first is above 75 s, the idle
// time of several servers, and leaves a busy machine time for the rest in 90 s.
const (
	waitShort = 78 * time.Second
	waitLong  = 420 * time.Second
)

// ServerBattery measures a server: Program's instances, or the one at Addr.
type ServerBattery struct {
	Program Program
	// Addr is the address of a server that runs already; "" starts instances of Program.
	Addr string
	// Slow is a path that is answered after 2 s or more, and Read one that is answered
	// once the request's body was read.
	Slow, Read string
	// Long waits up to 7 minutes for idle and header times, in place of 78 s.
	Long bool
	// Say, if not nil, is given a line of progress. It may be called from several goroutines.
	Say func(format string, args ...any)
}

// serverRun is one measurement.
type serverRun struct {
	ServerBattery
	ctx context.Context
	mu  sync.Mutex
	out *profile.Profile
}

// Measure measures the server. With an error the profile is nil, unless ctx has ended it: then
// it has what was measured up to then. Single questions that
// could not be answered are NotMeasured in it.
func (b ServerBattery) Measure(ctx context.Context) (*profile.Profile, error) {
	r := &serverRun{ServerBattery: b, ctx: ctx, out: &profile.Profile{Kind: profile.Server}}
	if err := r.measure(ctx); err != nil {
		return r.interrupted(err)
	}
	r.judgeHeader()
	return r.out, nil
}

// measure runs all probes. Those that hold connections for long are on an instance of
// their own, as are the search for the limit of connections and SIGTERM: none must
// change what another one sees.
func (r *serverRun) measure(ctx context.Context) error {
	if r.Addr != "" {
		r.sigtermMissed("only a process that sockwatch started is sent SIGTERM: give the server's command in place of --url")
		if err := checkAnswers(ctx, r.Addr); err != nil {
			return err
		}
		g, beside := errgroup.WithContext(ctx)
		g.Go(func() error { return r.waits(beside, r.Addr) })
		g.Go(func() error { return r.quick(beside, r.Addr) })
		if err := g.Wait(); err != nil {
			return err
		}
		return r.limit(ctx, r.Addr)
	}
	first, err := r.Program.Start(ctx) // alone: what does not start says so once
	if err != nil {
		return err
	}
	if err := checkAnswers(ctx, first.Addr); err != nil {
		first.Stop()
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer first.Stop()
		return r.waits(ctx, first.Addr)
	})
	for _, probe := range []func(context.Context, *Instance) error{
		func(ctx context.Context, i *Instance) error { return r.quick(ctx, i.Addr) },
		func(ctx context.Context, i *Instance) error { return r.limit(ctx, i.Addr) },
		r.sigterm,
	} {
		g.Go(func() error { return r.with(ctx, probe) })
	}
	return g.Wait()
}

// with runs a probe on an instance of its own.
func (r *serverRun) with(ctx context.Context, probe func(context.Context, *Instance) error) error {
	i, err := r.Program.Start(ctx)
	if err != nil {
		return err
	}
	defer i.Stop()
	return probe(ctx, i)
}

// prompt is within what time a server answers GET / that can be measured.
const prompt = slowOpening / 2

// checkAnswers returns an error unless a server answers GET / within [prompt]: the
// measurements are times. Its first answers may take longer, and so may any on a busy machine.
func checkAnswers(ctx context.Context, addr string) error {
	const tries = 5
	quickest := time.Duration(math.MaxInt64)
	for range tries {
		took, err := answersIn(ctx, addr)
		if err != nil {
			return fmt.Errorf("%s does not answer GET / of HTTP/1.1: %w", addr, err)
		}
		if quickest = min(quickest, took); quickest <= prompt {
			return nil
		}
	}
	return fmt.Errorf("GET / takes %s: the server must answer it within %s, because the measurements are times", words.Duration(quickest), words.Duration(prompt))
}

// answersIn is how long an answer takes on a connection of its own.
func answersIn(ctx context.Context, addr string) (time.Duration, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	sent := time.Now()
	_, err = c.roundTrip(sent.Add(10*time.Second), "GET", "/", "Connection: close")
	return time.Since(sent), err
}

// interrupted is what was measured, with the error, where an interruption is the reason of the
// error; otherwise the error alone.
func (r *serverRun) interrupted(err error) (*profile.Profile, error) {
	if r.ctx.Err() == nil {
		return nil, err
	}
	missRest(r.out)
	return r.out, r.ctx.Err()
}

// set enters a value. What is seen after an interruption comes of that: each wait ends then.
func (r *serverRun) set(id string, v profile.Value, seen ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() == nil {
		r.out.Set(id, v, seen...)
	}
}

func (r *serverRun) miss(why string, ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return
	}
	for _, id := range ids {
		r.out.Miss(id, why)
	}
}

func (r *serverRun) say(format string, args ...any) {
	if r.Say != nil {
		r.Say(format, args...)
	}
}

func (r *serverRun) patience() time.Duration {
	if r.Long {
		return waitLong
	}
	return waitShort
}

// slowOpening is the time of an answer from which on a server is taken for one that is
// kept from answering by the connections that are held beside it.
const slowOpening = 700 * time.Millisecond

// errSerial says that connections that are held keep the server from answering others.
var errSerial = errors.New("the server does not answer beside connections that are held")

// wait is one connection that is held until the server ends it. Several of a name are
// runs of the same.
type wait struct {
	name string
	// begin sends what is sent, after delay, and returns when the time begins.
	begin func(ctx context.Context, c *probe) (time.Time, error)
	delay time.Duration
}

// An answer came where none was due, or that the server ends each
// connection after its answer.
var (
	errEarly  = errors.New("the answer came before the request was whole")
	errAtOnce = errors.New("the server closes each connection with its answer")
)

// idleRuns is how many idle connections there are. They begin within idleSpread, in which
// servers that look at intervals for those that are to be closed do so once or twice.
const (
	idleRuns   = 8
	idleSpread = 2 * time.Second
)

// offBeat keeps the beginning of a wait away from the start of the server. Where a server
// looks for late requests at intervals from its start, as Node does each 30 s, a wait
// that begins with the server ends by chance at one look or the next.
const offBeat = time.Second

func (r *serverRun) waitList() []wait {
	list := []wait{
		{name: "header_timeout", delay: offBeat, begin: func(_ context.Context, c *probe) (time.Time, error) {
			half, _, _ := strings.Cut(c.head("GET", "/", "1.1"), "\r\nAccept")
			err := c.send(half + "\r\nX-Half: ")
			return time.Now(), err
		}},
		{name: "body_timeout", delay: offBeat, begin: func(_ context.Context, c *probe) (time.Time, error) {
			err := c.send(c.head("POST", r.Read, "1.1", "Content-Length: 1000") + pad(10))
			return time.Now(), err
		}},
		{name: "silent_timeout", delay: offBeat, begin: func(context.Context, *probe) (time.Time, error) { return time.Now(), nil }},
	}
	for i := range idleRuns {
		list = append(list, wait{name: "idle_timeout", delay: offBeat + idleSpread*time.Duration(i)/idleRuns, begin: func(_ context.Context, c *probe) (time.Time, error) {
			sent := time.Now()
			a, err := c.roundTrip(sent.Add(10*time.Second), "GET", "/")
			switch {
			case err != nil:
				return time.Time{}, err
			case a.Close:
				return time.Time{}, errAtOnce
			case time.Since(sent) > slowOpening:
				return time.Time{}, errSerial
			}
			return time.Now(), nil
		}})
	}
	return list
}

// waited is how one wait ended.
type waited struct {
	ending
	err error
}

// waits holds all waits beside each other: on one instance if it serves others
// meanwhile, or else on an instance for each.
func (r *serverRun) waits(ctx context.Context, addr string) error {
	list := r.waitList()
	results := make([]waited, len(list))
	err := r.holdAll(ctx, addr, list, results)
	if errors.Is(err, errSerial) && r.Addr == "" {
		r.say("it serves few connections at a time: each wait has an instance of its own")
		g, ctx := errgroup.WithContext(ctx)
		for i, w := range list {
			g.Go(func() error {
				return r.with(ctx, func(ctx context.Context, instance *Instance) error {
					results[i] = r.hold(ctx, instance.Addr, w)
					if errors.Is(results[i].err, errSerial) { // a slow machine: it is alone here
						results[i] = r.hold(ctx, instance.Addr, w)
					}
					return nil
				})
			})
		}
		err = g.Wait()
	}
	if err != nil && !errors.Is(err, errSerial) {
		return err
	}
	for _, name := range []string{"header_timeout", "body_timeout", "silent_timeout", "idle_timeout"} {
		var runs []waited
		for i, w := range list {
			if w.name == name {
				runs = append(runs, results[i])
			}
		}
		if err != nil && name == "idle_timeout" {
			r.miss("the server does not answer beside connections that are held; give its command in place of --url", name, name+"_shortest", name+"_how")
			continue
		}
		r.report(name, runs)
	}
	return nil
}

// holdAll holds all waits on one instance. errSerial ends them early.
func (r *serverRun) holdAll(ctx context.Context, addr string, list []wait, results []waited) error {
	g, ctx := errgroup.WithContext(ctx)
	for i, w := range list {
		g.Go(func() error {
			results[i] = r.hold(ctx, addr, w)
			if errors.Is(results[i].err, errSerial) || errors.Is(results[i].err, context.Canceled) {
				return results[i].err
			}
			return nil
		})
	}
	g.Go(func() error { // an answer beside them
		if !pause(ctx, offBeat+idleSpread) {
			return ctx.Err()
		}
		c, err := dial(ctx, addr)
		if err != nil {
			return nil
		}
		defer c.Close()
		sent := time.Now()
		_, err = c.roundTrip(sent.Add(slowOpening), "GET", "/", "Connection: close")
		if err != nil && time.Since(sent) >= slowOpening {
			return errSerial
		}
		return nil
	})
	return g.Wait()
}

// hold opens a connection, sends what the wait sends, and waits until it ends.
func (r *serverRun) hold(ctx context.Context, addr string, w wait) waited {
	if !pause(ctx, w.delay) {
		return waited{err: ctx.Err()}
	}
	c, err := dial(ctx, addr)
	if err != nil {
		return waited{err: err}
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	since, err := w.begin(ctx, c)
	if err != nil {
		return waited{err: err}
	}
	e := c.awaitEnd(since, since.Add(r.patience()))
	if ctx.Err() != nil {
		return waited{err: ctx.Err()}
	}
	if w.name == "body_timeout" && strings.HasPrefix(e.Status, "2") || e.Status != "" && e.After < time.Second && w.name != "idle_timeout" {
		return waited{err: errEarly}
	}
	return waited{ending: e}
}

// report enters the runs of a wait.
func (r *serverRun) report(name string, runs []waited) {
	var seen []string
	var ended []ending
	for _, w := range runs {
		switch {
		case errors.Is(w.err, errAtOnce):
			ended = append(ended, ending{How: byFIN})
			seen = append(seen, "Connection: close")
		case errors.Is(w.err, errEarly):
			r.miss("an answer comes before the request is whole", name, name+"_how")
			return
		case w.err != nil:
			seen = append(seen, reason(w.err))
		default:
			ended = append(ended, w.ending)
			seen = append(seen, w.String(r.patience()))
		}
	}
	if len(ended) == 0 {
		r.miss(strings.Join(slices.Compact(seen), ", "), name, name+"_how")
		return
	}
	slices.SortFunc(ended, func(a, b ending) int { return int(a.After - b.After) })
	// The longest and the shortest but one: of eight, one may be late because the machine
	// was busy.
	first, last := ended[0], ended[len(ended)-1]
	if len(ended) >= idleRuns {
		first, last = ended[1], ended[len(ended)-2]
	}
	value := func(e ending) profile.Value {
		if e.How == open {
			return profile.LongerThan(r.patience())
		}
		return profile.Took(e.After)
	}
	r.set(name, value(last), seen...)
	if name == "idle_timeout" {
		r.set(name+"_shortest", value(first), seen...)
	}
	if first.How == open {
		r.miss("the server did not end it within "+r.patience().String(), name+"_how")
		return
	}
	how := first.How
	switch {
	case first.Status == "408" || first.Status == "400":
		how = first.Status
	case first.Status != "":
		how = "other"
	}
	r.set(name+"_how", profile.Chosen(how), seen...)
}

// String says how a connection ended, with the time that was waited if it did not.
func (e ending) String(waited time.Duration) string {
	if e.How == open && e.Status == "" {
		return "open after " + waited.String()
	}
	return strings.TrimSpace(fmt.Sprintf("%.3f s %s %s", e.After.Seconds(), e.Status, e.How))
}

// judgeHeader compares what the server says with what it does.
func (r *serverRun) judgeHeader() {
	says, said := r.out.Values["keepalive_header_says"]
	does, did := r.out.Values["idle_timeout"]
	first := r.out.Values["idle_timeout_shortest"]
	if !said || !did {
		r.out.Miss("keepalive_header_true", "there is no such header, or the idle time is not known")
		return
	}
	verdict := "yes"
	slack := max(500*time.Millisecond, says.Time/20)
	switch {
	case does.Bound == profile.Over && says.Time >= does.Time:
		r.out.Miss("keepalive_header_true", "it says more than was waited: use --long")
		return
	case first.Bound == profile.Exact && first.Time < says.Time-slack:
		verdict = "closes_earlier"
	case does.Bound != profile.Exact || does.Time > says.Time+slack:
		verdict = "closes_later"
	}
	r.out.Set("keepalive_header_true", profile.Chosen(verdict), "says "+says.String(), "closes after "+first.String()+" to "+does.String())
}

// pause waits, and reports whether ctx let it.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
