package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/provenance"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netns"
)

// Plan is what to play, and how. Script and Source are required.
type Plan struct {
	// Script is the scenario, at the speed to play it (Script.AtSpeed).
	Script   scenario.Script
	Seed     uint64
	Source   socketstats.Source
	Programs Programs
	// Isolated plays each side in a user and network namespace of its own,
	// counted by a sock_diag source inside; Source is not used then. See
	// [CanIsolate].
	Isolated bool
	// Swapped plays the fixed code as the faulty side and the other way round. A
	// script that then still shows what it expects proves nothing.
	Swapped bool
	// Settings, if there are any, are each side's client settings in place of
	// the script's; both sides play the fixed code then.
	Settings map[scenario.Side]scenario.Client
	// Listen is where each side's server listens. A side that is not in it
	// takes a free port of 127.0.0.1.
	Listen map[scenario.Side]string
	// Provenance is what the run is to say of who played it, and where; nil says
	// nothing.
	Provenance *provenance.Info
	// Observe is given every event as it happens, by the goroutine that
	// called Play. nil observes nothing.
	Observe func(Event)
}

// ErrInterrupted is the error of a run whose context ended.
var ErrInterrupted = errors.New("interrupted")

// Play plays a scenario once and returns what it showed. No process of the run
// is left when it returns.
//
// With an error, the run holds what was seen up to then; it is [ErrInterrupted]
// if ctx ended first. A leak that reached the limit of descriptors is no error:
// the run says so in Stopped.
func Play(ctx context.Context, plan Plan) (*Run, error) {
	p := &play{Plan: plan, runLoop: newRunLoop(plan.Observe)}
	defer p.end()
	err := p.play(ctx)
	return p.run, interrupted(ctx, err)
}

// interrupted puts the reason in place of what it made fail.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}

// pair is one side's processes and the client's newest report.
type pair struct {
	space          *netns.Namespace // nil without isolation
	server, client *process
	// endpoints is what the server said of itself, and servers what it said last of
	// those that it has.
	endpoints worker.Endpoints
	servers   map[string]ServerCount
	report    loadgen.Report
	// fromServer is the server's answers, and nil once the server stopped
	// because it was told to.
	fromServer <-chan worker.Answer
	told       bool
	accepted   int64 // the connections that our server says it accepted, in a comparison
}

// runLoop is what every kind of run has: both sides' processes, who counts their
// sockets, and what was seen.
type runLoop struct {
	run     *Run
	procs   map[scenario.Side]*pair
	sampler sampler
	start   time.Time
	watcher func(Event) // nil if nobody watches
}

func newRunLoop(watcher func(Event)) runLoop {
	return runLoop{run: &Run{}, procs: map[scenario.Side]*pair{}, watcher: watcher}
}

type play struct {
	Plan
	runLoop
}

func (p *play) play(ctx context.Context) error {
	begin, err := p.startProcesses(ctx)
	if err != nil {
		return err
	}
	p.start = time.Now()
	begin.Started = p.start
	p.observe(Event{Begin: &begin})
	for _, side := range scenario.Sides() {
		if err := p.procs[side].client.send(worker.Start); err != nil {
			return p.close(interrupted(ctx, err))
		}
	}
	return p.close(interrupted(ctx, p.watch(ctx)))
}

// watch samples until the load is over, or something ends it before.
func (p *play) watch(ctx context.Context) error {
	end := time.NewTimer(time.Until(p.start.Add(p.Script.Length())))
	defer end.Stop()
	stop := time.NewTimer(time.Until(p.start.Add(p.Script.Server.StopAfter.D())))
	defer stop.Stop()
	if p.Script.Server.StopAfter == 0 {
		stop.Stop()
	}
	tick := time.NewTicker(p.Script.SampleInterval.D())
	defer tick.Stop()
	faulty, fixed := p.procs[scenario.Faulty], p.procs[scenario.Fixed]
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return p.waitDone(ctx)
		case <-tick.C:
			err = p.sample(ctx)
		case <-stop.C:
			err = p.stopServers()
		case a, ok := <-faulty.client.answers:
			err = p.clientSaid(scenario.Faulty, a, ok)
		case a, ok := <-fixed.client.answers:
			err = p.clientSaid(scenario.Fixed, a, ok)
		case a, ok := <-faulty.fromServer:
			err = p.serverSaid(scenario.Faulty, a, ok)
		case a, ok := <-fixed.fromServer:
			err = p.serverSaid(scenario.Fixed, a, ok)
		}
		if err != nil || p.run.Stopped != "" {
			return err
		}
	}
}

