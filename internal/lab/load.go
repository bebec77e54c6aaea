package lab

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/worker"
	"socketlab/scenarios"
)

// load is the driver of a scenario: a load of ours against servers of ours, with
// the code of the script's pair.
type load struct {
	*Plan
	run *run
}

func (l *load) header() series.Header {
	h := series.Header{Title: l.Script.Title, Scenario: &series.Scenario{
		ID: l.Script.ID, Script: l.Script.Text, Speed: l.Script.Speed, Seed: l.Seed,
	}}
	for _, s := range l.run.sides {
		h.Scenario.Swapped = h.Scenario.Swapped || s.ID == string(s.Code.Other())
		if s.Command != "" {
			if h.Scenario.Commands == nil {
				h.Scenario.Commands = map[string]string{}
			}
			h.Scenario.Commands[s.ID] = s.Command
		}
	}
	return h
}

// settings are the client settings that the code of a side gets.
func (l *load) settings(s *side) scenario.Client {
	if s.Settings != nil {
		return *s.Settings
	}
	return l.Script.Client
}

// programs are those of a side.
func (l *load) programs(s *side) Programs {
	p := l.Programs
	p.Dir = cmp.Or(s.Dir, p.Dir)
	return p
}

func (l *load) startServer(ctx context.Context, s *side) error {
	if s.Server.IsValid() {
		s.addrs = endpoints{s.Server}
		return nil
	}
	err := l.run.startOwnServer(ctx, l.programs(s), s, worker.ServerOrder{
		Name: l.processName("server", s), Listen: s.Listen, Behaviour: l.Script.Server, Upstreams: l.Script.Upstreams, Network: l.Script.Network, Sysctl: l.Script.Sysctl,
		Settings: l.settings(s), Speed: l.Script.Speed, Code: l.Script.Implementation, Side: s.Code,
	})
	if err != nil {
		return err
	}
	s.server.reports = true
	return nil
}

// processName tells the processes of a run with ends elsewhere apart for who looks at them
// from outside their pods: such as "server-faulty". Others keep the name of their program.
func (l *load) processName(part string, s *side) string {
	if l.Elsewhere == nil {
		return ""
	}
	return part + "-" + s.ID
}

// freePort is any free port of loopback.
const freePort = "127.0.0.1:0"

// startOwnServer starts a server of ours, and waits until it listens.
func (r *run) startOwnServer(ctx context.Context, programs Programs, s *side, order worker.ServerOrder) error {
	if order.Listen == "" {
		order.Listen = freePort
	}
	s.speaks(order.Behaviour.Protocol)
	var err error
	if s.server, err = programs.start(r, s, slowserverProgram, "server", order); err != nil {
		return err
	}
	return r.awaitStart(ctx, s.server, func() bool { return len(s.addrs) > 0 })
}

func (l *load) startClients(ctx context.Context, sides []*side) error {
	for _, s := range sides {
		if s.ServerOnly {
			continue
		}
		if err := l.startClient(s); err != nil {
			return err
		}
	}
	for _, s := range sides { // all load their code at the same time
		if s.client == nil {
			continue
		}
		if err := l.run.awaitStart(ctx, s.client, func() bool { return s.client.ready }); err != nil {
			return err
		}
	}
	return nil
}

// startClient starts a side's client, and does not wait for it.
func (l *load) startClient(s *side) error {
	var err error
	s.client, err = l.programs(s).start(l.run, s, clientProgram(s.Code), "client", worker.ClientOrder{
		Name: l.processName("client", s), Server: s.Server,
		Code: l.Script.Implementation, Side: s.Code, Command: s.Command, SaysReady: s.SaysReady, Arrivals: l.Script.Arrivals(l.Seed),
		Target: loadgen.NewTarget(loadgen.At{
			Addr: s.addrs[0].String(), Secure: s.own.CA != "", CA: s.own.CA, Servers: s.own.Upstreams, DNS: s.own.Names,
		}, l.settings(s), l.Script.Speed),
	})
	if err != nil {
		return err
	}
	s.client.reports = true
	if s.Command != "" { // it ends the user's program first, if need be by force
		s.client.patience = worker.CommandEndTimeout + endTimeout
	}
	return nil
}

