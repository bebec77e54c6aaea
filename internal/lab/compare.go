package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/provenance"
	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/internal/worker"
)

// Comparison is two programs to compare, and how. Faulty, Fixed, For, Interval
// and Source are required.
type Comparison struct {
	// Commands are lines for the system's shell; see [Commands.Check] for what
	// is filled in. Without a server command each side has a server of ours.
	Commands
	// Behaviour is how our own server behaves.
	Behaviour scenario.Server
	// For is how long the clients may take; after that they are ended.
	For time.Duration
	// Interval is the time between two samples.
	Interval time.Duration
	Source   socketstats.Source
	// Output, if not nil, is given all that the clients say, a side's name
	// before each line.
	Output io.Writer
	// Provenance is what the run is to say of who made it, and where; nil says
	// nothing.
	Provenance *provenance.Info
	// Observe is given every event as it happens, by the goroutine that
	// called Compare. nil observes nothing.
	Observe func(Event)
}

// The limits of a comparison.
const (
	maxFor      = time.Hour
	minInterval = 20 * time.Millisecond
)

// Check returns what is wrong with a comparison; it begins with the name of
// what is wrong: faulty, fixed, server, for or interval.
func (c Comparison) Check() error {
	if err := c.Commands.Check(); err != nil {
		return err
	}
	switch {
	case c.For <= 0 || c.For > maxFor:
		return fmt.Errorf("for %s is not between 0 and %s", c.For, maxFor)
	case c.Interval < minInterval || c.Interval > c.For:
		return fmt.Errorf("interval %s is not between %s and the %s that the run may take", c.Interval, minInterval, c.For)
	}
	return nil
}

// ErrNotRun is the error of a comparison whose command could not be run.
var ErrNotRun = errors.New("the command could not be run")

// Compare runs two clients, each against a server of its own, both at the same
// time, until both have ended or their time is over. It returns what they
// showed, as [Play] does. Nothing that the commands started is left then.
//
// A client that fails does not end the run: the side's report says so.
func Compare(ctx context.Context, comparison Comparison) (*Run, error) {
	c := &compare{Comparison: comparison, runLoop: newRunLoop(comparison.Observe)}
	if err := comparison.Check(); err != nil {
		return c.run, err
	}
	defer c.end()
	err := c.compare(ctx)
	return c.run, interrupted(ctx, err)
}

type compare struct {
	Comparison
	runLoop
}

func (c *compare) compare(ctx context.Context) error {
	begin, err := c.startProcesses(ctx)
	if err != nil {
		return err
	}
	begin.Started = c.start
	c.observe(Event{Begin: &begin})
	return c.close(interrupted(ctx, c.watch(ctx)))
}

// abExpects is what proves a fix: the faulty side shows a leak, and the fixed one
// none.
var abExpects = scenario.Expect{
	Faulty: []scenario.Expectation{scenario.ExpectVerdict(scenario.AnyLeak)},
	Fixed:  []scenario.Expectation{scenario.ExpectVerdict(verdict.Healthy)},
}

// abScript is the script that a comparison has in its run.
func abScript(c Comparison) scenario.Script {
	return scenario.Script{
		ID: "ab", Title: c.title(), Requires: scenario.Loopback, Speed: 1, Server: c.Behaviour,
		Load:           []scenario.Phase{{Pause: scenario.Duration(c.For)}},
		SampleInterval: scenario.Duration(c.Interval),
		Expect:         abExpects,
	}
}

// supervisorFailed is the error of a supervisor that is gone or says that it failed.
func supervisorFailed(p *process, a worker.Answer, ok bool) error {
	switch {
	case !ok:
		return p.death()
	case a.Error != "":
		return fmt.Errorf("%s: %s", p.name, a.Error)
	}
	return nil
}

// commandEnded describes the end of a command that should not have ended then,
// with all that it said.
func commandEnded(p *process, when string, end worker.End) error {
	p.kill()
	return fmt.Errorf("the %s ended %s: %s%s", p.name, when, end.How, p.stderr)
}

