package socketstats

import "net/netip"

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
	// Local and Remote are those of [Socket]. After a close with SO_LINGER 0
	// the kernel has forgotten the remote port: it is 0.
	Local, Remote netip.AddrPort
	Cookie        uint64
	// Connected says that the connection was established, and not refused or
	// given up before. It is not known, and false, where the remote port is
	// forgotten.
	Connected bool
	// SegmentsOut and SegmentsIn are those of [Info].
	SegmentsOut, SegmentsIn uint32
}

// ShortLived reports whether the connection carried an exchange or two: the client
// sent at most four segments with data (a TLS handshake takes two or three).
// end is the end that the socket was at.
func (c Closed) ShortLived(end End) bool {
	const few = 4
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
