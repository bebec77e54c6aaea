package socketstats

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the kernel skips is found by comparing with the last answer to the same
// query. The order of the ports, often that of a map, must not make it another one.
func TestTheSamePortsInAnotherOrderAreTheSameQuery(t *testing.T) {
	d, err := OpenSockdiag()
	require.NoError(t, err)
	defer d.Close()
	ports := []uint16{3, 1, 2}
	for range 2 {
		_, err = d.Sockets(t.Context(), Query{Ports: ports})
		require.NoError(t, err)
		require.Equal(t, []uint16{1, 2, 3}, d.conns[0].state.ports)
	}
	require.Equal(t, []uint16{3, 1, 2}, ports, "they are the caller's")
}

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
