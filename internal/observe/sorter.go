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
	now, before map[pair]holder
	at          time.Duration // of the newest list
	// ages says that holder.since is asked for. It costs a second look.
	ages bool
}

// holder is the process that held a socket, and when it was first seen to be there.
type holder struct {
	pid   int32
	since time.Duration
}

// turn begins a new list.
func (h *holders) turn(at time.Duration) {
	h.now, h.before, h.at = h.before, h.now, at
	if h.now == nil {
		h.now = map[pair]holder{}
	}
	clear(h.now)
}

// set enters a socket of the list.
func (h *holders) set(local, remote netip.AddrPort, pid int32) {
	p, since := pairOf(local, remote), h.at
	if h.ages {
		if before, ok := h.before[p]; ok {
			since = before.since
		}
	}
	h.now[p] = holder{pid, since}
}

// held is the process that held a socket at one of the two lists, or 0.
func (h *holders) held(local, remote netip.AddrPort) int32 {
	p := pairOf(local, remote)
	if pid := h.now[p].pid; pid != 0 {
		return pid
	}
	return h.before[p].pid
}

func (h *holders) age(s *socketstats.Socket) time.Duration {
	return h.at - h.now[pairOf(s.Local, s.Remote)].since
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
