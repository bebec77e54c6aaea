package socketstats

import (
	"net/netip"
	"slices"
	"time"
)

// Closings reports the TCP sockets that the kernel destroys, also those that
// existed only between two listings. Open one with [OpenClosings]; the caller
// closes it. It is safe for use by several goroutines.
type Closings interface {
	// Drain appends the sockets that were destroyed since the last call, in
	// their order. overflows is the number of times that the kernel's buffer
	// was full since the start: if it is not 0, sockets are missing, and their
	// number is not known. The kernel reports a socket some time after it
	// removed it from its table, usually less than a millisecond. An error
	// ends the reports: every later call returns it.
	Drain(into []Closed) (_ []Closed, overflows int, err error)
	// Close ends the reports. Sockets that were not drained are lost.
	Close() error
}

// Closed is a TCP socket that was destroyed after it was connected, or after
// connect failed. What the kernel keeps of its connection, in TIME_WAIT for
// instance, is a [Socket.Minisock] with the same cookie.
type Closed struct {
	// Local, Remote and Cookie are those of [Socket]; but see Forgotten.
	Local, Remote netip.AddrPort
	Cookie        uint64
	// Connected says that the connection was established. It is false if the
	// connect was refused or timed out.
	Connected bool
	// SegmentsOut and SegmentsIn are those of [Info]; 0 where Forgotten.
	SegmentsOut, SegmentsIn uint32
	// Answered says that the other end has sent anything at all, if only that it refuses;
	// false where Forgotten.
	Answered bool
	// Silent is how long the connection had carried no data, in either direction; 0 where
	// Forgotten.
	Silent time.Duration
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

// ShortLived reports whether the connection carried one or two requests: the client
// sent at most four segments with data, or eight and the server one to four.
// end is the end that the socket was at. It is false for a Forgotten one, for
// which it is not known.
func (c Closed) ShortLived(end End) bool {
	return !c.Forgotten() && fewSegments(end, c.SegmentsOut, c.SegmentsIn)
}

// GivenUp reports whether this was an attempt to connect that got no answer: its dialer's
// timeout, or the kernel's, has ended it, or a firewall has rejected it, which sends no segment.
// It is false for a Forgotten one, for which it is not known.
func (c Closed) GivenUp() bool { return !c.Connected && !c.Answered && !c.Forgotten() }

// AtOnce reports whether the connection was closed within a second of its last data: by
// whoever had finished with it, and not by an idle timeout. It is false for a Forgotten one,
// for which it is not known.
func (c Closed) AtOnce() bool { return !c.Forgotten() && c.Silent < time.Second }

// fewSegments reports whether so many segments with data, out and in at one end,
// are an exchange or two: the client sent at most four. A handshake of TLS and a request in
// parts take more, and the server's answers to them do not: each exchange has one.
func fewSegments(end End, out, in uint32) bool {
	const few = 4
	if end == Server {
		out, in = in, out
	}
	return out <= few || (out <= 2*few && 0 < in && in <= few)
}

// Alive reports whether the socket is a connection that was established and is not
// destroyed: one that will be reported as [Closed] exactly once.
func (s Socket) Alive() bool {
	switch s.State {
	case Established, FinWait1, FinWait2, CloseWait, LastAck, Closing:
		return !s.Minisock
	default:
		return false
	}
}
