package socketstats

import (
	"net"
	"net/netip"
	"slices"
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

// A caller that keeps the last answer passes it, and nothing is kept for it meanwhile.
func TestWhatIsMissingFromTheCallersLastAnswerIsAskedFor(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	for range 200 { // more than one message of the kernel's
		c, err := net.Dial("tcp", ln.Addr().String())
		require.NoError(t, err)
		defer c.Close()
	}
	d, err := OpenSockdiag()
	require.NoError(t, err)
	defer d.Close()
	c := d.conns[0]
	q := Query{Ports: []uint16{netip.MustParseAddrPort(ln.Addr().String()).Port()}}
	list, err := c.dump(t.Context(), q, whole, nil)
	require.NoError(t, err)
	require.Len(t, list, 401)
	require.NotEmpty(t, c.state.chunkBounds)
	require.Len(t, c.state.cookies, len(list))

	q.Last = slices.Clone(list)
	again, err := c.dump(t.Context(), q, whole, list[:0])
	require.NoError(t, err)
	require.Equal(t, cookies(q.Last), cookies(again))
	require.Equal(t, dumpState{}, c.state, "nothing is kept")

	// As if the kernel had skipped the first socket of the second message.
	bound := 200
	c.state.remember(q, whole, q.Last)
	answer := diagAnswer{query: q, sockets: slices.Delete(slices.Clone(q.Last), bound, bound+1), chunkBounds: []int{bound}}
	require.NoError(t, c.restore(&answer, q, whole))
	require.ElementsMatch(t, cookies(q.Last), cookies(answer.sockets))
}

func cookies(sockets []Socket) (all []uint64) {
	for i := range sockets {
		all = append(all, sockets[i].Cookie)
	}
	return all
}
