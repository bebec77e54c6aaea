package observe

import (
	"net/netip"
	"time"

	"socketlab/internal/socketstats"
)

// byProcess gives each process all the sockets that it holds or held.
type byProcess struct {
	except    uint16 // see [Options]
	details   bool
	processes *processes
	own       socketstats.Addresses
	holders
	// listeners are the ports that are listened on, and by whom. What has one of
	// them as its own is the server's end.
	listeners    map[uint16]int32
	destinations destinations
}

func (p *byProcess) list(sockets []socketstats.Socket, at time.Duration) {
	p.listeners = map[uint16]int32{}
	for i := range sockets {
		if s := &sockets[i]; s.State == socketstats.Listen {
			p.listeners[s.Local.Port()] = max(p.listeners[s.Local.Port()], s.PID)
		}
	}
	p.turn(at)
	p.destinations.turn()
	for i := range sockets {
		s := &sockets[i]
		pid, _, ok := p.row(s)
		if p.details {
			p.destinations.see(s, ok)
		}
		if ok {
			p.set(s.Local, s.Remote, pid)
		}
	}
}

func (p *byProcess) row(s *socketstats.Socket) (pid int32, end socketstats.End, ok bool) {
	if p.excepted(s.Local, s.Remote) {
		return 0, end, false
	}
	return s.PID, p.endAt(s.Local), s.PID != 0 && p.processes.watched(s.PID)
}

func (p *byProcess) endAt(local netip.AddrPort) socketstats.End {
	if _, served := p.listeners[local.Port()]; served {
		return socketstats.Server
	}
	return socketstats.Client
}

// excepted reports whether a socket is of a connection to the page, at either end.
func (p *byProcess) excepted(local, remote netip.AddrPort) bool {
	return p.except != 0 && (local.Port() == p.except || (remote.Port() == p.except && p.own.Has(remote.Addr())))
}

func (p *byProcess) connection(c socket) (pid int32, end socketstats.End, found attribution) {
	end = p.endAt(c.local)
	if p.excepted(c.local, c.remote) {
		return 0, end, notWatched
	}
	if pid = c.pid; pid == 0 {
		pid = p.listeners[c.local.Port()]
	}
	if pid == 0 {
		pid = p.held(c.local, c.remote)
	}
	only := p.destinations.only(c.remote)
	switch {
	case pid == 0 && only != 0:
		return only, end, inferred
	case pid == 0:
		return 0, end, unknown
	case p.processes.watched(pid):
		return pid, end, watched
	default:
		return pid, end, notWatched
	}
}
