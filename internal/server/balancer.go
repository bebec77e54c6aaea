package server

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"socketlab/internal/scenario"
)

func init() {
	register(scenario.Protocol{
		Name: "balancer", Text: "passes each connection on to the next of its upstreams",
		Keys: tcpKeys, Relays: true,
	}, balancer{})
}

type balancer struct{ tcp }

func (balancer) open(s *Server) speaker { return &balancerServer{Server: s} }

// balancerServer passes each connection on to the next of its upstreams. One that cannot
// be reached costs the client its connection, and not an attempt at the next one.
type balancerServer struct {
	*Server
	next atomic.Int64
}

func (s *balancerServer) serve(ctx context.Context, at Socket) error {
	if len(s.cfg.Peers) == 0 {
		at.Close()
		return errors.New("a balancer needs upstreams")
	}
	return s.serveTCP(ctx, at, func(ctx context.Context, l net.Listener, _ *boundListener) error {
		return s.serveConns(ctx, l, s.passOn)
	})
}

// passOn is a serveFunc.
func (s *balancerServer) passOn(_, cut context.Context, c net.Conn) {
	defer c.Close()
	addr := s.cfg.Peers[int(s.next.Add(1)-1)%len(s.cfg.Peers)].Addr
	var dialer net.Dialer
	upstream, err := dialer.DialContext(cut, "tcp", addr)
	if err != nil {
		s.cfg.Log.Warn("cannot pass a connection on", "to", addr, "error", err)
		return
	}
	defer upstream.Close()
	front := s.conns.of(c.RemoteAddr().String())
	if front == nil { // the server went down meanwhile
		return
	}
	stop := context.AfterFunc(cut, func() {
		front.Close()
		upstream.Close()
	})
	defer stop()
	back := upstream.(*net.TCPConn)
	var both sync.WaitGroup
	both.Go(func() { copyHalf(back, front.TCPConn) })
	both.Go(func() { copyHalf(front.TCPConn, back) })
	both.Wait()
}

// copyHalf copies what from sends to to, and then how it ended: a FIN as a FIN,
// which leaves the other way open, and a reset of either end as a reset of
// the other.
func copyHalf(to, from *net.TCPConn) {
	_, err := io.Copy(to, from)
	switch {
	case err == nil:
		_ = to.CloseWrite()
	case errors.Is(err, net.ErrClosed): // we closed one of them ourselves
		from.Close()
		to.Close()
	default:
		for _, end := range []*net.TCPConn{from, to} {
			_ = end.SetLinger(0)
			end.Close()
		}
	}
}
