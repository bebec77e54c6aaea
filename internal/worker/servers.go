package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/scenarios"
)

// servers are all the servers of one side, the first one, which gets the load, first.
// Make them with openServers; serve closes what it opened.
type servers struct {
	order ServerOrder
	all   []*endpoint
	// began is closed when the first connection comes to the first server.
	began chan struct{}
}

// endpoint is a server and its socket.
type endpoint struct {
	*server.Server
	name       string
	socket     server.Socket
	nameServer bool
}

func (e *endpoint) addr() string { return e.socket.Addr().String() }

// openServers makes the servers, and has them listen.
func openServers(order ServerOrder, log *slog.Logger) (s *servers, err error) {
	s = &servers{order: order, began: make(chan struct{})}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	behaviours := append([]scenario.Server{order.Behaviour}, order.Upstreams...)
	for i, b := range behaviours {
		addr := "127.0.0.1:0"
		if i == 0 {
			addr = order.Listen
		}
		socket, err := server.Listen(addr, b)
		if err != nil {
			return s, err
		}
		s.all = append(s.all, &endpoint{name: b.Name, socket: socket, nameServer: scenario.ProtocolOf(b).NameServer})
	}
	for i, b := range behaviours {
		config := server.Config{Behaviour: b, Peers: s.peers(i), Log: log}
		if i == 0 && order.Code != "" {
			config.Serve = scenarios.Serve(order.Code, order.Side)
			config.Handler = s.handler(config.Peers)
		}
		s.all[i].Server = server.New(config)
	}
	if l, ok := s.all[0].socket.(net.Listener); ok {
		s.all[0].socket = &firstListener{Listener: l, came: s.began}
	}
	return s, nil
}

// peers are the servers that can get requests, but for one.
func (s *servers) peers(but int) []server.Peer {
	var peers []server.Peer
	for i, e := range s.all {
		if i != but && !e.nameServer {
			peers = append(peers, server.Peer{Name: e.name, Addr: e.addr()})
		}
	}
	return peers
}

// handler is the code of a pair that stands in the middle, or nil: a client of
// the first upstream.
func (s *servers) handler(upstreams []server.Peer) http.Handler {
	if len(upstreams) == 0 {
		return nil
	}
	return scenarios.Handler(s.order.Code, s.order.Side, loadgen.NewTarget(loadgen.At{
		Addr: upstreams[0].Addr, Servers: addrs(upstreams),
	}, s.order.Settings, s.order.Speed))
}

func addrs(peers []server.Peer) map[string]string {
	addrs := map[string]string{}
	for _, p := range peers {
		addrs[p.Name] = p.Addr
	}
	return addrs
}

// relays reports whether the first server is a client of the others.
func (s *servers) relays() bool {
	return scenario.ProtocolOf(s.order.Behaviour).Relays || scenarios.Relays(s.order.Code)
}

// endpoints says what there is to know beside the first server's address.
func (s *servers) endpoints() *Endpoints {
	endpoints := &Endpoints{Upstreams: addrs(s.peers(0)), CA: s.all[0].CA(), Relayed: s.relays()}
	for _, e := range s.all {
		if e.nameServer {
			endpoints.Names = e.addr()
		}
	}
	return endpoints
}

// served says what each server has done, and which of them are due: those that
// a balancer spreads over, or the one that the name server names.
func (s *servers) served() Answer {
	first := s.all[0].Served()
	a := Answer{Served: &first}
	if len(s.all) == 1 {
		return a
	}
	a.Upstreams = map[string]server.Served{}
	var directed []string
	for i, e := range s.all {
		switch {
		case e.nameServer && e.Directs() != "":
			directed = []string{e.Directs()}
		case e.nameServer:
		default:
			a.Upstreams[e.name] = e.Served()
			if i > 0 && scenario.ProtocolOf(s.order.Behaviour).Relays {
				a.Due = append(a.Due, e.name)
			}
		}
	}
	if directed != nil {
		a.Due = directed
	}
	return a
}

// serve serves until ctx is done, and returns the first server's error, or that
// of another that ended before its time.
func (s *servers) serve(ctx context.Context, network Network) error {
	defer s.close()
	first := s.all[0]
	change := func(context.Context) error { return nil }
	if plan := s.order.Network; len(plan) > 0 {
		var err error
		if change, err = network.Plan(plan, s.portOf, s.began); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var others sync.WaitGroup
	failed := make(chan error, len(s.all))
	background := func(name string, serve func(context.Context) error) {
		others.Go(func() {
			if err := serve(ctx); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("%s: %w", name, err)
				stop()
			}
		})
	}
	for _, e := range s.all[1:] {
		background(e.name, func(ctx context.Context) error { return e.Serve(ctx, e.socket) })
	}
	background("network", change)
	err := first.Serve(ctx, first.socket)
	stop()
	others.Wait()
	select {
	case other := <-failed:
		return errors.Join(other, err)
	default:
		return err
	}
}

// portOf returns the port of the server with this name, or of the first one where that
// is empty.
func (s *servers) portOf(name string) uint16 {
	for i, e := range s.all {
		if at, ok := e.socket.Addr().(*net.TCPAddr); ok && (e.name == name || (name == "" && i == 0)) {
			return at.AddrPort().Port()
		}
	}
	return 0
}

// close closes what was opened. Some of it has been closed by who served it.
func (s *servers) close() {
	for _, e := range s.all {
		_ = e.socket.Close()
	}
}

// firstListener says when its first connection came.
type firstListener struct {
	net.Listener
	once sync.Once
	came chan struct{}
}

func (l *firstListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.once.Do(func() { close(l.came) })
	}
	return c, err
}
