package netfault

import (
	"testing"

	"github.com/mdlayher/netlink"
	"github.com/stretchr/testify/require"
)

// Whatever the kernel's netfilter says of a packet, it is read or refused.
func FuzzHeld(f *testing.F) {
	whole, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: packetHeader, Data: []byte{0, 0, 0, 1, 8, 0, 3}}, {Type: packetBytes, Data: []byte("packet")}})
	require.NoError(f, err)
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add([]byte{4, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := held(b)
		if err == nil {
			require.LessOrEqual(t, len(h.Packet), len(b))
		}
	})
}