func (l *load) begin(ctx context.Context, announce func()) error {
	if l.Elsewhere != nil {
		var servers []netip.AddrPort
		for _, s := range l.run.sides {
			servers = append(servers, s.addrs[0])
		}
		err := l.run.until(ctx, func(ctx context.Context) error { return l.Elsewhere.Begin(ctx, servers) })
		if err != nil {
			return err
		}
	}
	for i, s := range l.run.sides {
		if s.client != nil {
			l.run.sampler.watch(i, s.client.pid)
		}
	}
	announce()
	l.run.start = time.Now()
	for _, s := range l.run.sides {
		if s.client == nil {
			continue
		}
		if err := s.client.mustSend(worker.Start); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) heard(p *process, a worker.Answer) error {
	if a.Report != nil && a.Report.Refused != "" {
		if at := p.side.Server; at.IsValid() {
			return fmt.Errorf("the %s was refused %s: it may connect to %s only", p.name, a.Report.Refused, at)
		}
		return fmt.Errorf("the %s was refused %s: it is not on loopback", p.name, a.Report.Refused)
	}
	if a.Report != nil && a.Report.Stopped != "" {
		l.run.stopped = fmt.Sprintf("the %s %s: %s", p.name, a.Report.Stopped, loadgen.WhyMaxFDs())
	}
	return nil
}

// done is always false: also when all was sent, the load's last pause is part of it.
func (l *load) done() bool { return false }

// lateTimeout is how long a client may still need, after the end of the load,
// to send what was due: on a machine that is too busy it is late.
const lateTimeout = 10 * time.Second

// finish waits until all clients have sent their whole load, also those elsewhere.
func (l *load) finish(ctx context.Context) error {
	if err := l.finishOwn(ctx); err != nil || l.run.stopped != "" || l.Elsewhere == nil {
		return err
	}
	return l.run.until(ctx, l.Elsewhere.Sent)
}

func (l *load) finishOwn(ctx context.Context) error {
	late := time.After(lateTimeout)
	again := time.NewTicker(lateTimeout / 200)
	defer again.Stop()
	for {
		if err := l.run.ask(ctx); err != nil || l.run.stopped != "" || l.sent() {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return fmt.Errorf("the clients did not send their whole load within %s after its end: the machine is too busy for this speed", lateTimeout)
		case <-again.C:
		}
	}
}

func (l *load) sent() bool {
	for _, s := range l.run.sides {
		if s.client != nil && !s.report.Done {
			return false
		}
	}
	return true
}

func (l *load) fill(s *side, sample *series.Sample) {
	counted := sample.Process
	sample.ClientMetrics = withKinds(l.metrics(s), counted)
}

// withKinds adds the descriptors by kind, which the sampler has counted, to what a
// client said of its process. counted is nil where they are not known.
func withKinds(m series.ClientMetrics, counted *series.Process) series.ClientMetrics {
	if counted != nil && m.Process != nil {
		said := *m.Process
		said.Kinds = counted.Kinds
		m.Process = &said
	}
	return m
}

// metrics are what both processes of a side said last. Of the connections of a program
// of the user's it is the server that knows.
func (l *load) metrics(s *side) series.ClientMetrics {
	m := s.report.ClientMetrics
	m.ServerProcess = s.serverProcess
	if scenario.ProtocolOf(l.Script.Server).Multiplexes && (m.Requests != nil || s.ServerOnly) {
		var requests series.Requests
		if m.Requests != nil {
			requests = *m.Requests
		}
		requests.Serving = max(0, s.served.Received-s.served.Answered-s.served.Left-s.served.Cut)
		m.Requests = &requests
	}
	if s.Command == "" || m.Requests == nil {
		return m
	}
	reused := s.served.Reused
	if id := l.Script.Implementation; id != "" && scenarios.Serve(id, s.Code) != nil { // that counts requests only
		reused = max(0, s.served.Received-s.served.Accepted)
	}
	m.Connections = &series.ClientConns{Opened: s.served.Accepted, Reused: &reused}
	requests, received := *m.Requests, s.served.Received
	requests.Received = &received
	m.Requests = &requests
	return m
}

// counted waits until nothing elsewhere needs this run's processes any more. A run that has
// failed does not wait: what it was to do elsewhere fails with it.
func (l *load) counted(ctx context.Context, err error) error {
	if l.Elsewhere == nil || err != nil {
		return nil
	}
	return l.run.until(ctx, l.Elsewhere.Counted)
}

// last asks the clients for their last reports. From a client that is gone there
// is none, nor from one that has not answered what it was asked before; its newest one stands.
func (l *load) last(ctx context.Context) {
	for _, s := range l.run.sides {
		if s.client != nil && !s.client.deaf && s.client.send(worker.Finish) == nil {
			s.client.reports, s.client.stopping = false, true
		}
	}
	for _, s := range l.run.sides {
		if s.client == nil || s.client.deaf || s.client.asked {
			continue
		}
		_ = l.run.await(ctx, answerTimeout, func() bool { return s.report.Final || s.client.gone }, func() error { return nil })
	}
}

func (l *load) settled(s *side, _, now *series.ConnCounts) bool {
	return now == nil || s.report.Connections == nil || int64(now.Opened) >= s.report.Connections.Opened
}

// final is what the client said last. What it closes since then is not what it did
// under its load: of the kernel's closings those of the last sample stand.
func (l *load) final(s *side, kernel *series.ConnCounts) series.Final {
	subject := l.run.observation.Subject(s.ID)
	f := series.Final{ClientMetrics: l.metrics(s), Stopped: s.report.Stopped}
	if last := subject.Last(); last != nil {
		f.ClientMetrics = withKinds(f.ClientMetrics, last.Process)
	}
	sampled := subject.KernelConns()
	if kernel != nil && sampled != nil {
		closed := *sampled
		closed.Opened, closed.AtLeast = kernel.Opened, kernel.AtLeast
		f.KernelConns = &closed
	}
	return f
}
