// Package socketstats lists and counts the TCP sockets of the kernel, by state.
//
// Sockets are counted by four-tuple, not by descriptor. So these are counted
// although they have no descriptor and no owner: a socket in TIME_WAIT, a half-open
// one in SYN_RECV, an orphan (closed by its program but not yet by the peer), and a
// connection that was not accepted yet.
//
// A [Source] lists sockets. Each source is in a file of its own per system, and
// registers itself there.
//
// The package is about addresses, ports and processes. It does not depend on
// scenarios, clients or runs.
package socketstats

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Socket is one TCP socket as the kernel lists it.
type Socket struct {
	// Local and Remote have no zone. IPv4 addresses mapped into IPv6, as the
	// connections of a dual-stack listener have, are unmapped. A listener's
	// Remote is the zero AddrPort.
	Local, Remote netip.AddrPort
	State         State
	// Minisock says that the kernel keeps only a small record of the socket,
	// until a timer ends it: in TIME_WAIT, or in FIN_WAIT2 after close (struct
	// inet_timewait_sock). Only a source with [ReportsInfo] sets it.
	Minisock bool
	// Multipath says that the socket is of an MPTCP connection, and State is then that
	// of the connection: its subflows stay ESTABLISHED after an end has closed. Only
	// with [Query.Multipath].
	Multipath bool
	// Unowned says that no process has a descriptor of the socket: it was closed and the
	// kernel ends it, or no process has accepted it yet. Only a source with
	// [ReportsInodes] sets it.
	Unowned bool
	// PID is the process that holds a descriptor of the socket; if several do,
	// as in a forked server, the one with the lowest id. It is 0 if there is
	// none (see the package comment), and if the source could not see one:
	// another user's process, or a process that opened the socket during the
	// listing.
	PID int32

	// Only a source with [ReportsInfo] sets the fields that follow.

	// UID is the user of the socket, and Inode the number that its descriptors
	// share. Inode is 0 if there is no descriptor.
	UID, Inode uint32
	// Cookie identifies the socket as long as the machine runs. It stays the
	// same in TIME_WAIT, and is never used again (sock_gen_cookie in
	// net/core/sock_diag.c).
	Cookie uint64
	// RecvQ and SendQ are the bytes that were not read yet, and those that
	// were not acknowledged yet. For a listener they are the connections in
	// the accept queue, and its limit; the queue holds one connection more
	// than the limit (net/ipv4/tcp_diag.c, sk_acceptq_is_full in
	// include/net/sock.h). Of a Multipath socket RecvQ is the memory of what was not
	// read, in bytes (mptcp_diag_get_info in net/mptcp/mptcp_diag.c): it only says
	// whether there is any.
	RecvQ, SendQ uint32
	// Info is nil if [Query.Info] was false, and for a Minisock and in
	// SYN_RECV, for which the kernel has none.
	Info *Info
	// Held is nil if [Query.Held] was false.
	Held *Held
}

// Held is what the kernel keeps for a socket: its timer and its memory.
type Held struct {
	// Timer is the timer that runs, and Expires the time until it does; 0 for
	// [NoTimer].
	Timer   Timer
	Expires time.Duration
	// Unanswered are the retransmissions, or the probes, that nothing has answered yet.
	Unanswered uint8
	// RecvBuffer and SendBuffer are the limits, in bytes, of the memory for what was
	// received and is to be sent, and RecvMemory and SendMemory what is in use of
	// them, with the kernel's overhead. All are 0 for a Minisock and in SYN_RECV, which
	// have no buffers.
	RecvMemory, RecvBuffer, SendMemory, SendBuffer uint32
}

// Timer is a timer of a TCP socket, with the number of idiag_timer
// (inet_sk_diag_fill in net/ipv4/inet_diag.c).
type Timer uint8

// The timers. One of a socket runs at a time that is listed.
const (
	NoTimer Timer = iota
	RetransmitTimer
	KeepAliveTimer // also that of an orphan in FIN_WAIT2
	TimeWaitTimer
	ProbeTimer // of a window that is zero
)

// String returns the name, such as "keep-alive"; "" for [NoTimer].
func (t Timer) String() string {
	names := [...]string{"", "retransmit", "keep-alive", "time-wait", "window probe"}
	if int(t) >= len(names) {
		return fmt.Sprintf("Timer(%d)", uint8(t))
	}
	return names[t]
}

