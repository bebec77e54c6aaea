// Package tracepoint reports every change of state of every TCP socket, from the
// kernel's tracepoint sock:inet_sock_set_state. Listings miss sockets that exist
// only between two of them; the tracepoint does not. [Listener.Drain] counts the
// transitions that are missing for other reasons.
//
// It needs privilege: CAP_BPF and CAP_PERFMON, or root; and Linux 5.11 or
// later with BTF, on a 64-bit machine. tracefs need not be mounted.
//
// Two things that listings show are not reported. First, a socket in TIME_WAIT is
// another, smaller one that replaces the first: the first is reported to go from
// FIN_WAIT2 or CLOSING to CLOSE, and nothing follows. The same happens to a socket
// in FIN_WAIT2 after its program closed it: the state is reported to last no time,
// and is listed for up to a minute (net/ipv4/tcp_minisocks.c, tcp_time_wait).
// Second, a half-open connection has no socket yet. The new socket of a listener
// appears with the last packet of the handshake, and goes from LISTEN to SYN_RECV
// to ESTABLISHED at once.
package tracepoint

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"socketlab/internal/socketstats"
)

// ErrNotAllowed says that the process lacks CAP_BPF or CAP_PERFMON.
var ErrNotAllowed = errors.New("reading the kernel's tracepoints needs root, or CAP_BPF and CAP_PERFMON")

// Transition is one change of a TCP socket's state.
type Transition struct {
	// At is the time of the change by CLOCK_MONOTONIC (bpf_ktime_get_ns): since
	// the machine started, without the time that it was suspended.
	At time.Duration
	// Local and Remote are as in [socketstats.Socket]: without zone, and IPv4
	// addresses mapped into IPv6 are unmapped. A listener's Remote is the zero
	// AddrPort. If From is Close, Local's port is 0 unless the program bound
	// the socket to one: the kernel chooses it later (net/ipv4/tcp_ipv4.c,
	// tcp_v4_connect). If From is Listen and To is SynRecv, kernels before 6.15
	// have not set Remote yet, and Local is the listener's
	// (net/ipv4/inet_connection_sock.c, inet_csk_clone_lock).
	Local, Remote netip.AddrPort
	// From and To are the old and the new state. From Listen to SynRecv is the
	// first change of an accepted connection's socket, which begins as a copy
	// of the listener. The listener itself stays in LISTEN.
	From, To socketstats.State
	// Err is the error that the socket has: where To is Close, why the kernel ended the
	// connection or the attempt, such as ECONNREFUSED; 0 where the program did.
	Err syscall.Errno
	// StateDuration is the time that the socket was in From. It is 0 if the
	// state began before Open, or with the socket.
	StateDuration time.Duration
	// Socket identifies the socket as long as it exists: it is the address of
	// the kernel's struct sock. After To == Close the kernel may use it for
	// another socket, also in another network namespace.
	Socket uint64
	// PID is the process that called connect(2), by its id in the initial PID
	// namespace; in a container the process has another id. It is set from
	// To == SynSent on. It is 0 for a listener, for an accepted connection, and
	// if connect(2) was called before Open.
	PID int32
	// Parent and Grandparent are those of PID, by the same ids, when it called
	// connect(2). They are set where To is SynSent, and 0 otherwise: a process that has
	// ended by the time of Drain is in no list.
	Parent, Grandparent int32
}

// Options selects what is reported. The zero Options selects every TCP socket in
// this process's network namespace.
type Options struct {
	// Ports selects sockets with one of these as local or remote port; at most
	// 64, and not 0. Empty means all. The port that the kernel chooses for a
	// client is not known yet at To == SynSent. If only that port is in Ports,
	// the socket is reported from its next transition on.
	Ports []uint16
	// NetNS is the inode of the network namespace, from stat(2) of
	// /proc/PID/ns/net. 0 means that of this process.
	NetNS uint32
	// Buffer is the size of the kernel's buffer, in bytes. It must hold the
	// transitions between two calls of Drain, 88 bytes each. It is rounded up
	// to a power of two, and to a page. 0 means 16 MiB, for 174,000
	// transitions; more than 1 GiB is an error.
	Buffer int
}

const (
	maxPorts      = 64
	defaultBuffer = 16 << 20
	maxBuffer     = 1 << 30
)
