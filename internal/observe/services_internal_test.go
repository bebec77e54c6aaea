package observe

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// A container whose port a client of our namespace uses, two with the same address of their
// own and that port, two clients of a database elsewhere, and one that is alone.
func TestNamespacesThatMeetHaveOneService(t *testing.T) {
	t.Parallel()
	at := func(ns uint32, own string, sockets ...socketstats.Socket) *view {
		return &view{namespace: ns, foreign: ns != 1, sockets: sockets, sort: &byPort{port: 80, own: socketstats.Addresses{netip.MustParseAddr(own): true}}}
	}
	conn := func(local, remote string) socketstats.Socket {
		return socketstats.Socket{Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote), State: socketstats.Established}
	}
	listen := func(addr string) socketstats.Socket {
		return socketstats.Socket{Local: netip.MustParseAddrPort(addr), State: socketstats.Listen}
	}
	client := at(1, "10.0.0.1", conn("10.0.0.1:5000", "10.0.0.2:80"))
	w := &Watcher{target: series.Target{Port: 80}, views: []*view{
		client,
		at(2, "10.0.0.2", listen("0.0.0.0:80")),
		at(3, "10.0.2.100", listen("0.0.0.0:80"), conn("10.0.2.100:80", "10.0.2.2:5000")),
		at(4, "10.0.2.100", listen("0.0.0.0:80"), conn("10.0.2.100:80", "10.0.2.2:5000")),
		at(5, "10.1.0.5", conn("10.1.0.5:5000", "192.0.2.1:80")),
		at(6, "10.1.0.6", conn("10.1.0.6:5000", "192.0.2.1:80")),
		at(7, "10.2.0.7", listen("127.0.0.1:80"), conn("127.0.0.1:80", "127.0.0.1:5000"), conn("127.0.0.1:5000", "127.0.0.1:80")),
		at(8, "10.2.0.8", conn("10.2.0.8:5000", "10.2.0.9:443")),
	}}
	want := [][]string{{"", "net:[2]"}, {"net:[3]"}, {"net:[4]"}, {"net:[5]", "net:[6]"}, {"net:[7]"}}
	require.Equal(t, want, w.services())

	client.sockets = []socketstats.Socket{listen("127.0.0.1:80")}
	require.Equal(t, want, w.services(), "they have met")
	w.views = w.views[:1]
	require.Nil(t, w.services())
}
