package lab

import (
	"context"
	"net/netip"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// sampler counts the sockets of both sides in one reading of the kernel's
// list, so that the two are of the same moment.
type sampler struct {
	source  socketstats.Source
	servers map[scenario.Side]netip.AddrPort
	// before holds sockets that an earlier user of a port left behind, with
	// their states: a port may be used again while its last connections are
	// still in TIME_WAIT. They are not of this run.
	before map[socketstats.Tuple]socketstats.State
}

func newSampler(ctx context.Context, source socketstats.Source, servers map[scenario.Side]netip.AddrPort) (*sampler, error) {
	s := &sampler{source: source, servers: servers}
	sockets, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	s.before = map[socketstats.Tuple]socketstats.State{}
	for _, socket := range sockets {
		if socket.State != socketstats.Listen {
			s.before[socket.Tuple()] = socket.State
		}
	}
	return s, nil
}

// leftBehind is how many sockets are not of this run, at a side's server.
func (s *sampler) leftBehind(side scenario.Side) int {
	n := 0
	for tuple := range s.before {
		if _, ok := (socketstats.Socket{Local: tuple.Local, Remote: tuple.Remote}).EndOf(s.servers[side]); ok {
			n++
		}
	}
	return n
}

func (s *sampler) list(ctx context.Context) ([]socketstats.Socket, error) {
	var ports []uint16
	for _, at := range s.servers {
		ports = append(ports, at.Port())
	}
	return s.source.Sockets(ctx, socketstats.Query{Ports: ports})
}

// counts returns each side's sockets at the client's and the server's end.
func (s *sampler) counts(ctx context.Context) (client, server map[scenario.Side]socketstats.Counts, err error) {
	sockets, err := s.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	ours := sockets[:0]
	still := map[socketstats.Tuple]socketstats.State{}
	for _, socket := range sockets {
		// A four-tuple that comes back to life is a new connection.
		if state, ok := s.before[socket.Tuple()]; ok && state == socket.State {
			still[socket.Tuple()] = state
			continue
		}
		ours = append(ours, socket)
	}
	s.before = still
	client, server = map[scenario.Side]socketstats.Counts{}, map[scenario.Side]socketstats.Counts{}
	for side, at := range s.servers {
		client[side], server[side] = socketstats.Count(ours, at)
	}
	return client, server, nil
}
