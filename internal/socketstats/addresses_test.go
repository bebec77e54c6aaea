package socketstats_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func TestLoopbackIsAlwaysThisMachines(t *testing.T) {
	t.Parallel()
	for _, own := range []socketstats.Addresses{nil, socketstats.OwnAddresses()} {
		require.True(t, own.Has(netip.MustParseAddr("127.83.84.77")))
		require.True(t, own.Has(netip.IPv6Loopback()))
		require.False(t, own.Has(netip.MustParseAddr("192.0.2.1")), "an address that nobody has: RFC 5737")
	}
	require.True(t, socketstats.Addresses{netip.MustParseAddr("192.0.2.1"): true}.Has(netip.MustParseAddr("192.0.2.1")))
}
