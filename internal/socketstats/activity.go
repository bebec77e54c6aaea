package socketstats

import (
	"net/netip"
	"time"
)

// Activity counts the connections at one end by what happens on them. It is
// derived from [Socket.Info], so only a source with [ReportsInfo] gives it. The
// zero Activity is of no connections. It is a plain value: safe to copy.
type Activity struct {
	// Fresh are the ESTABLISHED connections that received no data yet. Of the
	// others, Sent are those that sent data last, and Received those that
	// received data last. At the client's end a connection in Sent waits for a
	// response, and one in Received is idle. At the server's end it is the
	// other way round.
	Fresh    Silence `json:"fresh"`
	Sent     Silence `json:"sent"`
	Received Silence `json:"received"`
	// Unread are the ESTABLISHED connections with data that the program has not
	// read for 300 ms or longer.
	Unread int `json:"unread,omitempty"`
	// UnreadHeld are those of Unread on which no data has arrived for ten seconds or longer,
	// as none can once the buffer is full. A program that reads slowly makes room for more.
	UnreadHeld int `json:"unread_held,omitempty"`
	// CloseWaitHeld are the sockets in CLOSE_WAIT that have a descriptor and have carried no
	// data for ten seconds or longer. A request that ends with a FIN leaves its connection
	// there until it is answered.
	CloseWaitHeld int `json:"close_wait_held,omitempty"`
	// Dead are the connections with retransmitted data that is not acknowledged,
	// 300 ms or longer after it was sent: the other end may be gone. One that only does
	// not read answers, and is not among them.
	Dead int `json:"dead,omitempty"`
	// Resent are the sockets in SYN_SENT that sent their SYN more than once.
	Resent int `json:"resent,omitempty"`
	// Once are the connections, in any state of [Socket.Alive], that carried at most
	// an exchange or two so far: the client sent four segments with data or less, or eight
	// and the server one to four, as in [Closed.ShortLived].
	Once int `json:"once,omitempty"`
	// OneWay are the ESTABLISHED connections that have sent data and never received
	// any, and OneWayBytes what they sent together; 0 where the kernel does not
	// count bytes (before Linux 4.19).
	OneWay      int    `json:"one_way,omitempty"`
	OneWayBytes uint64 `json:"one_way_bytes,omitempty"`
	// Ages are the open sockets by their age: how long they were seen, or longer
	// if the kernel knows that nothing was said on them for longer. Absent where
	// nobody asked.
	Ages Silence `json:"ages,omitzero"`
	// Destinations is the number of remote addresses and ports to which there are
	// open sockets at the client's end. Of several subjects together it is that of
	// the one that has the most.
	Destinations int `json:"destinations,omitempty"`
	// MaxPerDestination is the largest number of sockets, in any state, from one
	// local address to one remote address and port. Each of them uses one of
	// [Limits.Ports].
	MaxPerDestination int `json:"max_per_destination,omitempty"`
}

// HeldFor separates a connection that is held from a busy one, by the time for which it
// carried no data. Most answers take less; what waits longer by design, such as a long poll,
// is for the rules to leave out.
const HeldFor = 10 * time.Second

// silenceBounds are the bounds between the classes of [Silence].
var silenceBounds = [...]time.Duration{
	10 * time.Millisecond, 30 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond,
	time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second,
	100 * time.Second, 300 * time.Second, 1000 * time.Second,
}

// Silence is a histogram of connections by the time since data was last sent or
// received: less than 10 ms, less than 30 ms, and so on up to 1,000 s and longer.
type Silence [len(silenceBounds) + 1]int

// Add enters one connection that was silent for d.
func (s *Silence) Add(d time.Duration) {
	for i, bound := range silenceBounds {
		if d < bound {
			s[i]++
			return
		}
	}
	s[len(silenceBounds)]++
}

// Total returns the number of connections.
func (s Silence) Total() int { return s.AtLeast(0) }

// AtLeast returns the number of connections that were silent for d or longer. d is
// rounded up to the next bound between classes (see [ClassBound]).
func (s Silence) AtLeast(d time.Duration) int {
	n := 0
	for i, count := range s {
		if d <= 0 || (i > 0 && silenceBounds[i-1] >= d) {
			n += count
		}
	}
	return n
}

