// Package play makes the records of package life: it is both ends of one connection,
// and the network between them. Each segment is held in a queue of the kernel until
// the states that it found are read, so that every state is seen, also those that
// last microseconds. It needs a network namespace of its own (internal/worker/netns).
package play

import (
	"encoding/binary"
	"errors"
	"strings"

	"socketlab/internal/life"
)

// segment has the fields of a TCP header (RFC 9293, section 3.1) and the data.
type segment struct {
	from, to uint16 // ports
	seq, ack uint32
	flags    byte
	data     []byte
}

const (
	fin, syn, rst, psh, ack, urg = 1, 2, 4, 8, 16, 32

	protocolTCP = 6
)

// ErrDisturbed is wrapped by the errors of [Play] if another segment came than the next
// one of the variant.
var ErrDisturbed = errors.New("a segment came that is no part of the variant")

var errPacket = errors.New("a packet that is no TCP segment of IPv4")

func parse(b []byte) (segment, error) {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != protocolTCP {
		return segment{}, errPacket
	}
	head, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if head < 20 || total > len(b) || total < head+20 {
		return segment{}, errPacket
	}
	t := b[head:total]
	offset := int(t[12]>>4) * 4
	if offset < 20 || offset > len(t) {
		return segment{}, errPacket
	}
	return segment{
		from: binary.BigEndian.Uint16(t), to: binary.BigEndian.Uint16(t[2:]),
		seq: binary.BigEndian.Uint32(t[4:]), ack: binary.BigEndian.Uint32(t[8:]),
		flags: t[13], data: t[offset:],
	}, nil
}

// names are the flags that are set, such as "PSH-ACK".
func (s segment) names() string {
	var names []string
	for _, f := range []struct {
		bit  byte
		name string
	}{{syn, "SYN"}, {fin, "FIN"}, {rst, "RST"}, {psh, "PSH"}, {ack, "ACK"}, {urg, "URG"}} {
		if s.flags&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, "-")
}

// length returns the number of sequence numbers that it takes.
func (s segment) length() uint32 {
	n := uint32(len(s.data))
	for _, f := range []byte{syn, fin} {
		if s.flags&f != 0 {
			n++
		}
	}
	return n
}

// numbering is one direction's sequence numbers. The zero value has seen nothing.
type numbering struct {
	begun       bool
	first, next uint32
}

// take adds a segment that was seen in direction own, whose acknowledgements count
// direction other, and returns it as a record has it.
func take(s segment, own, other *numbering) *life.Segment {
	if !own.begun {
		*own = numbering{begun: true, first: s.seq, next: s.seq}
	}
	n := s.length()
	l := &life.Segment{
		Flags: s.names(), Seq: s.seq - own.first, Bytes: len(s.data), Holds: holds(s.data),
		Retransmission: n > 0 && int32(s.seq+n-own.next) <= 0,
		KeepAlive:      s.flags == ack && len(s.data) == 0 && s.seq == own.next-1,
	}
	if s.flags&ack != 0 {
		l.Ack = s.ack - other.first
	}
	if int32(s.seq+n-own.next) > 0 {
		own.next = s.seq + n
	}
	return l
}

// holds says what data of TLS are (RFC 8446, sections 4 and 5.1): the first message
// that is not encrypted, "Finished" of the client's last flight, and "data" of what is
// encrypted. It is "" of everything else.
func holds(b []byte) string {
	const changeCipherSpec, handshake, applicationData, clientHello, serverHello = 20, 22, 23, 1, 2
	if len(b) < 6 || b[1] != 3 {
		return ""
	}
	switch {
	case b[0] == handshake && b[5] == clientHello:
		return "ClientHello"
	case b[0] == handshake && b[5] == serverHello:
		return "ServerHello"
	case b[0] == changeCipherSpec: // for old boxes in between; the client's Finished is behind it
		return "Finished"
	case b[0] == applicationData:
		return "data"
	}
	return ""
}
