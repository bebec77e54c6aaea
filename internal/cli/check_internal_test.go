package cli

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// A connection that its peer closes is in CLOSE_WAIT until the process looks at it: what is
// there for less than a second counts for nothing, however many there are.
func TestCloseWaitCountsFromASecondOn(t *testing.T) {
	socket := func(port uint16) socketstats.Socket {
		return socketstats.Socket{Local: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port), State: socketstats.CloseWait}
	}
	ports := func(sockets []socketstats.Socket) (ports []uint16) {
		for _, s := range sockets {
			ports = append(ports, s.Local.Port())
		}
		return ports
	}
	var c closeWaits
	const tenth = 100 * time.Millisecond
	for i := range time.Duration(10) { // each a socket of its own, and one that stays
		require.Empty(t, c.left([]socketstats.Socket{socket(uint16(100 + i)), socket(1)}, i*tenth))
	}
	stays := socket(1)
	stays.SendQ = 7 // the same socket, whatever else is said of it
	require.Equal(t, []uint16{1}, ports(c.left([]socketstats.Socket{stays, socket(200)}, 10*tenth)))
	require.Empty(t, c.left(nil, 11*tenth))
	require.Empty(t, c.left([]socketstats.Socket{socket(1)}, 12*tenth), "it came again")
}
