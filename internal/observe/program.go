package observe

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"socketlab/internal/fixes"
	"socketlab/internal/runtimes"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// programs are what the watched processes run, and what part they were seen to play.
// What a process runs is read once.
type programs struct {
	of map[int32]*program
	// here are the listeners on this machine; the zero listener where nothing is known.
	here map[place]listener
}

// listener is what is known of a program that listens: the protocol that it speaks by its
// nature, and its name where it is known when it closes idle connections. Each may be "".
type listener struct{ protocol, server string }

// place is an address of a network namespace.
type place struct {
	namespace uint32
	addr      netip.AddrPort
}

func newPrograms() programs {
	return programs{of: map[int32]*program{}, here: map[place]listener{}}
}

// mostHere bounds how many listeners are looked up: each takes a look at the
// descriptors of all processes.
const mostHere = 16

type program struct {
	runtimes.Program
	// listens and connects say that it was seen to do so, and peers and clients are
	// the protocols of the ports that it connects to and listens on; sorted.
	listens, connects bool
	peers, clients    []string
	// servers are the names of those on this machine that it is a client of; "" is one
	// that is not known.
	servers []string
	// peerClosed is the shortest silence of a connection that a peer had closed, to 0.1 s;
	// 0 is none.
	peerClosed time.Duration
}

// see enters a sample's sockets, each for the process that stands for its own.
func (p programs) see(namespace uint32, sockets []socketstats.Socket, row func(*socketstats.Socket) (int32, socketstats.End, bool), standsFor func(pid int32) int32) {
	for i := range sockets {
		s := &sockets[i]
		pid, end, ok := row(s)
		if pid = standsFor(pid); !ok || pid == 0 {
			continue
		}
		of := p.program(pid)
		if end == socketstats.Client {
			of.connects = true
			if s.State == socketstats.CloseWait && s.Info != nil {
				if silent := max(min(s.Info.Sent, s.Info.Received).Round(100*time.Millisecond), 1); of.peerClosed == 0 || silent < of.peerClosed {
					of.peerClosed = silent
				}
			}
			at := p.listener(s, namespace, sockets)
			of.peers = with(of.peers, at.protocol)
			if !slices.Contains(of.servers, at.server) && len(of.servers) < 2 {
				of.servers = append(of.servers, at.server)
			}
		} else if standsFor(s.PID) == pid {
			of.listens = true
			of.clients = with(of.clients, runtimes.ProtocolOf(s.Local.Port()))
		}
	}
}

// seeOpened enters who has opened connections, also between two samples.
func (p programs) seeOpened(r rows) {
	for of, sample := range r {
		if of.pid != 0 && !of.serves && sample.KernelConns != nil && sample.KernelConns.AtClient().Opened > 0 {
			p.program(of.pid).connects = true
		}
	}
}

// listener is what a client's connection goes to: what it speaks, by its port or, on this
// machine, by who listens there.
func (p programs) listener(s *socketstats.Socket, namespace uint32, sockets []socketstats.Socket) listener {
	port := s.Remote.Port()
	known := listener{protocol: runtimes.ProtocolOf(port)}
	if s.Remote.Addr() != s.Local.Addr() && !s.Remote.Addr().IsLoopback() {
		return known
	}
	at := place{namespace, s.Remote}
	here, looked := p.here[at]
	if !looked && len(p.here) < mostHere {
		if l := listenerAt(s.Remote, sockets); l != nil {
			pid := l.PID
			if pid == 0 && l.Inode != 0 {
				pid = socketstats.OwnersOf([]uint32{l.Inode})[l.Inode]
			}
			if pid != 0 {
				of := runtimes.Of(pid)
				here = listener{of.Speaks(), fixes.ServerOf(of.Runtime, of.Module)}
			}
		}
		p.here[at] = here
	}
	known.protocol, known.server = cmp.Or(known.protocol, here.protocol), here.server
	return known
}

// listenerAt is the socket that listens on an address, or on its port of every address; nil
// is none. Of the two the kernel prefers the first, too.
func listenerAt(addr netip.AddrPort, sockets []socketstats.Socket) (every *socketstats.Socket) {
	for i := range sockets {
		switch l := &sockets[i]; {
		case l.State != socketstats.Listen || l.Local.Port() != addr.Port():
		case l.Local == addr:
			return l
		case !l.Local.Addr().IsUnspecified():
		case l.Local.Addr().Is4() == addr.Addr().Is4(), every == nil && addr.Addr().Is4(): // [::] accepts IPv4, too
			every = l
		}
	}
	return every
}

func (p programs) program(pid int32) *program {
	if p.of[pid] == nil {
		p.of[pid] = &program{Program: runtimes.Of(pid)}
	}
	return p.of[pid]
}

// with adds a text to a sorted list, unless it is there or "".
func with(list []string, text string) []string {
	i, there := slices.BinarySearch(list, text)
	if there || text == "" {
		return list
	}
	return slices.Insert(list, i, text)
}

// describe adds to a subject's identity what its main process runs, and what part all
// its processes play.
func (p programs) describe(id *series.Identity, main int32) {
	of, runs := p.program(id.PID), p.program(main)
	id.Runtime, id.RuntimeVersion, id.Module = runs.Runtime, runs.Version, printable(runs.Module)
	id.Role = runs.Role(of.listens, of.connects, of.peers)
	protocols := of.peers
	if !of.connects {
		if protocols = of.clients; len(protocols) == 0 {
			protocols = with(nil, runs.Speaks())
		}
	}
	id.Protocol = strings.Join(protocols, ",")
	if len(protocols) == 1 {
		id.Library = runs.Library(protocols[0])
	}
	if len(of.servers) == 1 {
		id.Peer = of.servers[0]
	}
	id.PeerClosedMS = of.peerClosed.Milliseconds()
}

// describeTogether gives several processes together what they all run and speak.
func describeTogether(id *series.Identity, of []series.Identity) {
	for i := range of {
		for _, f := range []struct {
			of    *string
			value string
		}{
			{&id.Runtime, of[i].Runtime},
			{&id.RuntimeVersion, of[i].RuntimeVersion},
			{&id.Module, of[i].Module},
			{&id.Role, of[i].Role},
			{&id.Protocol, of[i].Protocol},
			{&id.Library, of[i].Library},
			{&id.Peer, of[i].Peer},
		} {
			switch {
			case i == 0:
				*f.of = f.value
			case *f.of != f.value:
				*f.of = ""
			}
		}
	}
}
