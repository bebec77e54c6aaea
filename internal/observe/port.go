package observe

import (
	"net/netip"
	"time"

	"socketlab/internal/socketstats"
)

// byPort gives each process its client ends of connections to a port, and the
// server ends of the same connections.
type byPort struct {
	port      uint16
	processes *processes
	own       socketstats.Addresses
	// traced says that openings are heard with the process that connected.
	traced bool
	// holders are those of client ends; server ends have an age only.
	holders
}

func (p *byPort) list(sockets []socketstats.Socket, at time.Duration) {
	p.turn(at)
	for i := range sockets {
		s := &sockets[i]
		switch end, ok := p.endOf(s); {
		case ok && end == socketstats.Client:
			p.set(s.Local, s.Remote, s.PID)
		case ok && p.ages:
			p.set(s.Local, s.Remote, 0)
		}
	}
}

// endOf is the end that a socket of a connection to the port is at.
func (p *byPort) endOf(s *socketstats.Socket) (socketstats.End, bool) {
	end, ok := s.EndOf(netip.AddrPortFrom(netip.Addr{}, p.port))
	return end, ok && s.State != socketstats.Listen
}

func (p *byPort) endAt(local netip.AddrPort) socketstats.End {
	if local.Port() == p.port {
		return socketstats.Server
	}
	return socketstats.Client
}

func (p *byPort) row(s *socketstats.Socket) (pid int32, end socketstats.End, ok bool) {
	if end, ok = p.endOf(s); !ok {
		return 0, end, false
	}
	pid = s.PID
	if end == socketstats.Server {
		peer, _ := p.now.get(s.Remote, s.Local)
		pid = peer.pid
	}
	return pid, end, p.processes.watched(pid)
}

// connection counts a connection that has both ends on this machine by one of
// them: with the tracepoint by the client's, whose process it reports; without by
// the server's, whose addresses the kernel never forgets. Either way it is one that
// the client opened, and not one that the subject accepted.
func (p *byPort) connection(c socket) (pid int32, end socketstats.End, found attribution) {
	here := p.own.Has(c.remote.Addr())
	switch {
	case c.local.Port() == p.port && (!p.traced || !here):
		pid = p.held(c.remote, c.local)
		if !here {
			end = socketstats.Server
		}
	case c.remote.Port() == p.port && (p.traced || !here || c.alone):
		if pid = c.pid; pid == 0 {
			pid = p.held(c.local, c.remote)
		}
	case c.remote.Port() == 0 && !p.traced && c.local.Port() != p.port && !here:
		return 0, end, unknown // forgotten, and to another machine: it may have been to this port
	default:
		return 0, end, notWatched
	}
	if p.processes.watched(pid) {
		return pid, end, watched
	}
	return pid, end, notWatched
}

// has reports whether a client's end was in the newest list.
func (p *byPort) has(local, remote netip.AddrPort) bool {
	_, ok := p.now.get(local, remote)
	return ok
}
