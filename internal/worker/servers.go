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
	"socketlab/internal/server/nameserver"
	"socketlab/scenarios"
)

// servers are all the servers of one side: the first, which gets the load, and
// those behind it. Make them with openServers; serve closes what it opened.
type servers struct {
	order     ServerOrder
	first     *server.Server
	listen    *firstListener
	upstreams map[string]*server.Server
	listeners map[string]net.Listener
	names     *nameserver.Server // nil without one
	ask       net.PacketConn
}

// openServers makes the servers, and has them listen.
func openServers(order ServerOrder, log *slog.Logger) (s *servers, err error) {
	s = &servers{order: order, upstreams: map[string]*server.Server{}, listeners: map[string]net.Listener{}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	l, err := server.Listen(order.Listen, order.Behaviour)
	if err != nil {
		return s, err
	}
	s.listen = &firstListener{Listener: l, came: make(chan struct{})}
	ports := map[string]uint16{order.Behaviour.Name: portOf(l.Addr())}
	var resolve []scenario.Resolve
	var upstreams []string
	for _, b := range order.Upstreams {
		if b.Protocol == scenario.DNS {
			resolve = b.Resolve
			continue
		}
		if s.listeners[b.Name], err = server.Listen("127.0.0.1:0", b); err != nil {
			return s, err
		}
		s.upstreams[b.Name] = server.New(server.Config{Behaviour: b, Log: log})
		ports[b.Name] = portOf(s.listeners[b.Name].Addr())
		upstreams = append(upstreams, s.listeners[b.Name].Addr().String())
	}
	if resolve != nil {
		if s.ask, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			return s, err
		}
		s.names = nameserver.New(resolve, ports)
	}
	config := server.Config{Behaviour: order.Behaviour, Upstreams: upstreams, Log: log}
	if order.Code != "" {
		config.Serve = scenarios.Serve(order.Code, order.Side)
		config.Handler = s.handler(upstreams)
	}
	s.first = server.New(config)
	return s, nil
}

// handler is the code of a pair that stands in the middle, or nil: a client of
// the first server behind it.
func (s *servers) handler(upstreams []string) http.Handler {
	if len(upstreams) == 0 {
		return nil
	}
	return scenarios.Handler(s.order.Code, s.order.Side, loadgen.NewTarget(loadgen.At{
		Addr: upstreams[0], Servers: s.addrs(),
	}, s.order.Settings))
}

func portOf(a net.Addr) uint16 { return a.(*net.TCPAddr).AddrPort().Port() }

func (s *servers) addrs() map[string]string {
	addrs := map[string]string{}
	for name, l := range s.listeners {
		addrs[name] = l.Addr().String()
	}
	return addrs
}

// endpoints says where the servers are; nil where there is nothing to add to the
// first one's address.
func (s *servers) endpoints() *Endpoints {
	endpoints := &Endpoints{Upstreams: s.addrs(), CA: s.first.CA()}
	endpoints.Relayed = s.order.Behaviour.Protocol == scenario.Balancer || scenarios.Relays(s.order.Code)
	if s.names != nil {
		endpoints.Names = s.ask.LocalAddr().String()
	}
	return endpoints
}

// served says what each server has done, and which of them are due: those that
// a balancer spreads over, or the one that the name server names.
func (s *servers) served() Answer {
	first := s.first.Served()
	a := Answer{Served: &first}
	if len(s.order.Upstreams) == 0 {
		return a
	}
	a.Upstreams = map[string]server.Served{s.order.Behaviour.Name: first}
	for name, srv := range s.upstreams {
		a.Upstreams[name] = srv.Served()
		if s.order.Behaviour.Protocol == scenario.Balancer {
			a.Due = append(a.Due, name)
		}
	}
	if s.names != nil && s.names.Queries() > 0 {
		a.Due = []string{s.names.Now()}
	}
	return a
}

// serve serves until ctx is done, and returns the first server's error, or that
// of another that ended before its time.
func (s *servers) serve(ctx context.Context) error {
	defer s.close()
	faults, err := openNetworkFaults(s.order.Network, portOf(s.listen.Addr()), s.listen.came)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var others sync.WaitGroup
	failed := make(chan error, len(s.listeners)+2)
	background := func(name string, serve func(context.Context) error) {
		others.Go(func() {
			if err := serve(ctx); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("%s: %w", name, err)
				stop()
			}
		})
	}
	for name, srv := range s.upstreams {
		background(name, func(ctx context.Context) error { return srv.Serve(ctx, s.listeners[name]) })
	}
	if s.names != nil {
		background("name server", func(ctx context.Context) error { return s.names.Serve(ctx, s.ask) })
	}
	background("network", faults.run)
	err = s.first.Serve(ctx, s.listen)
	stop()
	others.Wait()
	select {
	case other := <-failed:
		return errors.Join(other, err)
	default:
		return err
	}
}

// close closes what was opened. Some of it has been closed by who served it.
func (s *servers) close() {
	if s.listen != nil {
		_ = s.listen.Close()
	}
	for _, l := range s.listeners {
		if l != nil {
			_ = l.Close()
		}
	}
	if s.ask != nil {
		_ = s.ask.Close()
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