// watch samples until both clients ended or their time is over.
func (c *compare) watch(ctx context.Context) error {
	end := time.NewTimer(time.Until(c.start.Add(c.For)))
	defer end.Stop()
	tick := time.NewTicker(c.Interval)
	defer tick.Stop()
	faulty, fixed := c.procs[scenario.Faulty], c.procs[scenario.Fixed]
	for !c.done() {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case <-tick.C:
			err = c.sample(ctx)
		case a, ok := <-faulty.client.answers:
			err = c.clientSaid(faulty, a, ok)
		case a, ok := <-fixed.client.answers:
			err = c.clientSaid(fixed, a, ok)
		case a, ok := <-faulty.fromServer:
			err = c.serverSaid(faulty, a, ok)
		case a, ok := <-fixed.fromServer:
			err = c.serverSaid(fixed, a, ok)
		}
		if err != nil || c.run.Stopped != "" {
			return err
		}
	}
	return nil
}

// done reports whether both clients ended.
func (c *compare) done() bool {
	return c.procs[scenario.Faulty].report.Done && c.procs[scenario.Fixed].report.Done
}

func (c *compare) clientSaid(pair *pair, a worker.Answer, ok bool) error {
	if err := supervisorFailed(pair.client, a, ok); err != nil {
		return err
	}
	if a.Ended == nil {
		return nil
	}
	switch a.Ended.Code {
	case 126, 127: // what a shell says of a command that it cannot run
		pair.client.kill()
		return fmt.Errorf("%s: %w: %s%s", pair.client.name, ErrNotRun, a.Ended.How, pair.client.stderr)
	case 0:
	default:
		pair.report.Failure = "the command ended with " + a.Ended.How
	}
	pair.report.Done = true
	return nil
}

// AtWork returns how many of a side's samples, from the first on, show its
// client at work. A command that ends has its sockets closed for it, which says
// nothing of how it would have treated them: the samples since then are not
// counted, and neither is the one before, as it may have been taken while they
// were closed.
func (r *Run) AtWork(side scenario.Side) int {
	samples := r.Of(side).Samples
	if r.Commands == nil {
		return len(samples)
	}
	ended := slices.IndexFunc(samples, func(s SideSample) bool { return s.Report.Done })
	if ended < 0 {
		return len(samples)
	}
	return max(ended-1, 0)
}

func (c *compare) serverSaid(pair *pair, a worker.Answer, ok bool) error {
	if err := supervisorFailed(pair.server, a, ok); err != nil {
		return err
	}
	switch {
	case a.Ended != nil:
		return commandEnded(pair.server, "in mid-run", *a.Ended)
	case a.Served != nil:
		pair.enter(*a.Served)
	}
	return nil
}

// enter puts what our server knows into its client's report.
func (p *pair) enter(s server.Served) {
	failed := s.Left + s.Cut
	errors := map[string]int64{}
	for name, n := range map[string]int64{"client left": s.Left, "cut off": s.Cut} {
		if n > 0 {
			errors[name] = n
		}
	}
	p.report.Requests = loadgen.Requests{
		Sent: s.Received, OK: s.Answered, Failed: failed, InFlight: s.Received - s.Answered - failed, Errors: errors,
	}
	p.report.Connections = loadgen.Connections{Opened: s.Accepted, Reused: s.Reused}
	p.accepted = s.Accepted
}

// sample counts once. The processes are asked after the kernel: our servers for
// what they served, the supervisors whether their command is still at work.
func (c *compare) sample(ctx context.Context) error {
	s, err := c.sampler.count(ctx, c.start)
	if err != nil {
		return err
	}
	err = errors.Join(c.askServers(ctx), c.askClients(ctx))
	for _, side := range scenario.Sides() {
		pair, of := c.procs[side], s.Of(side)
		pair.report.At = s.At
		pair.opened(of.Connections)
		c.bound(pair, of.Client.Open())
		of.Report = pair.report
	}
	c.observe(Event{Sample: s})
	return err
}

// bound ends the run if a client holds as many connections as our own clients
// may hold descriptors.
func (c *compare) bound(pair *pair, open int) {
	if most := loadgen.MaxFDs(); most > 0 && open >= most {
		pair.report.Stopped = fmt.Sprintf("holds %d connections, the most this run may take is %d", open, most)
		c.run.Stopped = fmt.Sprintf("the %s %s; see ulimit -n", pair.client.name, pair.report.Stopped)
	}
}