func (p *play) clientSaid(side scenario.Side, a worker.Answer, ok bool) error {
	pair := p.procs[side]
	switch {
	case !ok:
		return pair.client.death()
	case a.Error != "":
		return fmt.Errorf("%s: %s", pair.client.name, a.Error)
	case a.Report != nil:
		pair.report = *a.Report
		if a.Report.Stopped != "" {
			p.run.Stopped = fmt.Sprintf("the %s %s; see ulimit -n", pair.client.name, a.Report.Stopped)
		}
	}
	return nil
}

func (p *play) serverSaid(side scenario.Side, a worker.Answer, ok bool) error {
	pair := p.procs[side]
	switch {
	case !ok && pair.told:
		pair.fromServer = nil
		return nil
	case !ok:
		return pair.server.death()
	case a.Error != "" && !pair.told:
		return fmt.Errorf("%s: %s", pair.server.name, a.Error)
	case a.Served != nil:
		pair.servers = serverCounts(a)
	}
	return nil // a stopping server's complaint about answers that it cut off is what is studied
}

func (p *play) stopServers() error {
	for _, side := range scenario.Sides() {
		p.procs[side].told = true
		if err := p.procs[side].server.send(worker.Stop); err != nil {
			return err
		}
	}
	return nil
}

// lateTimeout is how long a client may still need, after the end of the load,
// to send what was due: on a machine that is too busy it is late.
const lateTimeout = 10 * time.Second

// waitDone waits until both clients sent their whole load.
func (p *play) waitDone(ctx context.Context) error {
	late := time.After(lateTimeout)
	again := time.NewTicker(lateTimeout / 200)
	defer again.Stop()
	for p.run.Stopped == "" {
		if err := p.askClients(ctx); err != nil {
			return err
		}
		if p.procs[scenario.Faulty].report.Done && p.procs[scenario.Fixed].report.Done {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return fmt.Errorf("the clients did not send their whole load within %s after its end: the machine is too busy for this speed", lateTimeout)
		case <-again.C:
		}
	}
	return nil
}

// askClients gets both clients' reports, of now.
func (p *play) askClients(ctx context.Context) error {
	for _, side := range scenario.Sides() {
		if err := p.procs[side].client.send(worker.Report); err != nil {
			// It is gone; how it ended is the better error.
			return p.procs[side].client.death()
		}
	}
	for _, side := range scenario.Sides() {
		if err := p.awaitReport(ctx, side); err != nil {
			return err
		}
	}
	return nil
}

// answerTimeout is how long a process may take to answer. It takes less than a
// millisecond, unless the machine is worn out.
const answerTimeout = 10 * time.Second

