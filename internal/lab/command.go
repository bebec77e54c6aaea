package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker"
)

// Comparison is two programs to compare, and how. Faulty, Fixed, For, Interval
// and Source are required.
type Comparison struct {
	// Commands are lines for the system's shell. In a client's, {url}, {addr},
	// {host} and {port} become those of its side's server, and it must have one; in
	// a server's they become those on which it is to listen, and one must name the
	// port. Without a server command each side has a server of ours.
	series.Commands
	// Sides are the subjects; nil is [Pair]. A side's own command is in place of that of
	// its code.
	Sides []Side
	// Behaviour is how our own server behaves.
	Behaviour scenario.Server
	// For is how long the clients may take; after that they are ended.
	For time.Duration
	// Interval is the time between two samples.
	Interval time.Duration
	Source   socketstats.Source
	// Output, if not nil, is given all that the clients write, a side's name
	// before each line.
	Output io.Writer
	// Provenance is who makes the comparison; nil says nothing.
	Provenance *series.Provenance
	// Observe is given every event as it happens, by the goroutine that
	// called Compare. nil observes nothing.
	Observe func(series.Event)
}

// The limits of a comparison.
const (
	maxFor      = time.Hour
	minInterval = 20 * time.Millisecond
)

// Check returns what is wrong with a comparison; it begins with the name of
// what is wrong: faulty, fixed, server, for or interval.
func (c Comparison) Check() error {
	if err := c.checkCommands(); err != nil {
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

// sides are the subjects of the comparison, each with its command.
func (c Comparison) sides() []Side {
	sides := slices.Clone(c.Sides)
	if sides == nil {
		sides = Pair()
	}
	for i, s := range sides {
		command := c.Faulty
		if s.Code == scenario.Fixed {
			command = c.Fixed
		}
		sides[i].Command = cmp.Or(s.Command, command)
	}
	return sides
}

// ErrNotRun is the error of a comparison whose command could not be run.
var ErrNotRun = errors.New("the command could not be run")

// Compare runs two clients, each against a server of its own, both at the same
// time, until both have ended or their time is over. It returns what they
// showed, as [Play] does. Nothing that the commands started is left then.
//
// A client that fails does not end the run: the subject's Final says so.
func Compare(ctx context.Context, comparison Comparison) (*series.Observation, error) {
	if err := comparison.Check(); err != nil {
		return &series.Observation{}, err
	}
	r := newRun(comparison.sides(), comparison.Source, comparison.Observe)
	r.provenance, r.interval, r.limit = comparison.Provenance, comparison.Interval, comparison.For
	return r.play(ctx, &commands{run: r, Comparison: &comparison})
}

// commands is the driver of a comparison: the user's clients, against servers of
// ours or the user's.
type commands struct {
	*Comparison
	run *run
}

func (c *commands) header() series.Header {
	title := short(c.Faulty)
	if c.Fixed != "" {
		title += " against " + short(c.Fixed)
	}
	if len(c.Go) > 0 {
		title += ", built by Go " + strings.Join(c.Go, " and ")
	}
	return series.Header{Title: title, Commands: &c.Commands}
}

func (c *commands) startServer(ctx context.Context, s *side) error {
	if c.Server == "" {
		err := c.run.startOwnServer(ctx, Programs{}, s, worker.ServerOrder{Behaviour: c.Behaviour, Side: s.Code})
		if err != nil {
			return err
		}
		s.server.reports = true
		return nil
	}
	at, err := chooseAddr()
	if err != nil {
		return err
	}
	s.addrs = endpoints{at}
	s.server, err = c.supervise(ctx, Programs{}, s, "server", worker.CommandOrder{Command: fill(c.Server, at)})
	if err != nil {
		return err
	}
	if err := c.startCommand(ctx, s.server); err != nil {
		return err
	}
	return c.awaitListener(ctx, s)
}

func (c *commands) startClients(ctx context.Context, sides []*side) error {
	for _, s := range sides {
		if err := c.startClient(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (c *commands) startClient(ctx context.Context, s *side) error {
	var programs Programs
	if c.Output != nil {
		programs.echo = &labelled{w: c.Output, label: s.ID + ": "}
	}
	var err error
	s.client, err = c.supervise(ctx, programs, s, "client", worker.CommandOrder{
		Command: fill(s.Command, s.addrs[0]), ShowOutput: c.Output != nil,
	})
	if err != nil {
		return err
	}
	s.client.reports = true
	return nil
}

// supervise starts the supervisor of a command, which waits.
func (c *commands) supervise(ctx context.Context, programs Programs, s *side, name string, order worker.CommandOrder) (*process, error) {
	p, err := programs.start(c.run, s, commandSupervisor, name, order)
	if err != nil {
		return nil, err
	}
	p.patience = worker.CommandEndTimeout + endTimeout
	return p, c.run.awaitStart(ctx, p, func() bool { return p.ready })
}

// startCommand has a supervisor start its command.
func (c *commands) startCommand(ctx context.Context, p *process) error {
	if err := p.mustSend(worker.Start); err != nil {
		return err
	}
	return c.run.awaitStart(ctx, p, func() bool { return p.command != 0 })
}

func (c *commands) begin(ctx context.Context, announce func()) error {
	c.run.start = time.Now()
	for _, s := range c.run.sides {
		if err := c.startCommand(ctx, s.client); err != nil {
			return err
		}
	}
	announce()
	return nil
}

// awaitListener waits until somebody listens at a server's address. It looks at
// the kernel's list: a connection made only to see would be counted.
func (c *commands) awaitListener(ctx context.Context, s *side) error {
	never, again := func() bool { return false }, func() error { return nil }
	for until := time.Now().Add(startTimeout); ; {
		var err error
		if s.listening, err = c.listens(ctx, s.addrs[0]); err != nil || s.listening {
			return err
		}
		if time.Now().After(until) {
			s.server.kill()
			return fmt.Errorf("the %s did not listen on %s within %s: does its command take the port from {port}, {addr} or {url}?%s", s.server.name, s.addrs[0], startTimeout, s.server.stderr)
		}
		if err := c.run.await(ctx, 50*time.Millisecond, never, again); err != nil {
			return err
		}
	}
}

func (c *commands) listens(ctx context.Context, at netip.AddrPort) (bool, error) {
	sockets, err := c.Source.Sockets(ctx, socketstats.Query{
		Ports: []uint16{at.Port()}, States: []socketstats.State{socketstats.Listen},
	})
	if err != nil {
		return false, err
	}
	_, server := socketstats.Count(sockets, at)
	return server.Total() > 0, nil
}

func (c *commands) heard(p *process, a worker.Answer) error {
	if a.Ended == nil {
		return nil
	}
	s := p.side
	if p == s.server {
		p.kill() // now all that it wrote is there
		when := "in mid-run"
		if !s.listening {
			when = fmt.Sprintf("before it listened on %s", s.addrs[0])
		}
		return fmt.Errorf("the %s ended %s: %s%s", p.name, when, a.Ended.How, p.stderr)
	}
	s.ended, p.reports, p.asked = true, false, false
	switch a.Ended.Code {
	case 126, 127: // a shell's exit code of a command that it cannot run
		p.kill()
		return fmt.Errorf("%s: %w: %s%s", p.name, ErrNotRun, a.Ended.How, p.stderr)
	case 0:
	default:
		s.failure = "the command ended with " + a.Ended.How
	}
	return nil
}

func (c *commands) done() bool {
	for _, s := range c.run.sides {
		if !s.ended {
			return false
		}
	}
	return true
}

// finish has nothing to wait for: commands are ended when their time is over.
func (c *commands) finish(context.Context) error { return nil }

// metrics is what is known of a user's client: what our server counted. The
// kernel knows better than a server of connections that are not accepted yet.
func (c *commands) metrics(s *side, kernel *series.ConnCounts) series.ClientMetrics {
	if c.Server != "" {
		return series.ClientMetrics{}
	}
	served := s.served
	r := &series.Requests{
		Sent: served.Received, OK: served.Answered, Failed: served.Left + served.Cut,
	}
	r.InFlight = r.Sent - r.Finished()
	if r.Failed > 0 {
		r.Errors = map[string]int64{"client left": served.Left, "cut off": served.Cut}
		maps.DeleteFunc(r.Errors, func(_ string, n int64) bool { return n == 0 })
	}
	conns := &series.ClientConns{Opened: served.Accepted, Reused: &served.Reused}
	if kernel != nil {
		conns.Opened = int64(kernel.Opened)
	}
	return series.ClientMetrics{Requests: r, Connections: conns}
}

func (c *commands) fill(s *side, sample *series.Sample) {
	sample.ClientMetrics, sample.Ended = c.metrics(s, sample.KernelConns), s.ended
	// A client may hold as many connections as a client of ours descriptors.
	if most, open := loadgen.MaxFDs(), sample.Client.Counts.Open(); most > 0 && open >= most {
		s.stopped = fmt.Sprintf("holds %d connections, the most this run may take is %d", open, most)
		c.run.stopped = fmt.Sprintf("the %s %s: %s", s.client.name, s.stopped, loadgen.WhyMaxFDs())
	}
}

func (c *commands) last(context.Context) {}

func (c *commands) counted(context.Context, error) error { return nil }

// settled is true of two counts that are the same, and hold all that our server
// accepted and that any sample showed: the kernel may report the last of the sockets a
// moment later than the end of their process. A process that has not ended goes on
// opening some.
func (c *commands) settled(s *side, before, now *series.ConnCounts) bool {
	if now == nil || !s.ended {
		return true
	}
	least := int(s.served.Accepted)
	for _, sample := range c.run.observation.Subject(s.ID).Samples {
		if seen := sample.KernelConns; seen != nil {
			least = max(least, seen.Opened)
		}
	}
	return before != nil && now.Opened == before.Opened && now.Opened >= least
}

func (c *commands) final(s *side, kernel *series.ConnCounts) series.Final {
	if s.failure != "" {
		s.client.kill() // now all that it wrote is there
		s.failure += s.client.stderr.String()
	}
	if kernel == nil {
		kernel = c.run.observation.Subject(s.ID).KernelConns()
	}
	return series.Final{ClientMetrics: c.metrics(s, kernel), KernelConns: kernel, Stopped: s.stopped, Failure: s.failure}
}
