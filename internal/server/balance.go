package server

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// balance returns the serveFunc of a balancer: each connection goes to the next
// of the servers behind it. One that cannot be reached costs the client its
// connection, and not a try at the next one.
func (s *Server) balance(upstreams []string) serveFunc {
	var next atomic.Int64
	return func(_, cut context.Context, c net.Conn) {
		defer c.Close()
		addr := upstreams[int(next.Add(1)-1)%len(upstreams)]
		var dialer net.Dialer
		server, err := dialer.DialContext(cut, "tcp", addr)
		if err != nil {
			s.cfg.Log.Warn("cannot pass a connection on", "to", addr, "error", err)
			return
		}
		defer server.Close()
		front := s.conns.of(c.RemoteAddr().String())
		if front == nil { // the server went down meanwhile
			return
		}
		stop := context.AfterFunc(cut, func() {
			front.Close()
			server.Close()
		})
		defer stop()
		back := server.(*net.TCPConn)
		var both sync.WaitGroup
		both.Go(func() { passOn(back, front.TCPConn) })
		both.Go(func() { passOn(front.TCPConn, back) })
		both.Wait()
	}
}

// passOn copies what from sends to to, and then how it ended: a FIN as a FIN,
// which leaves the other way open, and a reset of either end as a reset of
// the other.
func passOn(to, from *net.TCPConn) {
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