// awaitReport waits for one report of a client.
func (p *play) awaitReport(ctx context.Context, side scenario.Side) error {
	client := p.procs[side].client
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	select {
	case a, ok := <-client.answers:
		return p.clientSaid(side, a, ok)
	case <-timeout.C:
		return fmt.Errorf("the %s (process %d) did not report within %s: the machine is too busy for this speed", client.name, client.pid, answerTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// askServers finds out, where a side has several servers, what each has done.
func (p *play) askServers(ctx context.Context) error {
	if len(p.Script.Upstreams) == 0 {
		return nil
	}
	for _, side := range scenario.Sides() {
		if pair := p.procs[side]; pair.told || pair.server.send(worker.Report) != nil {
			continue // it is gone, or about to be
		}
		err := p.procs[side].awaitServed(ctx, func(a worker.Answer, ok bool) error { return p.serverSaid(side, a, ok) })
		if err != nil {
			return err
		}
	}
	return nil
}

// awaitServed waits for a server's answer to Report, and passes it on.
func (p *pair) awaitServed(ctx context.Context, said func(a worker.Answer, ok bool) error) error {
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	select {
	case a, ok := <-p.fromServer:
		return said(a, ok)
	case <-timeout.C:
		return lateReport(p.server)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serverCounts is what a server process says of its servers.
func serverCounts(a worker.Answer) map[string]ServerCount {
	counts := map[string]ServerCount{}
	for name, served := range a.Upstreams {
		counts[name] = ServerCount{
			Requests: served.Received, Connections: served.Accepted, Due: slices.Contains(a.Due, name),
		}
	}
	return counts
}

// sample counts once. The clients are asked after the kernel, so that a
// connection that the kernel lists is one that its client knows of.
func (p *play) sample(ctx context.Context) error {
	s, err := p.sampler.count(ctx, p.start)
	if err != nil {
		return err
	}
	err = errors.Join(p.askClients(ctx), p.askServers(ctx))
	for _, side := range scenario.Sides() {
		s.Of(side).Report, s.Of(side).Servers = p.procs[side].report, p.procs[side].servers
	}
	p.observe(Event{Sample: s})
	return err
}

// close takes the last sample and the clients' last reports, and enters the
// end of the run. What failed is err; closing does not hide it.
func (p *play) close(err error) error {
	// The context may have ended; what there is to see is still to be seen.
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if sampleErr := p.sample(ctx); err == nil {
		err = sampleErr
	}
	ending := &Ending{Duration: p.run.Duration, Stopped: p.run.Stopped}
	for _, side := range scenario.Sides() {
		p.lastReport(ctx, side)
	}
	ending.Faulty, ending.Fixed = p.procs[scenario.Faulty].report, p.procs[scenario.Fixed].report
	ending.FaultySeen, ending.FixedSeen = p.lastConnCounts(ctx)
	for _, end := range []struct{ seen, sampled *ConnCounts }{{ending.FaultySeen, p.run.Faulty.Sampled}, {ending.FixedSeen, p.run.Fixed.Sampled}} {
		if end.seen != nil && end.sampled != nil {
			// Since then the clients' ends close what is left.
			end.seen.Closed, end.seen.WithTCPInfo, end.seen.ShortLived = end.sampled.Closed, end.sampled.WithTCPInfo, end.sampled.ShortLived
		}
	}
	if err != nil {
		ending.Stopped = err.Error()
	}
	p.observe(Event{End: ending})
	return err
}

// lastReport asks a client for its last report. From a client that is gone
// there is none; its newest one stands.
func (p *play) lastReport(ctx context.Context, side scenario.Side) {
	if p.procs[side].client.send(worker.Finish) != nil {
		return
	}
	for !p.procs[side].report.Final {
		if p.awaitReport(ctx, side) != nil {
			return
		}
	}
}

// settleTime is how long the kernel may take to tell of a socket that is gone.
// It takes well below a millisecond, unless the machine is worn out.
const settleTime = 500 * time.Millisecond

// lastConnCounts is what the kernel saw of both sides' connections in the whole run.
// What the clients opened and closed a moment ago may not have been told yet.
func (p *play) lastConnCounts(ctx context.Context) (faulty, fixed *ConnCounts) {
	for until := time.Now().Add(settleTime); ; time.Sleep(time.Millisecond) {
		s, err := p.sampler.count(ctx, p.start)
		if err != nil {
			return nil, nil
		}
		complete := true
		for _, side := range scenario.Sides() {
			seen := s.Of(side).Connections
			complete = complete && (seen == nil || int64(seen.Opened) >= p.procs[side].report.Connections.Opened)
		}
		if complete || time.Now().After(until) {
			return s.Faulty.Connections, s.Fixed.Connections
		}
	}
}

func (s *runLoop) observe(e Event) {
	s.run.Add(e)
	if s.watcher != nil {
		s.watcher(e)
	}
}

// end ends every process and namespace that was started, and waits until it is
// gone.
func (s *runLoop) end() {
	for _, pair := range s.procs { // all at once, as a command may take its time
		for _, p := range []*process{pair.client, pair.server} {
			if p != nil {
				p.release()
			}
		}
	}
	for _, pair := range s.procs {
		for _, p := range []*process{pair.client, pair.server} {
			if p != nil {
				p.kill()
			}
		}
		if pair.space != nil {
			_ = pair.space.Close()
		}
	}
	s.sampler.close()
}
