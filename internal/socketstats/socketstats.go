// Package socketstats says which TCP sockets the kernel holds, by state.
//
// It counts by four-tuple, never by descriptor: a socket in TIME_WAIT, a
// half-open one in SYN_RECV, one that its program closed while the peer had
// not (an orphan), and a connection that nobody has accepted yet all have no
// descriptor and no owner, and are sockets all the same.
//
// The package knows addresses, ports and processes; it knows nothing of
// scenarios, clients or runs.
package socketstats

import (
	"context"
	"net/netip"
)

// Socket is one TCP socket as the kernel lists it.
type Socket struct {
	// Local and Remote are without zone, and IPv4 addresses mapped into IPv6
	// (as a dual-stack listener's connections have) are unmapped. A
	// listener's Remote is the zero address and port.
	Local, Remote netip.AddrPort
	State         State
	// PID is the process that holds the socket's descriptor; where several do,
	// as in a forked server, the one with the lowest id. It is 0 where
	// there is none (see the package comment), and where the source could
	// not see one: another user's process, or a process that opened the
	// socket while the kernel's lists were being read.
	PID int32
}

// End is one side of a connection, seen from the server's port.
type End uint8

// The two ends. On loopback both are on this machine, as two sockets.
const (
	Client End = iota
	Server
)

// String returns "client" or "server".
func (e End) String() string {
	if e == Server {
		return "server"
	}
	return "client"
}

// EndOf says which end of a connection to server the socket is, and false
// where it is neither. A listener is at the server end. An unspecified server
// address (0.0.0.0 or ::, or the zero Addr) stands for every address.
func (s Socket) EndOf(server netip.AddrPort) (End, bool) {
	if matches(s.Remote, server) {
		return Client, true
	}
	if matches(s.Local, server) {
		return Server, true
	}
	return 0, false
}

func matches(have, want netip.AddrPort) bool {
	if have.Port() != want.Port() {
		return false
	}
	addr := want.Addr().Unmap()
	if !addr.IsValid() || addr.IsUnspecified() || have.Addr() == addr {
		return true
	}
	// A listener on all addresses serves this one, too: on [::] those of both
	// families, on 0.0.0.0 those of its own.
	return have.Addr().IsUnspecified() && (have.Addr().Is6() || addr.Is4())
}

// Tuple is a socket's four-tuple, the name it keeps in every state.
type Tuple struct{ Local, Remote netip.AddrPort }

// Tuple returns the socket's four-tuple.
func (s Socket) Tuple() Tuple { return Tuple{s.Local, s.Remote} }

// Query says which sockets are asked for.
type Query struct {
	// Ports keeps sockets with one of these as local or remote port.
	// Empty means all.
	Ports []uint16
	// Owners asks for PID wherever a process holds the socket, also when it
	// was opened while the lists were being read. It costs a reading of all
	// processes' descriptors, and a second one whenever such a socket is met.
	// Without it, PID is 0.
	Owners bool
}

func (q Query) wants(s Socket) bool {
	if len(q.Ports) == 0 {
		return true
	}
	for _, p := range q.Ports {
		if s.Local.Port() == p || s.Remote.Port() == p {
			return true
		}
	}
	return false
}

// Source lists sockets. A Source is safe for use by several goroutines.
type Source interface {
	// Name is what records and tables call the source: "gopsutil".
	Name() string
	// Sockets returns the sockets that q asks for, of both address families,
	// in no special order. What cannot be read is an error, never a shorter
	// list.
	Sockets(ctx context.Context, q Query) ([]Socket, error)
	// Blind lists the states that this source cannot see on this system.
	Blind() []State
}

// Count counts the sockets of connections to server, by end and state.
func Count(sockets []Socket, server netip.AddrPort) (client, srv Counts) {
	for _, s := range sockets {
		switch end, ok := s.EndOf(server); {
		case !ok:
		case end == Client:
			client.Add(s.State)
		default:
			srv.Add(s.State)
		}
	}
	return client, srv
}