// Info is the state of one connection, from the kernel's struct tcp_info
// (include/uapi/linux/tcp.h).
type Info struct {
	// RTT is the smoothed round-trip time, to a microsecond.
	RTT time.Duration
	// Retransmits is the number of segments that were retransmitted since the
	// connection was opened.
	Retransmits uint32
	// Paused says that the other end is there and takes no data: its window is zero,
	// and it answers the probes.
	Paused bool
	// SegmentsOut and SegmentsIn are the segments with data that were sent and
	// received. A small request or response is one segment.
	SegmentsOut, SegmentsIn uint32
	// BytesSent are the bytes of data that were sent, without what was sent again;
	// 0 before Linux 4.19, which does not count them.
	BytesSent uint64
	// Sent and Received are the times since data was last sent and received, to
	// a millisecond; if there was no data yet, since the connection was
	// opened. Both are 0 in SYN_SENT and LISTEN.
	Sent, Received time.Duration
}

// End is one of the two ends of a connection. The server's end has the server's
// port as local port.
type End uint8

// The two ends. On loopback a connection has two sockets on this machine, one at
// each end.
const (
	Client End = iota
	Server
)

// Other returns the other end.
func (e End) Other() End {
	if e == Client {
		return Server
	}
	return Client
}

// String returns "client" or "server".
func (e End) String() string {
	if e == Server {
		return "server"
	}
	return "client"
}

// EndOf returns the end at which the socket is of a connection to one of the servers,
// and false if it is of no such connection. A listener is at the server's end. An
// unspecified server address (0.0.0.0 or ::, or the zero Addr) means every address.
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
	// A listener on all addresses includes this one: on [::] those of both
	// families, on 0.0.0.0 those of IPv4.
	return have.Addr().IsUnspecified() && (have.Addr().Is6() || addr.Is4())
}

// Tuple is a socket's four-tuple. A socket keeps it in every state.
type Tuple struct{ Local, Remote netip.AddrPort }

// Tuple returns the socket's four-tuple.
func (s Socket) Tuple() Tuple { return Tuple{s.Local, s.Remote} }

// Query selects sockets. The zero Query selects all, without owners and Info.
type Query struct {
	// Ports selects sockets with one of these as local or remote port. Empty
	// means all.
	Ports []uint16
	// States selects sockets in one of these. Empty means all.
	States []State
	// Owners asks for [Socket.PID], also of sockets that were opened during the
	// listing. [Gopsutil] reads the descriptors of all processes for it, and
	// reads them again if there are sockets without an owner. [Sockdiag] reads
	// them only if there are new sockets. Without Owners, PID is 0.
	Owners bool
	// OwnersAmong limits Owners to these processes: sockets of others have
	// PID 0, and cost nothing. Empty means all.
	OwnersAmong []int32
	// Info asks for [Socket.Info].
	Info bool
	// Held asks for [Socket.Held]. Only [Sockdiag] knows it.
	Held bool
	// Multipath asks for MPTCP connections in place of their subflows. Only [Sockdiag]
	// knows them, since Linux 5.9; States selects by the state of the subflow.
	Multipath bool
	// Into is memory for the answer; its sockets are overwritten. A caller that
	// asks repeatedly passes the last answer.
	Into []Socket
	// Last is the answer to the same query before, where the caller has it still, in the
	// memory of Into perhaps. [Sockdiag], which must know it to see what the kernel skips,
	// then keeps none of its own between two calls: of 100,000 sockets that is 2 MB.
	Last []Socket
	// Listed, unless it is nil, is set to the time at which the kernel's list had been
	// read, which is before owners are looked for. Only [Sockdiag] sets it.
	Listed *time.Time
	// Thrifty saves processor time instead of time: [Sockdiag] reads a long
	// answer on one thread.
	Thrifty bool
}

func (q Query) wants(s Socket) bool {
	if len(q.States) > 0 && !slices.Contains(q.States, s.State) {
		return false
	}
	return len(q.Ports) == 0 || slices.Contains(q.Ports, s.Local.Port()) || slices.Contains(q.Ports, s.Remote.Port())
}

// room returns an empty list with a capacity of at least n sockets.
func (q Query) room(n int) []Socket {
	if cap(q.Into) >= n {
		return q.Into[:0]
	}
	return make([]Socket, 0, n)
}

// owner returns pid if the query asks for the owner and includes this process,
// else 0.
func (q Query) owner(pid int32) int32 {
	if !q.Owners || (len(q.OwnersAmong) > 0 && !slices.Contains(q.OwnersAmong, pid)) {
		return 0
	}
	return pid
}

// Count counts the sockets of connections to the servers, by end and state (see
// [Socket.EndOf]). It leaves out other sockets.
func Count(sockets []Socket, servers ...netip.AddrPort) (client, srv Counts) {
	for _, s := range sockets {
		switch end, ok := s.EndOf(servers...); {
		case !ok:
		case end == Client:
			client.Add(&s)
		default:
			srv.Add(&s)
		}
	}
	return client, srv
}
