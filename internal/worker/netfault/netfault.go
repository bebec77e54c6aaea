// Package netfault changes the network of the namespace that the calling thread
// lives in: which TCP packets are dropped or refused, and how fast the loopback
// device is. The namespace is one that internal/worker/netns made, where everybody is
// root; in any other, the machine's own above all, [Open] refuses. It needs
// Linux, and no program beside this one: rules are those of nf_tables, the slow
// link is the queueing discipline tbf, and the kernel is asked for both over
// netlink.
package netfault

import (
	"errors"
	"fmt"
	"math"
)

// ErrOutside is what errors of [Open] Are where the network is not one that
// internal/worker/netns made. Nothing was changed.
var ErrOutside = errors.New("this network is not a namespace of the lab's own, and stays as it is")

// Action is what becomes of a packet. It never reaches its socket.
//
// A dial that is answered fails at once, but for those that hear of an ICMP only
// with their first retransmission, a second later: dials in IPv6, and those of
// programs that block in connect. The loopback device brings the answer while
// connect has the socket locked (counted as LockDroppedIcmps), and then the
// kernel keeps it for nobody but who polls the socket, and in IPv6 for nobody
// (tcp_v4_err queues the error, ipv6_icmp_error only where IPV6_RECVERR is set).
// Go polls. Measured on Linux 6.18; a Reset is at once for all.
type Action string

const (
	// Drop says nothing to the sender: a dial is in SYN_SENT until it times out.
	Drop Action = "drop"
	// Reject answers ICMP port unreachable: a dial fails with ECONNREFUSED.
	Reject Action = "reject"
	// RejectHost answers ICMP host unreachable, as a router does for a host
	// that is off: a dial fails with EHOSTUNREACH. The codes "prohibited" of a
	// firewall give the same in IPv4, but in IPv6 EACCES (icmpv6_err_convert in
	// net/ipv6/icmp.c, Linux 6.18).
	RejectHost Action = "reject-host"
	// Reset answers with a TCP reset: a dial fails with ECONNREFUSED, and a
	// connection with ECONNRESET once it sends. The other end of the
	// connection hears of it only when it sends.
	Reset Action = "reset"

	// hold puts a packet into the queue of Network.Hold, and so does holdXT where the
	// kernel has only the older module for it.
	hold   Action = "hold"
	holdXT Action = "hold-xt"
)

// Packets are those that a rule looks at.
type Packets string

const (
	// New are SYNs to the port, which begin connections. What is open stays.
	New Packets = "new"
	// All are the packets to and from the port, so of both directions. ICMP is
	// no end to an open connection, which retransmits (tcp_v4_err in
	// net/ipv4/tcp_ipv4.c keeps it as a soft error): Reject is to it as Drop.
	All Packets = "all"
	// FIN are those of All that end a direction of a connection.
	FIN Packets = "fin"
)

// Rule says what becomes of TCP packets, of IPv4 and IPv6.
type Rule struct {
	Port  uint16
	Do    Action
	Which Packets
	// OneIn is of how many packets in each direction the last one is meant; 0 is all.
	OneIn int
}

func (r Rule) check() error {
	switch r.Do {
	case Drop, Reject, RejectHost, Reset, hold, holdXT:
	default:
		return fmt.Errorf("rule %+v: unknown action %q", r, r.Do)
	}
	if r.Which != New && r.Which != All && r.Which != FIN {
		return fmt.Errorf("rule %+v: unknown kind of packets %q", r, r.Which)
	}
	if r.OneIn < 0 || r.OneIn > math.MaxInt32 {
		return fmt.Errorf("rule %+v: one packet in %d is out of range", r, r.OneIn)
	}
	if r.Port == 0 {
		return fmt.Errorf("rule %+v: no port", r)
	}
	return nil
}
