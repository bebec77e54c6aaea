package socketstats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// dumpState keeps the last answer on a netlink connection, to find the gaps of the
// next one: sockets that the kernel skipped.
//
// The kernel sends a listing in several messages. When one is full, the kernel
// keeps its position in the hash bucket as a number (inet_diag_dump_icsk in
// net/ipv4/inet_diag.c). If a socket before that position leaves the bucket before
// the next message begins, the kernel skips one socket, and no message has it.
// This is rare with a hash table as large as a machine's, and common with a small
// one.
//
// So the sockets of the last answer that are missing from this one are asked for
// one by one: all of them, or if they are many, those next to a bound between two
// messages.
type dumpState struct {
	ports       []uint16
	states      []State
	part        part
	cookies     []uint64        // of the last answer, in its order
	tuples      packedTuples    // of the same sockets
	now         map[uint64]bool // the cookies of this answer: whether near a chunk bound
	chunkBounds []int           // kept for its memory
}

// packedTuples are [Tuple]s one after the other, in a fifth of the room where they are of
// IPv4: those of 100,000 sockets are kept. Each is the length of an address, the two
// addresses, which are both of one family, and the two ports.
type packedTuples []byte

// packedLen is the length of one of IPv4.
const packedLen = 1 + 2*(4+2)

func (p packedTuples) add(t Tuple) packedTuples {
	if local, remote := t.Local.Addr(), t.Remote.Addr(); local.Is4() && remote.Is4() {
		l, r := local.As4(), remote.As4()
		p = append(append(append(p, byte(len(l))), l[:]...), r[:]...)
	} else {
		l, r := local.As16(), remote.As16()
		p = append(append(append(p, byte(len(l))), l[:]...), r[:]...)
	}
	return binary.NativeEndian.AppendUint16(binary.NativeEndian.AppendUint16(p, t.Local.Port()), t.Remote.Port())
}

// next returns the first tuple, and those behind it. Its addresses are unmapped, as those
// of every [Socket].
func (p packedTuples) next() (Tuple, packedTuples) {
	n := int(p[0])
	ports := p[1+2*n:]
	at := func(addr, port []byte) netip.AddrPort {
		a, _ := netip.AddrFromSlice(addr) // of 4 or 16 bytes
		return netip.AddrPortFrom(a.Unmap(), binary.NativeEndian.Uint16(port))
	}
	return Tuple{at(p[1:1+n], ports), at(p[1+n:1+2*n], ports[2:])}, ports[4:]
}

// bucket is an upper bound of the sockets in one hash bucket, unless the table is
// overfull.
const bucket = 16

// asked reports whether the last query was the same.
func (d *dumpState) asked(q Query, p part) bool {
	return d.part == p && slices.Equal(d.ports, q.Ports) && slices.Equal(d.states, q.States)
}

// remember keeps an answer for the next call.
func (d *dumpState) remember(q Query, p part, sockets []Socket) {
	if !d.asked(q, p) {
		d.ports, d.states, d.part = slices.Clone(q.Ports), slices.Clone(q.States), p
	}
	d.cookies, d.tuples = slices.Grow(d.cookies[:0], len(sockets)), slices.Grow(d.tuples[:0], packedLen*len(sockets))
	for i := range sockets {
		d.cookies = append(d.cookies, sockets[i].Cookie)
		d.tuples = d.tuples.add(sockets[i].Tuple())
	}
}

// missing returns the sockets of the last answer that this one may have skipped.
// chunkBounds are the indices at which its messages began, except the first.
func (d *dumpState) missing(sockets []Socket, chunkBounds []int) []Socket {
	if len(chunkBounds) == 0 {
		return nil
	}
	if d.now == nil {
		d.now = map[uint64]bool{}
	}
	clear(d.now)
	for i := range sockets {
		d.now[sockets[i].Cookie] = false
	}
	var gone []int
	for i, cookie := range d.cookies {
		if _, there := d.now[cookie]; !there {
			gone = append(gone, i)
		}
	}
	if len(gone) > fewGone {
		gone = d.nearBounds(gone, sockets, chunkBounds)
	}
	missing := make([]Socket, 0, len(gone))
	tuples, at := d.tuples, 0
	for _, i := range gone { // which are in order
		var t Tuple
		for ; at <= i; at++ {
			t, tuples = tuples.next()
		}
		missing = append(missing, Socket{Cookie: d.cookies[i], Local: t.Local, Remote: t.Remote})
	}
	return missing
}

// fewGone is the number of sockets that are asked for wherever they were, at about
// 4 us each.
const fewGone = 64

// nearBounds keeps the sockets whose neighbours in the last answer are now next to
// a bound between two messages.
func (d *dumpState) nearBounds(gone []int, sockets []Socket, chunkBounds []int) []int {
	for _, b := range chunkBounds {
		for i := max(0, b-bucket); i < min(len(sockets), b+bucket); i++ {
			d.now[sockets[i].Cookie] = true
		}
	}
	return slices.DeleteFunc(gone, func(i int) bool {
		neighbours := d.cookies[max(0, i-bucket):min(len(d.cookies), i+bucket+1)]
		return !slices.ContainsFunc(neighbours, func(cookie uint64) bool { return d.now[cookie] })
	})
}

// same reports whether the sockets are those of the last answer, as they mostly
// are.
func (d *dumpState) same(sockets []Socket) bool {
	if len(sockets) != len(d.cookies) {
		return false
	}
	for i := range sockets {
		if sockets[i].Cookie != d.cookies[i] {
			return false
		}
	}
	return true
}

// restore adds the sockets that the kernel skipped to an answer.
func (c *netlinkConn) restore(a *diagAnswer, q Query, p part) error {
	if c.state.asked(q, p) {
		if c.state.same(a.sockets) {
			c.state.chunkBounds = a.chunkBounds
			return nil
		}
		for _, s := range c.state.missing(a.sockets, a.chunkBounds) {
			if err := c.ask(s, a); err != nil {
				return err
			}
		}
	}
	c.state.chunkBounds = a.chunkBounds
	switch {
	case len(q.Last) > 0 && p == whole: // the caller keeps it
	case len(a.chunkBounds) == 0: // nothing is skipped within one message
		c.state.remember(q, p, nil)
	default:
		c.state.remember(q, p, a.sockets)
	}
	return nil
}

// ask asks for one socket by its four-tuple and cookie, and adds it to the answer
// if it still exists.
func (c *netlinkConn) ask(s Socket, a *diagAnswer) error {
	c.seq++
	if _, err := unix.Write(c.fd, exactRequest(c.seq, s, a.query)); err != nil {
		return fmt.Errorf("ask for one socket: %w", err)
	}
	for one := (diagAnswer{seq: c.seq, query: a.query}); ; {
		n, err := unix.Read(c.fd, c.buf)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("read the answer about one socket: %w", err)
		}
		if one.add(c.buf[:n]) != nil {
			return nil // the kernel's answer is an error: the socket is gone
		}
		if len(one.sockets) == 1 {
			if found := one.sockets[0]; len(a.query.States) == 0 || slices.Contains(a.query.States, found.State) {
				a.sockets = append(a.sockets, found)
			}
			return nil
		}
	}
}

// exactRequest is the request for one socket: struct inet_diag_req_v2 in
// include/uapi/linux/inet_diag.h.
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
