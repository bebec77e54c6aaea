package observe

import (
	"encoding/binary"
	"net/netip"
	"time"

	"socketlab/internal/socketstats"
)

// sorter says whose a socket is.
type sorter interface {
	// list takes note of a new list, with the owners that are known. at is the time
	// since the watch began.
	list(sockets []socketstats.Socket, at time.Duration)
	// row is the process that a socket of the newest list is counted for, and the
	// end that it is at there. ok is false for one that is not counted.
	row(s *socketstats.Socket) (pid int32, end socketstats.End, ok bool)
	// endAt is the end that a socket with this address of its own is at.
	endAt(local netip.AddrPort) socketstats.End
	// age is for how long a socket of the newest list that is counted has been there,
	// as far as the lists show.
	age(s *socketstats.Socket) time.Duration
	// connection is the process that a connection is counted for, by one of its two
	// sockets, which need not be in any list.
	connection(c socket) (pid int32, end socketstats.End, found attribution)
}

// socket is one end of a connection, and the process that holds it, or 0.
type socket struct {
	local, remote netip.AddrPort
	pid           int32
	// alone says that there is no socket at the other end.
	alone bool
}

// attribution is how it is known whose a connection is.
type attribution int

const (
	notWatched attribution = iota // or counted by its other end
	watched
	inferred // watched, by all that is known
	unknown  // it may be watched
)

// counted reports whether the connection is the watched process's.
func (a attribution) counted() bool { return a == watched || a == inferred }

// holders are the processes that held sockets at the newest list, and at the one
// before.
type holders struct {
	now, before pairs
	at          time.Duration // of the newest list
	// ages says that holder.since is asked for. It costs a second look.
	ages bool
}

// holder is the process that held a socket, and when it was first seen to be there, in
// units of sinceUnit: of 100,000 sockets there is one.
type holder struct {
	pid   int32
	since uint32
}

// sinceUnit is short beside the time between two samples, and lets a watch last for 497 days.
const sinceUnit = 10 * time.Millisecond

// turn begins a new list.
func (h *holders) turn(at time.Duration) {
	h.now, h.before, h.at = h.before, h.now, at
	clear(h.now.four)
	clear(h.now.six)
}

// set enters a socket of the list.
func (h *holders) set(local, remote netip.AddrPort, pid int32) {
	since := uint32((h.at + sinceUnit - 1) / sinceUnit)
	if h.ages {
		if before, ok := h.before.get(local, remote); ok {
			since = before.since
		}
	}
	h.now.set(local, remote, holder{pid, since})
}

// held is the process that held a socket at one of the two lists, or 0.
func (h *holders) held(local, remote netip.AddrPort) int32 {
	if now, _ := h.now.get(local, remote); now.pid != 0 {
		return now.pid
	}
	before, _ := h.before.get(local, remote)
	return before.pid
}

func (h *holders) age(s *socketstats.Socket) time.Duration {
	now, _ := h.now.get(s.Local, s.Remote)
	return max(0, h.at-time.Duration(now.since)*sinceUnit)
}

// pairs are the holders of sockets by their four-tuples. Those of IPv4, which are most, take
// half of the memory so. The zero pairs is empty.
type pairs struct {
	four map[pair4]holder
	six  map[pair]holder
}

// pair4 is a [pair] of IPv4 addresses.
type pair4 [12]byte

// pair4Of returns false for other addresses.
func pair4Of(local, remote netip.AddrPort) (p pair4, ok bool) {
	l, r := local.Addr().Unmap(), remote.Addr().Unmap()
	if !l.Is4() || !r.Is4() {
		return p, false
	}
	from, to := l.As4(), r.As4()
	copy(p[0:], from[:])
	copy(p[4:], to[:])
	binary.LittleEndian.PutUint16(p[8:], local.Port())
	binary.LittleEndian.PutUint16(p[10:], remote.Port())
	return p, true
}

func (p *pairs) get(local, remote netip.AddrPort) (h holder, ok bool) {
	if four, is := pair4Of(local, remote); is {
		h, ok = p.four[four]
	} else {
		h, ok = p.six[pairOf(local, remote)]
	}
	return h, ok
}

func (p *pairs) set(local, remote netip.AddrPort, h holder) {
	if p.four == nil {
		p.four, p.six = map[pair4]holder{}, map[pair]holder{}
	}
	if four, is := pair4Of(local, remote); is {
		p.four[four] = h
	} else {
		p.six[pairOf(local, remote)] = h
	}
}

// pair is a four-tuple in a form that is hashed in one piece: with thousands of
// sockets, looking them up is most of the work.
type pair [36]byte

func pairOf(local, remote netip.AddrPort) (p pair) {
	l, r := local.Addr().As16(), remote.Addr().As16()
	copy(p[0:], l[:])
	copy(p[16:], r[:])
	binary.LittleEndian.PutUint16(p[32:], local.Port())
	binary.LittleEndian.PutUint16(p[34:], remote.Port())
	return p
}
