package lab

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/series"
	"socketlab/internal/server"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netns"
)

// driver is what is played: a load of ours, or commands of the user's.
type driver interface {
	// header says of the observation what the run does not know by itself.
	header() series.Header
	// startServer starts a side's server, and returns once it listens.
	startServer(ctx context.Context, s *side) error
	// startClients starts the clients of sides, and returns once all of them wait.
	startClients(ctx context.Context, sides []*side) error
	// begin lets all clients go to work at the same moment, from which the run's
	// clock counts. It calls announce when the processes' ids are known.
	begin(ctx context.Context, announce func()) error
	// heard takes what a process said, once the run has noted it.
	heard(p *process, a worker.Answer) error
	// done reports whether the run is over before its length is.
	done() bool
	// finish is called when the length is over. It returns once nothing more is to
	// come.
	finish(ctx context.Context) error
	// fill completes a sample with what the side's processes said.
	fill(s *side, sample *series.Sample)
	// counted is called after the last count. err is how the run has failed until then.
	counted(ctx context.Context, err error) error
	// last gets what the clients say at the very end.
	last(ctx context.Context)
	// settled reports whether the kernel's count holds all that is known to have
	// been opened. before is the count before it; nil for the first.
	settled(s *side, before, now *series.ConnCounts) bool
	// final is the last word on a side.
	final(s *side, kernel *series.ConnCounts) series.Final
}

// side is one side of a run under way.
type side struct {
	Side
	namespace      *netns.Namespace // nil without isolation
	server, client *process
	// addrs are where its servers listen, the first one first.
	addrs endpoints
	// own is what our server said of itself; zero for a command.
	own worker.Endpoints

	// report is our client's newest, and served our server's.
	report loadgen.Report
	served server.Served
	// serverProcess is what our server's process used then.
	serverProcess *series.Process
	servers       []series.ServerCount // nil where there is only one
	// listening says that the user's server does, ended that the user's client has
	// ended, and failure how it failed.
	listening, ended bool
	failure          string
	// stopped says why the load was ended before its time.
	stopped string
	// goVersion is the version of Go that built the client; "" where that is not known.
	goVersion string
	// identity is the header's, protocol what our server speaks ("" where that is not
	// known), and recognitions in how many samples it was looked for what a program of
	// the user's runs.
	identity     series.Identity
	protocol     string
	recognitions int
}

// run is a run under way. One goroutine does all but count, which is done beside
// it, and read what the processes say.
type run struct {
	driver          driver
	sides           []*side
	source          socketstats.Source
	isolated        bool
	provenance      *series.Provenance
	observer        func(series.Event) // nil if nobody observes
	observation     *series.Observation
	interval, limit time.Duration // between two samples, and of the whole run
	// stopServers is when the servers are told to stop; 0 for never.
	stopServers time.Duration

	start    time.Time
	stopped  string // why the run was ended before its time
	messages chan message
	sampler  sampler
	// counted gets the result of the one count that may be under way.
	counted  chan count
	counting bool
}

// message is what a process said, or that it is gone: after all that it said.
type message struct {
	from   *process
	answer worker.Answer
	gone   bool
}

// count is the result of one count.
type count struct {
	moment *series.Moment
	err    error
	missed bool // it was cut off by its context
}

func newRun(sides []Side, source socketstats.Source, observer func(series.Event)) *run {
	r := &run{
		source: source, observer: observer, observation: &series.Observation{},
		messages: make(chan message, 16), counted: make(chan count, 1),
	}
	for _, s := range sides {
		r.sides = append(r.sides, &side{Side: s})
	}
	return r
}

// play plays the whole run. Nothing of it is left when it returns.
func (r *run) play(ctx context.Context, d driver) (*series.Observation, error) {
	r.driver = d
	counts, cancel := context.WithCancel(ctx)
	defer r.end()
	defer cancel()
	err := r.prepare(ctx)
	if err == nil {
		err = r.driver.begin(ctx, r.announce)
		if err == nil {
			err = r.loop(ctx, counts)
		}
		if !r.observation.Started.IsZero() {
			err = r.close(ctx, interrupted(ctx, err))
		}
	}
	return r.observation, interrupted(ctx, err)
}

// interrupted puts the reason in place of what it made fail.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}

