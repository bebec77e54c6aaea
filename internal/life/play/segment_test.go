package play

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/life"
)

// packet is a segment with four bytes of options and two of data, as a capture has it.
func packet() []byte {
	return []byte{
		0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, // IPv4
		0x9c, 0x40, 0x1f, 0x90, 0, 0, 0, 10, 0, 0, 0, 20, 0x60, 0x18, 2, 0, 0, 0, 0, 0, 1, 1, 1, 0, // TCP
		'h', 'i',
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	s, err := parse(append(packet(), 0, 0)) // padding of a link
	require.NoError(t, err)
	require.Equal(t, segment{from: 40000, to: 8080, seq: 10, ack: 20, flags: psh | ack, data: []byte("hi")}, s)
	require.Equal(t, "PSH-ACK", s.names())
	for n := range packet() {
		_, err := parse(packet()[:n])
		require.ErrorIs(t, err, errPacket, "the first %d bytes", n)
	}
	for at, to := range map[int]byte{0: 0x65, 9: 17, 32: 0xf0} { // IPv6, UDP, a header that is too long
		b := packet()
		b[at] = to
		_, err := parse(b)
		require.ErrorIs(t, err, errPacket, "byte %d", at)
	}
}

func TestSequenceNumbersAreRelativeAlsoWhereTheyWrap(t *testing.T) {
	t.Parallel()
	own, other := numbering{}, numbering{begun: true, first: 0xffffffff, next: 1}
	for _, step := range []struct {
		segment segment
		want    life.Segment
	}{
		{segment{seq: 0xfffffffe, flags: syn}, life.Segment{Flags: "SYN"}},
		{segment{seq: 0xfffffffe, flags: syn}, life.Segment{Flags: "SYN", Retransmission: true}},
		{segment{seq: 0xffffffff, ack: 0, flags: ack}, life.Segment{Flags: "ACK", Seq: 1, Ack: 1}},
		{segment{seq: 0xffffffff, ack: 0, flags: ack, data: []byte("hello")}, life.Segment{Flags: "ACK", Seq: 1, Ack: 1, Bytes: 5}},
		{segment{seq: 0xffffffff, ack: 0, flags: ack, data: []byte("hello")}, life.Segment{Flags: "ACK", Seq: 1, Ack: 1, Bytes: 5, Retransmission: true}},
		{segment{seq: 3, ack: 5, flags: ack}, life.Segment{Flags: "ACK", Seq: 5, Ack: 6, KeepAlive: true}},
		{segment{seq: 4, ack: 5, flags: fin | ack}, life.Segment{Flags: "FIN-ACK", Seq: 6, Ack: 6}},
		{segment{seq: 4, ack: 5, flags: fin | ack}, life.Segment{Flags: "FIN-ACK", Seq: 6, Ack: 6, Retransmission: true}},
		{segment{seq: 5, ack: 5, flags: rst | ack}, life.Segment{Flags: "RST-ACK", Seq: 7, Ack: 6}},
	} {
		require.Equal(t, step.want, *take(step.segment, &own, &other))
	}
}
