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
	"net/netip"
	"slices"
	"time"
)

// Socket is one TCP socket as the kernel lists it.
type Socket struct {
	// Local and Remote are without zone, and IPv4 addresses mapped into IPv6
	// (as a dual-stack listener's connections have) are unmapped. A
	// listener's Remote is the zero address and port.
	Local, Remote netip.AddrPort
	State         State
	// Minisock says that only a small record is left of the socket, which
	// the kernel keeps until a timer ends it: TIME_WAIT, or FIN_WAIT2 after
	// close (struct inet_timewait_sock). Only [Sockdiag] tells.
	Minisock bool
	// PID is the process that holds the socket's descriptor; where several do,
	// as in a forked server, the one with the lowest id. It is 0 where
	// there is none (see the package comment), and where the source could
	// not see one: another user's process, or a process that opened the
	// socket while the kernel's lists were being read.
	PID int32

	// What follows is what [Sockdiag] knows beside; it is zero from other
	// sources.

	// UID is the user that the socket belongs to, and Inode the number that
	// its descriptors share. Inode is 0 where no descriptor refers to it.
	UID, Inode uint32
	// Cookie names the socket as long as the machine runs. It survives the
	// change to TIME_WAIT, and is never used again.
	Cookie uint64
	// RecvQ and SendQ are what waits to be read and to be acknowledged, in
	// bytes. Of a listener they are the connections that wait to be accepted,
	// and the most that may (so one more than that are held: net/ipv4/
	// tcp_diag.c, sk_acceptq_is_full in include/net/sock.h).
	RecvQ, SendQ uint32
	// Info is nil where [Query.Info] did not ask, and where the kernel has
	// none: of a Minisock and in SYN_RECV.
	Info *Info
}

// Info is how a connection does, from the kernel's struct tcp_info.
type Info struct {
	// RTT is the smoothed round-trip time.
	RTT time.Duration
	// Retransmits counts segments sent again since the connection began.
	Retransmits uint32
	// SegmentsOut and SegmentsIn count the segments with data that were sent
	// and received. A small request, or a small answer, is one.
	SegmentsOut, SegmentsIn uint32
	// Sent and Received are how long ago data was last sent and received, to a
	// millisecond; where there was none, how old the connection is. A
	// connection whose both are long ago is idle. Both are 0 in SYN_SENT and
	// LISTEN, where there is no connection.
	Sent, Received time.Duration
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

// EndOf says which end of a connection to one of the servers the socket is, and
// false where it is neither. A listener is at the server end. An unspecified
// server address (0.0.0.0 or ::, or the zero Addr) stands for every address.
func (s Socket) EndOf(servers ...netip.AddrPort) (End, bool) {
	for _, server := range servers {
		if matches(s.Remote, server) {
			return Client, true
		}
	}
	for _, server := range servers {
		if matches(s.Local, server) {
			return Server, true
		}
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
	// States keeps sockets in one of these. Empty means all.
	States []State
	// Owners asks for PID wherever a process holds the socket, also when it
	// was opened while the lists were being read. To gopsutil it costs a
	// reading of all processes' descriptors, and a second one whenever such a
	// socket is met; to sock_diag only where there are sockets that it has
	// not met before. Without it, PID is 0.
	Owners bool
	// OwnersAmong limits Owners to these processes: sockets of others have
	// PID 0, and cost nothing more. Empty means all.
	OwnersAmong []int32
	// Info asks for [Socket.Info], which sock_diag has.
	Info bool
	// Into is where the answer may be put if there is room; what it held is
	// lost. Who asks again and again saves memory by giving back the last
	// answer.
	Into []Socket
	// Thrifty asks sock_diag to save processor time rather than time: it reads
	// a long answer on one thread.
	Thrifty bool
}

func (q Query) wants(s Socket) bool {
	if len(q.States) > 0 && !slices.Contains(q.States, s.State) {
		return false
	}
	return len(q.Ports) == 0 || slices.Contains(q.Ports, s.Local.Port()) || slices.Contains(q.Ports, s.Remote.Port())
}

// room returns an empty list with room for n sockets.
func (q Query) room(n int) []Socket {
	if cap(q.Into) >= n {
		return q.Into[:0]
	}
	return make([]Socket, 0, n)
}

// owner is pid where the query asks for the sockets of that process.
func (q Query) owner(pid int32) int32 {
	if !q.Owners || (len(q.OwnersAmong) > 0 && !slices.Contains(q.OwnersAmong, pid)) {
		return 0
	}
	return pid
}

// Count counts the sockets of connections to the servers, by end and state.
func Count(sockets []Socket, servers ...netip.AddrPort) (client, srv Counts) {
	for _, s := range sockets {
		switch end, ok := s.EndOf(servers...); {
		case !ok:
		case end == Client:
			client.Add(s.State)
		default:
			srv.Add(s.State)
		}
	}
	return client, srv
}
