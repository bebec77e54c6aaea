package socketstats

import (
	"net/netip"
	"time"
)

// Activity says what the connections at one end are doing. It is derived from
// [Socket.Info], and so known only from [Sockdiag].
type Activity struct {
	// Fresh are the ESTABLISHED connections on which nothing was received yet.
	// Of the others, Sent are those that sent last, and Received those that
	// received last. A client that sent last waits for its answer; one that
	// received last has it, and is idle as soon as it is silent. At the
	// server's end it is the other way round.
	Fresh    Silence `json:"fresh"`
	Sent     Silence `json:"sent"`
	Received Silence `json:"received"`
	// Unread are the ESTABLISHED connections whose program has left data in
	// the kernel's buffer for 300 ms or longer.
	Unread int `json:"unread,omitempty"`
	// Dead are the connections on which data was sent again and is not
	// acknowledged yet: the other end may be gone.
	Dead int `json:"dead,omitempty"`
	// Resent are the sockets in SYN_SENT that have asked more than once.
	Resent int `json:"resent,omitempty"`
	// MaxPerDestination is the most sockets that go from one local address to one remote
	// address and port, in any state: each has one of the local ports.
	MaxPerDestination int `json:"max_per_destination,omitempty"`
}

// silenceBounds are the bounds between the classes of [Silence].
var silenceBounds = [...]time.Duration{
	10 * time.Millisecond, 30 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond,
	time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second,
	100 * time.Second, 300 * time.Second, 1000 * time.Second,
}

// Silence counts connections by how long ago data was last sent or received:
// less than 10 ms, less than 30 ms, and so on up to 1,000 s and longer.
type Silence [len(silenceBounds) + 1]int

func (s *Silence) add(d time.Duration) {
	for i, bound := range silenceBounds {
		if d < bound {
			s[i]++
			return
		}
	}
	s[len(silenceBounds)]++
}

// Total is how many connections there are.
func (s Silence) Total() int { return s.AtLeast(0) }

// AtLeast is how many have been silent for d or longer. d is rounded up to the
// next bound between classes; see [ClassBound].
func (s Silence) AtLeast(d time.Duration) int {
	n := 0
	for i, count := range s {
		if d <= 0 || (i > 0 && silenceBounds[i-1] >= d) {
			n += count
		}
	}
	return n
}

// ClassBound rounds d up to the next bound between the classes of [Silence]. What
// is above the last is the last.
func ClassBound(d time.Duration) time.Duration {
	for _, bound := range silenceBounds {
		if d <= bound {
			return bound
		}
	}
	return silenceBounds[len(silenceBounds)-1]
}

// ActivityOf says what the sockets of one end are doing.
func ActivityOf(sockets []Socket, end End) Activity {
	var a Activity
	taken := map[destination]int{}
	for i := range sockets {
		s := &sockets[i]
		a.add(s, end)
		if end == Client && s.State != Listen {
			t := destinationOf(s)
			taken[t]++
			a.MaxPerDestination = max(a.MaxPerDestination, taken[t])
		}
	}
	return a
}

// destination is what a local port is used for: within it, each may be used once.
type destination struct {
	from netip.Addr
	to   netip.AddrPort
}

func destinationOf(s *Socket) destination { return destination{s.Local.Addr(), s.Remote} }

func (a *Activity) add(s *Socket, end End) {
	if s.Info == nil {
		return
	}
	const unread = 300 * time.Millisecond
	switch {
	case s.State == SynSent && s.Info.Retransmits > 0:
		a.Resent++
	case s.SendQ > 0 && s.Info.Retransmits > 0 && s.Info.Sent >= unread:
		a.Dead++
	}
	if s.State != Established {
		return
	}
	if s.RecvQ > 0 && s.Info.Received >= unread {
		a.Unread++
	}
	silent := min(s.Info.Sent, s.Info.Received)
	switch {
	case s.Info.SegmentsIn == 0:
		a.Fresh.add(silent)
	case s.sentLast(end):
		a.Sent.add(silent)
	default:
		a.Received.add(silent)
	}
}

// Plus returns the sum of a and b; of MaxPerDestination the larger.
func (a Activity) Plus(b Activity) Activity {
	for i := range a.Fresh {
		a.Fresh[i] += b.Fresh[i]
		a.Sent[i] += b.Sent[i]
		a.Received[i] += b.Received[i]
	}
	a.Unread += b.Unread
	a.Dead += b.Dead
	a.Resent += b.Resent
	a.MaxPerDestination = max(a.MaxPerDestination, b.MaxPerDestination)
	return a
}

// sentLast reports whether the socket's last data was sent rather than
// received. The kernel tells the times in milliseconds; of two in the same one
// the answer is the later.
func (s *Socket) sentLast(end End) bool {
	if s.Info.Sent == s.Info.Received {
		return end == Server && s.Info.SegmentsOut > 0
	}
	return s.Info.Sent < s.Info.Received
}
