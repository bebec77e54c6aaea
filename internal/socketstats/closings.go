package socketstats

import "net/netip"

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
