package server

import (
	"bufio"
	"context"
	"net"
	"slices"

	"socketlab/internal/scenario"
)

func init() {
	register(scenario.Protocol{
		Name: "sink", Text: "reads lines and never sends anything, as a collector of logs does",
		Keys: slices.Clone(tcpKeys),
	}, sink{})
}

type sink struct{ tcp }

func (sink) open(s *Server) speaker { return sinkServer{s} }

type sinkServer struct{ *Server }

func (s sinkServer) serve(ctx context.Context, at Socket) error {
	return s.serveTCP(ctx, at, func(ctx context.Context, l net.Listener, _ *boundListener) error {
		return s.serveConns(ctx, l, s.serveConn)
	})
}

// serveConn is a serveFunc. A line counts as a request that was answered.
func (s sinkServer) serveConn(draining, _ context.Context, conn net.Conn) {
	stop := context.AfterFunc(draining, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for n := 1; lines.Scan(); n++ {
		s.work.begin(n)
		s.work.answered.Add(1)
	}
}