// opened enters what the kernel saw, which knows better than a server what is
// not accepted yet.
func (p *pair) opened(seen *ConnCounts) {
	if seen != nil {
		p.report.Connections.Opened = int64(seen.Opened)
	}
}

// askServers gets what our own servers served until now.
func (c *compare) askServers(ctx context.Context) error {
	if c.Server != "" {
		return nil
	}
	for _, side := range scenario.Sides() {
		server := c.procs[side].server
		if err := server.send(worker.Report); err != nil {
			return server.death() // the better error
		}
	}
	for _, side := range scenario.Sides() {
		pair := c.procs[side]
		err := pair.awaitServed(ctx, func(a worker.Answer, ok bool) error { return c.serverSaid(pair, a, ok) })
		if err != nil {
			return err
		}
	}
	return nil
}

// askClients finds out which clients have ended by now.
func (c *compare) askClients(ctx context.Context) error {
	for _, side := range scenario.Sides() {
		pair := c.procs[side]
		if pair.report.Done {
			continue
		}
		if err := pair.client.send(worker.Report); err != nil {
			return pair.client.death()
		}
		if err := c.awaitAsked(ctx, pair); err != nil {
			return err
		}
	}
	return nil
}

func (c *compare) awaitAsked(ctx context.Context, pair *pair) error {
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	for {
		select {
		case a, ok := <-pair.client.answers:
			if err := c.clientSaid(pair, a, ok); err != nil || a.Asked {
				return err
			}
		case <-timeout.C:
			return lateReport(pair.client)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func lateReport(p *process) error {
	return fmt.Errorf("the %s (process %d) did not report within %s: the machine is too busy", p.name, p.pid, answerTimeout)
}

// close takes the last sample and enters the end of the run. What failed is
// err; closing does not hide it.
func (c *compare) close(err error) error {
	// The context may have ended; what there is to see is still to be seen.
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if sampleErr := c.sample(ctx); err == nil {
		err = sampleErr
	}
	ending := &Ending{Duration: c.run.Duration, Stopped: c.run.Stopped, FaultySeen: c.run.Faulty.Sampled, FixedSeen: c.run.Fixed.Sampled}
	if c.done() {
		ending.FaultySeen, ending.FixedSeen = c.lastConnCounts(ctx)
	}
	for side, seen := range map[scenario.Side]*ConnCounts{scenario.Faulty: ending.FaultySeen, scenario.Fixed: ending.FixedSeen} {
		pair := c.procs[side]
		pair.opened(seen)
		if pair.report.Failure != "" {
			pair.client.kill() // now all that it said is there
			pair.report.Failure += pair.client.stderr.String()
		}
		pair.report.Final = true
	}
	ending.Faulty, ending.Fixed = c.procs[scenario.Faulty].report, c.procs[scenario.Fixed].report
	if err != nil {
		ending.Stopped = err.Error()
	}
	c.observe(Event{End: ending})
	return err
}

// lastConnCounts is what the kernel saw when both clients had ended: it may tell of
// the last of their sockets a moment later than of their end.
func (c *compare) lastConnCounts(ctx context.Context) (faulty, fixed *ConnCounts) {
	faulty, fixed = c.run.Faulty.Sampled, c.run.Fixed.Sampled
	if faulty == nil || fixed == nil {
		return nil, nil
	}
	for until := time.Now().Add(settleTime); time.Now().Before(until); {
		time.Sleep(settleStep)
		s, err := c.sampler.count(ctx, c.start)
		if err != nil {
			break
		}
		same := s.Faulty.Connections.Opened == faulty.Opened && s.Fixed.Connections.Opened == fixed.Opened
		faulty, fixed = s.Faulty.Connections, s.Fixed.Connections
		if same && c.sawAccepted(scenario.Faulty, faulty) && c.sawAccepted(scenario.Fixed, fixed) {
			break
		}
	}
	return faulty, fixed
}

const settleStep = 20 * time.Millisecond

// sawAccepted reports whether the kernel told of all that our server accepted.
func (c *compare) sawAccepted(side scenario.Side, seen *ConnCounts) bool {
	return int64(seen.Opened) >= c.procs[side].accepted
}
