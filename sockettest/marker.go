package sockettest

import (
	"net/netip"

	"socketlab/internal/socketstats"
)

// markerAddr is an address of the loopback interface that nobody else uses, so
// that the marker's connections are not taken for a test's, not even by the
// check of the test around it.
var markerAddr = netip.AddrFrom4([4]byte{127, 83, 84, 77})

// marks reports whether a socket is a marker's.
func marks(s socketstats.Socket) bool {
	return s.Local.Addr() == markerAddr || s.Remote.Addr() == markerAddr
}