// prepare starts the servers, looks at what is there, and starts the clients,
// which wait.
func (r *run) prepare(ctx context.Context) error {
	for _, s := range r.sides {
		if r.isolated {
			var err error
			if s.namespace, err = NewNamespace(); err != nil {
				return err
			}
		}
		if err := r.driver.startServer(ctx, s); err != nil {
			return err
		}
	}
	var first, later []*side
	for _, s := range r.sides {
		if s.Later == nil {
			first = append(first, s)
		} else {
			later = append(later, s)
		}
	}
	if len(later) > 0 {
		if err := r.driver.startClients(ctx, first); err != nil {
			return err
		}
		first = nil
	}
	for _, s := range later {
		if err := r.until(ctx, func(ctx context.Context) (err error) { s.Command, err = s.Later(ctx); return err }); err != nil {
			return err
		}
	}
	// Not before, as closings are heard of from then on: nothing takes them out while it waits.
	if err := r.sampler.open(ctx, r); err != nil {
		return err
	}
	return r.driver.startClients(ctx, append(first, later...))
}

// announce is the first event.
func (r *run) announce() {
	h := r.driver.header()
	h.Schema, h.Interval, h.Length = series.Schema, r.interval, r.limit
	h.Source, h.UnsupportedStates = r.sampler.source().Name(), r.sampler.source().UnsupportedStates()
	h.Started, h.GoVersion = time.Now(), cmp.Or(r.sides[0].goVersion, runtime.Version())
	h.Isolated, h.Provenance = r.isolated, r.provenance
	for i, s := range r.sides {
		at := &series.Endpoints{
			Server: s.addrs[0].String(), ServerPID: s.server.shown(), ClientPID: s.client.shown(),
			LeftBehind: r.sampler.leftBehind(i),
		}
		if s.namespace != nil {
			at.SupervisorPID = s.namespace.PID()
		}
		h.Subjects = append(h.Subjects, series.Identity{
			ID: s.ID, Name: s.ID, Half: string(s.Half), Paired: true, Relayed: s.own.Relayed, Endpoints: at,
		})
		if s.client != nil {
			h.Subjects[i].Limits = socketstats.LimitsOf(int32(s.client.shown()))
		}
		if s.goVersion != "" && s.goVersion != h.GoVersion {
			h.Subjects[i].GoVersion = s.goVersion
		}
		s.identity = h.Subjects[i]
	}
	r.observe(series.Event{Header: &h})
}

// loop samples until the run is over, or something ends it before. The counts
// are made under a context of their own, which ends with the run.
func (r *run) loop(ctx, counts context.Context) error {
	end := time.NewTimer(time.Until(r.start.Add(r.limit)))
	defer end.Stop()
	stop := time.NewTimer(time.Until(r.start.Add(r.stopServers)))
	defer stop.Stop()
	if r.stopServers == 0 {
		stop.Stop()
	}
	tick := time.NewTicker(r.interval)
	defer tick.Stop()
	for !r.driver.done() {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return r.driver.finish(ctx)
		case <-tick.C:
			r.startCount(counts)
		case c := <-r.counted:
			err = r.sampled(ctx, c)
		case m := <-r.messages:
			err = r.take(m)
		case <-stop.C:
			err = r.tellServersToStop(ctx)
		}
		if err != nil || r.stopped != "" {
			return err
		}
	}
	return nil
}

