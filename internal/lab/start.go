package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netns"
)

// What a program is told to be by its first argument.
const (
	serverProgram       = "slowserver"
	namespaceSupervisor = "supervise-namespace"
	commandSupervisor   = "supervise-command"
)

// CanIsolate returns nil where a run can be isolated, and otherwise an error
// that says why not. It tries.
func CanIsolate() error {
	space, err := newSpace()
	if err != nil {
		return err
	}
	return space.Close()
}

// newSpace makes a namespace. Its supervisor is always this same binary.
func newSpace() (*netns.Namespace, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program's own file to start a supervisor from it: %w", err)
	}
	return netns.New(exec.Command(self, namespaceSupervisor))
}

// startProcesses starts the servers, and then the clients, which wait.
func (p *play) startProcesses(ctx context.Context) (Begin, error) {
	begin := Begin{
		Schema: RecordSchema, Script: p.Script, Scenario: p.Script.ID, Title: p.Script.Title,
		Speed: p.Script.Speed, Seed: p.Seed, GoVersion: runtime.Version(), Isolated: p.Isolated,
		Provenance: p.Provenance,
	}
	servers := map[scenario.Side]endpoints{}
	for _, side := range scenario.Sides() {
		at, err := p.startServer(ctx, side)
		if err != nil {
			return begin, err
		}
		servers[side] = at
		begin.Relayed = begin.Relayed || p.procs[side].endpoints.Relayed
	}
	if err := p.openViews(ctx, servers); err != nil {
		return begin, err
	}
	begin.Source, begin.UnsupportedStates = p.sampler.views[0].source.Name(), p.sampler.views[0].source.UnsupportedStates()
	arrivals := p.Script.Arrivals(p.Seed)
	for _, side := range scenario.Sides() {
		if err := p.startClient(ctx, side, servers[side], arrivals); err != nil {
			return begin, err
		}
		*begin.at(side) = p.endpoint(side, servers[side][0])
	}
	begin.Limits = socketstats.LimitsOf(int32(p.procs[scenario.Faulty].client.pid))
	return begin, nil
}

func (s *runLoop) endpoint(side scenario.Side, server netip.AddrPort) Endpoint {
	pair := s.procs[side]
	at := Endpoint{Server: server.String(), ServerPID: pair.server.shown(), ClientPID: pair.client.shown()}
	if pair.space != nil {
		at.Supervisor = pair.space.PID()
	}
	for _, v := range s.sampler.views {
		at.LeftBehind += v.leftBehind(side)
	}
	return at
}

func (p *play) startServer(ctx context.Context, side scenario.Side) (endpoints, error) {
	listen := p.Listen[side]
	if listen == "" {
		listen = freePort
	}
	pair := &pair{}
	p.procs[side] = pair
	if p.Isolated {
		var err error
		if pair.space, err = newSpace(); err != nil {
			return nil, err
		}
	}
	return pair.startServer(ctx, p.Programs, side, worker.ServerOrder{
		Listen: listen, Behaviour: p.Script.Server, Upstreams: p.Script.Upstreams, Network: p.Script.Network,
		Settings: p.settings(side), Code: p.Script.Implementation, Side: p.code(side),
	})
}

// code is the side whose code is played as a side.
func (p *play) code(side scenario.Side) scenario.Side {
	if p.Settings != nil {
		return scenario.Fixed
	}
	if p.Swapped {
		return side.Other()
	}
	return side
}

// settings are what the code of a side is told.
func (p *play) settings(side scenario.Side) scenario.Client {
	if s, ok := p.Settings[side]; ok {
		return s
	}
	return p.Script.Client
}

// freePort is any free port of loopback.
const freePort = "127.0.0.1:0"

// startServer starts our own server, and returns where it listens, it and those
// behind it.
func (p *pair) startServer(ctx context.Context, programs Programs, side scenario.Side, order worker.ServerOrder) (endpoints, error) {
	var err error
	p.server, err = programs.start(serverProgram, serverOf(side), p.space, order)
	if err != nil {
		return nil, err
	}
	p.fromServer = p.server.answers
	answer, err := p.server.first(ctx)
	if err != nil {
		return nil, err
	}
	if answer.Endpoints != nil {
		p.endpoints = *answer.Endpoints
	}
	addrs := []string{answer.Listening}
	for _, name := range slices.Sorted(maps.Keys(p.endpoints.Upstreams)) {
		addrs = append(addrs, p.endpoints.Upstreams[name])
	}
	var at endpoints
	for _, addr := range addrs {
		one, err := netip.ParseAddrPort(addr)
		if err != nil {
			return nil, fmt.Errorf("the %s does not say where it listens: %w", p.server.name, err)
		}
		at = append(at, one)
	}
	return at, nil
}

// openViews makes the sampler, and has it look at what is there already.
func (p *play) openViews(ctx context.Context, servers map[scenario.Side]endpoints) error {
	if !p.Isolated {
		return p.openView(ctx, p.Source, servers)
	}
	for side, at := range servers {
		v, err := insideView(p.Source, p.procs[side].space, side, at)
		if v != nil {
			p.sampler.views = append(p.sampler.views, v)
		}
		if err != nil {
			return err
		}
	}
	for _, v := range p.sampler.views {
		if err := v.look(ctx); err != nil {
			return err
		}
	}
	return nil
}

// openView makes a sampler that sees both sides through one source, and has it
// look at what is there already.
func (s *runLoop) openView(ctx context.Context, source socketstats.Source, servers map[scenario.Side]endpoints) error {
	v := &view{source: source, servers: servers}
	s.sampler.views = []*view{v}
	var ports []uint16
	for _, at := range servers {
		ports = append(ports, at.ports()...)
	}
	closings, err := socketstats.OpenClosings(source, ports)
	switch {
	case err == nil:
		v.listen(closings)
	case !errors.Is(err, errors.ErrUnsupported):
		return err
	}
	return v.look(ctx)
}

// insideView sees a namespace from here.
func insideView(source socketstats.Source, space *netns.Namespace, side scenario.Side, at endpoints) (*view, error) {
	v := &view{proc: space.Proc(), servers: map[scenario.Side]endpoints{side: at}}
	var err error
	if v.source, err = socketstats.Inside(source, space.Sockdiag); err != nil {
		return nil, err
	}
	closings, err := socketstats.OpenClosings(v.source, nil)
	if err != nil {
		return v, err
	}
	v.listen(closings)
	return v, nil
}

func (p *play) startClient(ctx context.Context, side scenario.Side, at endpoints, arrivals []time.Duration) error {
	own := p.procs[side].endpoints
	proc, err := p.Programs.start("client-"+string(side), clientOf(side), p.procs[side].space, worker.ClientOrder{
		Code: p.Script.Implementation, Side: p.code(side), Arrivals: arrivals,
		Target: loadgen.NewTarget(loadgen.At{
			Addr: at[0].String(), Secure: own.CA != "", CA: own.CA, Servers: own.Upstreams, DNS: own.Names,
		}, p.settings(side)),
	})
	if err != nil {
		return err
	}
	p.procs[side].client = proc
	_, err = proc.first(ctx)
	return err
}
