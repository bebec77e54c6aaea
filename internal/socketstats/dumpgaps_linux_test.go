package socketstats

import (
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
