// Package tracepoint hears every change of state of every TCP socket, from the
// kernel's tracepoint sock:inet_sock_set_state. Lists of sockets, read every
// so often, miss what lives between two readings; this does not. Where it
// misses something for another reason it says so (see [Listener.Drain]).
//
// It needs privilege: CAP_BPF and CAP_PERFMON, or root; and Linux 5.11 or
// later with BTF, on a 64-bit machine. tracefs need not be mounted.
//
// Two things that lists show, the tracepoint does not. A socket in TIME_WAIT
// is another, smaller one that replaces the first: the first is heard to go
// from FIN_WAIT2 or CLOSING to CLOSE, and nothing is heard after that. The
// same goes for FIN_WAIT2 itself once the program has closed the socket: it
// is heard to last no time at all, and is listed for as long as a minute
// (net/ipv4/tcp_minisocks.c, tcp_time_wait). And a half-open connection is no
// socket yet: a listener's new socket appears with the last packet of the
// handshake, in LISTEN to SYN_RECV to ESTABLISHED at one stroke.
package tracepoint

import (
	"errors"
	"net/netip"
	"time"

	"socketlab/internal/socketstats"
)

// ErrNotAllowed says that the process lacks CAP_BPF or CAP_PERFMON.
var ErrNotAllowed = errors.New("listening to the kernel's tracepoints needs root, or CAP_BPF and CAP_PERFMON")

// Transition is one change of a TCP socket's state.
type Transition struct {
	// At is when, on the kernel's monotonic clock (bpf_ktime_get_ns), which is
	// clock_gettime's CLOCK_MONOTONIC: time since the machine started, without
	// the time it was suspended.
	At time.Duration
	// Local and Remote are as in [socketstats.Socket]: without zone, and IPv4
	// addresses mapped into IPv6 are unmapped. A listener's Remote is the zero
	// AddrPort. Where From is Close, Local's port is 0 unless the program
	// bound the socket to one: the kernel picks it right after
	// (net/ipv4/tcp_ipv4.c, tcp_v4_connect). Where From is Listen and To is
	// SynRecv, kernels before 6.15 have not set Remote yet, and Local is as
	// the listener's (net/ipv4/inet_connection_sock.c, inet_csk_clone_lock).
	Local, Remote netip.AddrPort
	// From Listen to SynRecv is the birth of a connection's socket: it starts
	// as the listener's copy. The listener itself stays in LISTEN.
	From, To socketstats.State
	// StateDuration is how long the socket was in From. It is 0 where that began
	// before Open, or with the socket itself.
	StateDuration time.Duration
	// Socket tells one socket from another while it lives: it is the address
	// of the kernel's struct sock. After To == Close the kernel may give it to
	// another socket, also to one of another network namespace.
	Socket uint64
	// PID is the process that called connect(2), as the initial PID namespace
	// numbers it: another number than the process's own where that is in a
	// container. It is set from To == SynSent on. It is 0 for a listener, for
	// a socket that a listener made, and where connect(2) was called before
	// Open.
	PID int32
}

// Options says what is heard. The zero Options is everything in this process's
// network namespace.
type Options struct {
	// Ports keeps sockets with one of these as local or remote port; at most
	// 64, and not 0. Empty means all. A port that the kernel picks for a
	// client is not known yet at To == SynSent: asked for by that port alone,
	// the socket is heard from its next transition on.
	Ports []uint16
	// NetNS is the inode of the network namespace, as stat(2) of
	// /proc/PID/ns/net gives it. 0 means that of this process.
	NetNS uint32
	// Buffer is how many bytes the kernel keeps between two calls of Drain, at
	// 80 bytes for a transition. It is rounded up to a power of two, and to a
	// page. 0 means 16 MiB, which is 209,000 transitions; more than 1 GiB is
	// an error.
	Buffer int
}

const (
	maxPorts      = 64
	defaultBuffer = 16 << 20
	maxBuffer     = 1 << 30
)