// await handles what happens until something is so. If that takes longer than
// timeout, late says what that means; nil is no error.
func (r *run) await(ctx context.Context, timeout time.Duration, so func() bool, late func() error) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for !so() {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return late()
		case c := <-r.counted:
			err = r.sampled(ctx, c)
		case m := <-r.messages:
			err = r.take(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// until handles what happens until wait returns, or something fails before: then the
// context of wait ends.
func (r *run) until(ctx context.Context, wait func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan error, 1)
	ended := false
	go func() { over <- wait(ctx) }()
	defer func() {
		cancel()
		if !ended {
			<-over //nolint:errcheck // what has failed before is said
		}
	}()
	for {
		var err error
		select {
		case err = <-over:
			ended = true
			return err
		case c := <-r.counted:
			err = r.sampled(ctx, c)
		case m := <-r.messages:
			err = r.take(m)
		}
		if err != nil || r.stopped != "" {
			return err
		}
	}
}

// take notes what a process said. A process that ends unasked is an error.
func (r *run) take(m message) error {
	p, a := m.from, m.answer
	s := p.side
	switch {
	case m.gone:
		p.gone, p.asked = true, false
		if p.stopping {
			return nil
		}
		return p.death()
	case a.Error != "" && p.stopping:
		return nil // a stopping server complains of the responses that it cut off
	case a.Error != "":
		return p.failure(a.Error)
	case a.Listening != "":
		return s.listens(a)
	case a.Ready:
		p.ready, s.goVersion = true, cmp.Or(s.GoVersion, a.GoVersion)
	case a.Started != 0:
		p.command = a.Started
	case a.Report != nil:
		p.asked, s.report = false, *a.Report
	case a.Served != nil:
		p.asked, s.served, s.servers, s.serverProcess = false, *a.Served, serverCounts(a), a.Process
	case a.Asked:
		p.asked = false
	}
	return r.driver.heard(p, a)
}

// listens notes where our server listens, it and those behind it.
func (s *side) listens(a worker.Answer) error {
	if a.Endpoints != nil {
		s.own = *a.Endpoints
	}
	addrs := []string{a.Listening}
	for _, name := range slices.Sorted(maps.Keys(s.own.Upstreams)) {
		addrs = append(addrs, s.own.Upstreams[name])
	}
	for _, addr := range addrs {
		at, err := netip.ParseAddrPort(addr)
		if err != nil {
			return fmt.Errorf("the %s does not say where it listens: %w", s.server.name, err)
		}
		s.addrs = append(s.addrs, at)
	}
	return nil
}

// serverCounts is what a server process says of its servers, in the order of
// their names.
func serverCounts(a worker.Answer) []series.ServerCount {
	var counts []series.ServerCount
	for _, name := range slices.Sorted(maps.Keys(a.Upstreams)) {
		counts = append(counts, series.ServerCount{
			Name: name, Requests: a.Upstreams[name].Received, Connections: a.Upstreams[name].Accepted, Due: slices.Contains(a.Due, name),
		})
	}
	return counts
}

func (r *run) tellServersToStop(ctx context.Context) error {
	if err := r.ask(ctx); err != nil { // they are not asked any more
		return err
	}
	for _, s := range r.sides {
		if s.server == nil { // who has started it stops it
			continue
		}
		s.server.stopping, s.server.reports = true, false
		if err := s.server.send(worker.Stop); err != nil {
			return err
		}
	}
	return nil
}

// answerTimeout is how long a process may take to answer. It takes less than a
// millisecond, unless the machine is overloaded.
const answerTimeout = 10 * time.Second

// ask gets from all processes that report what they have done until now.
func (r *run) ask(ctx context.Context) error {
	var asked []*process
	for _, s := range r.sides {
		for _, p := range []*process{s.server, s.client} {
			if p == nil || !p.reports || p.gone || p.deaf {
				continue
			}
			if p.send(worker.Report) != nil {
				return r.awaitDeath(ctx, p)
			}
			p.asked = true
			asked = append(asked, p)
		}
	}
	waiting := func(p *process) bool { return p.asked }
	return r.await(ctx, answerTimeout, func() bool { return !slices.ContainsFunc(asked, waiting) }, func() error {
		for _, p := range asked {
			p.deaf = p.deaf || p.asked
		}
		return asked[slices.IndexFunc(asked, waiting)].unanswered(answerTimeout)
	})
}

// awaitDeath waits for the end of a process that takes no orders any more: how it
// ended is the better error.
func (r *run) awaitDeath(ctx context.Context, p *process) error {
	return r.await(ctx, answerTimeout, func() bool { return p.gone }, func() error {
		return fmt.Errorf("the %s (process %d) takes no orders any more", p.name, p.pid)
	})
}

// startCount begins a count beside the loop, unless one is under way: then that
// is late, and this one is missed.
func (r *run) startCount(ctx context.Context) {
	if r.counting {
		return
	}
	r.counting = true
	go func() {
		m, err := r.sampler.count(ctx, r.start)
		r.counted <- count{moment: m, err: err, missed: err != nil && ctx.Err() != nil}
	}()
}

// sampled makes a sample of a count. The processes are asked after the kernel, so
// that a connection that the kernel lists is one that its client knows of.
func (r *run) sampled(ctx context.Context, c count) error {
	r.counting = false
	switch {
	case c.missed:
		return nil
	case c.err != nil:
		return c.err
	}
	err := r.ask(ctx)
	for i, s := range r.sides {
		of := &c.moment.Subjects[i]
		of.ID, of.Servers = s.ID, s.servers
		r.driver.fill(s, &of.Sample)
		s.recognise(of)
	}
	r.observe(series.Event{Moment: c.moment})
	return err
}

func (r *run) observe(e series.Event) {
	r.observation.Add(e)
	if r.observer != nil {
		r.observer(e)
	}
}