// ClassBound rounds d up to the next bound between the classes of [Silence]; to
// 1,000 s if d is longer.
func ClassBound(d time.Duration) time.Duration {
	for _, bound := range silenceBounds {
		if d <= bound {
			return bound
		}
	}
	return silenceBounds[len(silenceBounds)-1]
}

// ActivityOf returns the activity of these sockets, all of one end. Without
// [Socket.Info] only MaxPerDestination is known.
func ActivityOf(sockets []Socket, end End) Activity {
	c := ActivityCount{End: end}
	for i := range sockets {
		c.Add(&sockets[i])
	}
	return c.Activity()
}

// ActivityCount is [ActivityOf] for sockets that come one by one. The zero ActivityCount
// is of no sockets at the client's end.
type ActivityCount struct {
	End      End
	activity Activity
	taken    map[destination]int
	open     map[netip.AddrPort]bool
}

// Add adds a socket, and does not keep it.
func (c *ActivityCount) Add(s *Socket) {
	c.activity.add(s, c.End)
	if c.End != Client || s.State == Listen {
		return
	}
	if c.taken == nil {
		c.taken, c.open = map[destination]int{}, map[netip.AddrPort]bool{}
	}
	if s.Open() {
		c.open[s.Remote] = true
	}
	to := destinationOf(s)
	c.taken[to]++
	c.activity.MaxPerDestination = max(c.activity.MaxPerDestination, c.taken[to])
}

// Activity returns a copy of the counts; the sockets added later do not change it.
func (c *ActivityCount) Activity() Activity {
	a := c.activity
	a.Destinations = len(c.open)
	return a
}

// destination is the part of a four-tuple within which a local port is used once.
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
	case s.SendQ > 0 && s.Info.Retransmits > 0 && s.Info.Sent >= unread && !s.Info.Paused:
		a.Dead++
	}
	if s.Alive() && fewSegments(end, s.Info.SegmentsOut, s.Info.SegmentsIn) {
		a.Once++
	}
	silent := min(s.Info.Sent, s.Info.Received)
	if s.State == CloseWait && s.Inode != 0 && silent >= HeldFor {
		a.CloseWaitHeld++
	}
	if s.State != Established {
		return
	}
	if s.Info.SegmentsOut > 0 && s.Info.SegmentsIn == 0 {
		a.OneWay++
		a.OneWayBytes += s.Info.BytesSent
	}
	if s.RecvQ > 0 && s.Info.Received >= unread {
		a.Unread++
		if s.Info.Received >= HeldFor {
			a.UnreadHeld++
		}
	}
	switch {
	case s.Info.SegmentsIn == 0:
		a.Fresh.Add(silent)
	case s.sentLast(end):
		a.Sent.Add(silent)
	default:
		a.Received.Add(silent)
	}
}

// Plus returns the sum of a and b, and the larger Destinations and MaxPerDestination
// of the two.
func (a Activity) Plus(b Activity) Activity {
	for i := range a.Fresh {
		a.Fresh[i] += b.Fresh[i]
		a.Sent[i] += b.Sent[i]
		a.Received[i] += b.Received[i]
		a.Ages[i] += b.Ages[i]
	}
	a.Unread += b.Unread
	a.UnreadHeld += b.UnreadHeld
	a.CloseWaitHeld += b.CloseWaitHeld
	a.Dead += b.Dead
	a.Resent += b.Resent
	a.Once += b.Once
	a.OneWay += b.OneWay
	a.OneWayBytes += b.OneWayBytes
	a.Destinations = max(a.Destinations, b.Destinations)
	a.MaxPerDestination = max(a.MaxPerDestination, b.MaxPerDestination)
	return a
}

// sentLast reports whether the socket's last data was sent rather than received.
// The kernel's times are in milliseconds. If both are in the same one, the response
// was later than the request.
func (s *Socket) sentLast(end End) bool {
	if s.Info.Sent == s.Info.Received {
		return end == Server && s.Info.SegmentsOut > 0
	}
	return s.Info.Sent < s.Info.Received
}
