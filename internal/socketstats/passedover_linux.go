package socketstats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// memory is the answer to a talk's last question, to find in the next one what
// the kernel passed over.
//
// When a message of a listing is full, the kernel remembers how far it came in a
// hash bucket, by number (inet_diag_dump_icsk). If a socket before that place
// leaves the bucket before the next message begins, the one that was to come is
// passed over, and no message tells. A count would be wrong by one, rarely with
// a table as large as a machine's, and often with a small one.
//
// So sockets of the last answer that are missing from this one are asked for by
// name: all of them, or where they are many, those whose neighbours are where one
// message ended and the next began.
type memory struct {
	ports   []uint16
	states  []State
	part    part
	cookies []uint64        // of the last answer, in its order
	tuples  []Tuple         // of the same sockets
	now     map[uint64]bool // the cookies of this answer: whether near a border
	borders []int           // kept for its room
}

// bucket is more sockets than a hash bucket holds, unless the table is overfull.
const bucket = 16

// asked reports whether the last question was the same.
func (m *memory) asked(q Query, p part) bool {
	return m.part == p && slices.Equal(m.ports, q.Ports) && slices.Equal(m.states, q.States)
}

// remember keeps an answer for the next time.
func (m *memory) remember(q Query, p part, a *diagAnswer) {
	if !m.asked(q, p) {
		m.ports, m.states, m.part = slices.Clone(q.Ports), slices.Clone(q.States), p
	}
	m.borders = a.borders
	m.cookies, m.tuples = m.cookies[:0], m.tuples[:0]
	if len(a.borders) == 0 {
		return // in one message nothing is passed over
	}
	for i := range a.sockets {
		m.cookies = append(m.cookies, a.sockets[i].Cookie)
		m.tuples = append(m.tuples, a.sockets[i].Tuple())
	}
}

// missing returns the sockets of the last answer that this one may have passed
// over. borders are the places in it at which a message began, but for the first.
func (m *memory) missing(sockets []Socket, borders []int) []Socket {
	if len(borders) == 0 {
		return nil
	}
	if m.now == nil {
		m.now = map[uint64]bool{}
	}
	clear(m.now)
	for i := range sockets {
		m.now[sockets[i].Cookie] = false
	}
	var gone []int
	for i, cookie := range m.cookies {
		if _, there := m.now[cookie]; !there {
			gone = append(gone, i)
		}
	}
	if len(gone) > fewGone {
		gone = m.nearBorders(gone, sockets, borders)
	}
	missing := make([]Socket, 0, len(gone))
	for _, i := range gone {
		missing = append(missing, Socket{Cookie: m.cookies[i], Local: m.tuples[i].Local, Remote: m.tuples[i].Remote})
	}
	return missing
}

// fewGone is how many sockets are asked for wherever they were: about 4 us each.
const fewGone = 64

// nearBorders keeps the rows whose neighbours are now where a message ended and
// the next began.
func (m *memory) nearBorders(gone []int, sockets []Socket, borders []int) []int {
	for _, b := range borders {
		for i := max(0, b-bucket); i < min(len(sockets), b+bucket); i++ {
			m.now[sockets[i].Cookie] = true
		}
	}
	return slices.DeleteFunc(gone, func(i int) bool {
		neighbours := m.cookies[max(0, i-bucket):min(len(m.cookies), i+bucket+1)]
		return !slices.ContainsFunc(neighbours, func(cookie uint64) bool { return m.now[cookie] })
	})
}

// same reports whether nothing came or went, which is most of the time.
func (m *memory) same(sockets []Socket) bool {
	if len(sockets) != len(m.cookies) {
		return false
	}
	for i := range sockets {
		if sockets[i].Cookie != m.cookies[i] {
			return false
		}
	}
	return true
}

// restore adds to an answer what the kernel passed over.
func (t *talk) restore(a *diagAnswer, q Query, p part) error {
	if t.memory.asked(q, p) {
		if t.memory.same(a.sockets) {
			t.memory.borders = a.borders
			return nil
		}
		for _, s := range t.memory.missing(a.sockets, a.borders) {
			if err := t.ask(s, a); err != nil {
				return err
			}
		}
	}
	t.memory.remember(q, p, a)
	return nil
}

// ask asks for one socket by its four-tuple and cookie, and adds it to the
// answer if it is there still.
func (t *talk) ask(s Socket, a *diagAnswer) error {
	t.seq++
	if _, err := unix.Write(t.fd, exactRequest(t.seq, s, a.query)); err != nil {
		return fmt.Errorf("ask for one socket: %w", err)
	}
	for one := (diagAnswer{seq: t.seq, query: a.query}); ; {
		n, err := unix.Read(t.fd, t.buf)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("read the answer about one socket: %w", err)
		}
		if one.add(t.buf[:n]) != nil {
			return nil // it is gone: the kernel says so by an error
		}
		if len(one.sockets) == 1 {
			if found := one.sockets[0]; len(a.query.States) == 0 || slices.Contains(a.query.States, found.State) {
				a.sockets = append(a.sockets, found)
			}
			return nil
		}
	}
}

// exactRequest asks for one socket: struct inet_diag_req_v2.
func exactRequest(seq uint32, s Socket, q Query) []byte {
	const length = 56
	b := make([]byte, headerLen+length)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(b[8:], seq)
	body := b[headerLen:]
	body[0], body[1] = unix.AF_INET, unix.IPPROTO_TCP
	if s.Local.Addr().Is6() {
		body[0] = unix.AF_INET6
	}
	if q.Info {
		body[2] = infoBit
	}
	binary.NativeEndian.PutUint32(body[4:], allStates)
	binary.BigEndian.PutUint16(body[8:], s.Local.Port())
	binary.BigEndian.PutUint16(body[10:], s.Remote.Port())
	copy(body[12:28], s.Local.Addr().AsSlice())
	copy(body[28:44], s.Remote.Addr().AsSlice())
	binary.NativeEndian.PutUint32(body[48:], uint32(s.Cookie))
	binary.NativeEndian.PutUint32(body[52:], uint32(s.Cookie>>32))
	return b
}
