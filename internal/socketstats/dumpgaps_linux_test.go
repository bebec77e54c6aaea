package socketstats

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPackedTuplesAreReadInTheirOrder(t *testing.T) {
	tuples := []Tuple{
		{netip.MustParseAddrPort("127.0.0.1:80"), netip.MustParseAddrPort("10.1.2.3:65535")},
		{netip.MustParseAddrPort("[::1]:443"), netip.MustParseAddrPort("[2001:db8::2]:1")},
		{netip.MustParseAddrPort("192.0.2.7:1"), netip.MustParseAddrPort("192.0.2.8:2")},
	}
	var packed packedTuples
	for _, tuple := range tuples {
		packed = packed.add(tuple)
	}
	for _, want := range tuples {
		var got Tuple
		got, packed = packed.next()
		require.Equal(t, want, got)
	}
	require.Empty(t, packed)
}
