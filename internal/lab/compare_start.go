package lab

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker"
)

// startProcesses starts the servers, and then the clients.
func (c *compare) startProcesses(ctx context.Context) (Begin, error) {
	script := abScript(c.Comparison)
	begin := Begin{
		Schema: RecordSchema, Script: script, Scenario: script.ID, Title: script.Title,
		Speed: script.Speed, GoVersion: runtime.Version(), Source: c.Source.Name(), UnsupportedStates: c.Source.UnsupportedStates(),
		Commands: &c.Commands, Provenance: c.Provenance,
	}
	servers := map[scenario.Side]endpoints{}
	for _, side := range scenario.Sides() {
		at, err := c.startServer(ctx, side)
		if err != nil {
			return begin, err
		}
		servers[side] = at
	}
	if err := c.openView(ctx, c.Source, servers); err != nil {
		return begin, err
	}
	for _, side := range scenario.Sides() {
		if err := c.readyClient(ctx, side, servers[side][0]); err != nil {
			return begin, err
		}
	}
	c.start = time.Now()
	for _, side := range scenario.Sides() {
		if err := c.procs[side].client.startCommand(ctx); err != nil {
			return begin, err
		}
		*begin.at(side) = c.endpoint(side, servers[side][0])
	}
	begin.Limits = socketstats.LimitsOf(int32(c.procs[scenario.Faulty].client.command))
	return begin, nil
}

func (c *compare) startServer(ctx context.Context, side scenario.Side) (endpoints, error) {
	pair := &pair{}
	c.procs[side] = pair
	if c.Server == "" {
		return pair.startServer(ctx, Programs{}, side, worker.ServerOrder{Listen: freePort, Behaviour: c.Behaviour, Side: side})
	}
	at, err := chooseAddr()
	if err != nil {
		return nil, err
	}
	pair.server, err = startCommand(ctx, Programs{}, serverOf(side), worker.CommandOrder{Command: fill(c.Server, at)})
	if err != nil {
		return nil, err
	}
	pair.fromServer = pair.server.answers
	if err := pair.server.startCommand(ctx); err != nil {
		return nil, err
	}
	return endpoints{at}, c.awaitListener(ctx, pair.server, at)
}

// readyClient starts a client's supervisor, but not its command.
func (c *compare) readyClient(ctx context.Context, side scenario.Side, server netip.AddrPort) error {
	var programs Programs
	if c.Output != nil {
		programs.echo = &labelled{w: c.Output, label: string(side) + ": "}
	}
	proc, err := startCommand(ctx, programs, clientOf(side), worker.CommandOrder{
		Command: fill(*c.of(side), server), ShowOutput: c.Output != nil,
	})
	if err != nil {
		return err
	}
	pair := c.procs[side]
	pair.client = proc
	pair.report.Unknown = c.unknown()
	return nil
}

// unknown is what cannot be known of these clients.
func (c *compare) unknown() []string {
	names := []string{"process", "latency_ms", "schedule_late_ms"}
	if c.Server != "" {
		names = append(names, "requests", "connections.reused")
		if c.sampler.views[0].closings == nil {
			names = append(names, "connections.opened")
		}
	}
	return names
}

// startCommand starts a supervisor, which waits.
func startCommand(ctx context.Context, programs Programs, name string, order worker.CommandOrder) (*process, error) {
	proc, err := programs.start(commandSupervisor, name, nil, order)
	if err != nil {
		return nil, err
	}
	proc.patience = worker.CommandEndTimeout + endTimeout
	if _, err := proc.first(ctx); err != nil {
		proc.kill()
		return nil, err
	}
	return proc, nil
}

// startCommand has a supervisor start its command.
func (p *process) startCommand(ctx context.Context) error {
	if err := p.send(worker.Start); err != nil {
		return err
	}
	a, err := p.first(ctx)
	p.command = a.Started
	return err
}

// awaitListener waits until somebody listens at a server's address. It looks at
// the kernel's list: a connection made only to see would be counted.
func (c *compare) awaitListener(ctx context.Context, server *process, at netip.AddrPort) error {
	late := time.NewTimer(startTimeout)
	defer late.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		listens, err := c.listens(ctx, at)
		if err != nil || listens {
			return err
		}
		select {
		case a, ok := <-server.answers:
			if err := supervisorFailed(server, a, ok); err != nil {
				return err
			}
			if a.Ended != nil {
				return commandEnded(server, fmt.Sprintf("before it listened on %s", at), *a.Ended)
			}
		case <-late.C:
			server.kill()
			return fmt.Errorf("the %s did not listen on %s within %s: does its command take the port from {port}, {addr} or {url}?%s", server.name, at, startTimeout, server.stderr)
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

func (c *compare) listens(ctx context.Context, at netip.AddrPort) (bool, error) {
	sockets, err := c.Source.Sockets(ctx, socketstats.Query{
		Ports: []uint16{at.Port()}, States: []socketstats.State{socketstats.Listen},
	})
	if err != nil {
		return false, err
	}
	_, server := socketstats.Count(sockets, at)
	return server.Total() > 0, nil
}
