package socketstats

import (
	"net/netip"
	"slices"
)

// Closings hears of TCP sockets that the kernel destroys, also of those that
// lived between two listings. Open one with [OpenClosings]; Close ends it. It is
// safe for use by several goroutines.
type Closings interface {
	// Drain appends the sockets that were destroyed since the last call, in
	// their order. overflows is how often the buffer was full since the
	// beginning: if it is not 0, some were missed, and nobody knows how many.
	// The kernel reports a socket a moment after it has gone from its table.
	Drain(into []Closed) (_ []Closed, overflows int, err error)
	// Close ends the listening. What was heard and not drained is lost.
	Close() error
}

// Closed is a TCP socket that is no more, and that was to be a connection. What
// is left of the connection, in TIME_WAIT for instance, is a [Socket.Minisock]
// with the same cookie.
type Closed struct {
	// Local, Remote and Cookie are those of [Socket]; but see Forgotten.
	Local, Remote netip.AddrPort
	Cookie        uint64
	// Connected says that the connection was established, and not refused or
	// given up before.
	Connected bool
	// SegmentsOut and SegmentsIn are those of [Info]; 0 where Forgotten.
	SegmentsOut, SegmentsIn uint32
}

// Forgotten reports whether the kernel dropped the remote port, the local address
// and the numbers of segments before it reported the socket (tcp_disconnect in
// net/ipv4/tcp.c). It does so where this end closed with SO_LINGER 0, and where
// connect failed at once. The other end of the connection, where it is on this
// machine, is reported in full.
func (c Closed) Forgotten() bool { return c.Remote.Port() == 0 }

// concerns reports whether the socket was of a connection with one of these ports
// at either end, or may have been and no other socket speaks for it. A forgotten
// one may have gone to any port: but one that was never established was no
// connection, and of one over loopback the other end is reported as well.
func (c Closed) concerns(ports []uint16) bool {
	switch {
	case len(ports) == 0, slices.Contains(ports, c.Local.Port()), slices.Contains(ports, c.Remote.Port()):
		return true
	default:
		return c.Forgotten() && c.Connected && !c.Remote.Addr().IsLoopback()
	}
}

// ShortLived reports whether the connection carried an exchange or two: the client
// sent at most four segments with data (a TLS handshake takes two or three).
// end is the end that the socket was at. Where Forgotten it is not known, and
// false.
func (c Closed) ShortLived(end End) bool {
	const few = 4
	if c.Forgotten() {
		return false
	}
	if end == Server {
		return c.SegmentsIn <= few
	}
	return c.SegmentsOut <= few
}

// Alive reports whether the socket is a connection that has been established
// and has not been destroyed: one that will be [Closed] once.
func (s Socket) Alive() bool {
	switch s.State {
	case Established, FinWait1, FinWait2, CloseWait, LastAck, Closing:
		return !s.Minisock
	default:
		return false
	}
}
