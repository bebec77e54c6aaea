package play

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever packet the kernel holds, it is a segment within it, or refused.
func FuzzSegment(f *testing.F) {
	ip := append([]byte{0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, protocolTCP, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1}, make([]byte, 12)...)
	f.Add(append(ip, 0x50, syn, 0, 0, 0, 0, 0, 0, 22, 3, 1, 0, 1, 1))
	f.Add(append(ip, 0xf0, fin|ack, 0, 0, 0, 0, 0, 0, 22, 3, 1, 0, 1, 2))
	f.Add(ip)
	f.Fuzz(func(t *testing.T, packet []byte) {
		s, err := parse(packet)
		if err != nil {
			require.ErrorIs(t, err, errPacket)
			return
		}
		require.LessOrEqual(t, len(s.data), len(packet)-40)
		var own, other numbering
		first := take(s, &own, &other)
		require.Zero(t, first.Seq)
		require.Equal(t, len(s.data), first.Bytes)
		again := take(s, &own, &other)
		require.Equal(t, s.length() > 0 && int32(s.length()) > 0, again.Retransmission)
	})
}
