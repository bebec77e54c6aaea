package socketstats_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

const (
	client = socketstats.Client
	server = socketstats.Server
)

// sources are held to the same answers by every test here.
func sources(t *testing.T) (all []socketstats.Source) {
	for _, name := range socketstats.SourceNames() {
		switch name {
		case socketstats.Auto:
		case "sockdiag":
			all = append(all, sockdiag(t))
		default:
			src, err := socketstats.OpenSource(name)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, src.Close()) })
			all = append(all, src)
		}
	}
	return all
}

// docs/counting.md has a row for each.
func TestDocsNameEverySource(t *testing.T) {
	docs, err := os.ReadFile("../../docs/counting.md")
	require.NoError(t, err)
	for _, name := range socketstats.SourceNames() {
		require.Contains(t, string(docs), "\n| `"+name+"` | ")
	}
}

func sockdiag(t *testing.T) *socketstats.Sockdiag {
	d, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	d.HalveFrom(2000) // few tests would hold enough otherwise
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// eachSource runs a test for every source and family.
func eachSource(t *testing.T, test func(*testing.T, socketstats.Source, statefixture.Family)) {
	for _, src := range sources(t) {
		for _, family := range statefixture.Families() {
			t.Run(src.Name()+"/"+string(family), func(t *testing.T) { test(t, src, family) })
		}
	}
}

func TestEveryStateIsListedAtBothEnds(t *testing.T) {
	states := map[string]func(*statefixture.Fixture){
		"a listener alone":                     func(*statefixture.Fixture) {},
		"established":                          func(z *statefixture.Fixture) { z.Established() },
		"established, not accepted":            func(z *statefixture.Fixture) { z.Unaccepted() },
		"SYN sent to a full listener":          func(z *statefixture.Fixture) { z.SynSent() },
		"SYN received by a deferring listener": func(z *statefixture.Fixture) { z.SynRecv() },
		"client's FIN stuck behind data":       func(z *statefixture.Fixture) { z.FinWait1(client) },
		"server's FIN stuck behind data":       func(z *statefixture.Fixture) { z.FinWait1(server) },
		"closed by the client only":            func(z *statefixture.Fixture) { z.FinWait2(client) },
		"closed by the server only":            func(z *statefixture.Fixture) { z.FinWait2(server) },
		"orphan at the client":                 func(z *statefixture.Fixture) { z.Orphan(client) },
		"orphan at the server":                 func(z *statefixture.Fixture) { z.Orphan(server) },
		"time wait at the client":              func(z *statefixture.Fixture) { z.TimeWait(client) },
		"time wait at the server":              func(z *statefixture.Fixture) { z.TimeWait(server) },
		"last ACK at the client":               func(z *statefixture.Fixture) { z.LastAck(client) },
		"last ACK at the server":               func(z *statefixture.Fixture) { z.LastAck(server) },
		"both FINs, client's stuck":            func(z *statefixture.Fixture) { z.Closing(client) },
		"both FINs, server's stuck":            func(z *statefixture.Fixture) { z.Closing(server) },
	}
	eachSource(t, func(t *testing.T, src socketstats.Source, family statefixture.Family) {
		for name, hold := range states {
			t.Run(name, func(t *testing.T) {
				fixture := statefixture.New(t, family)
				hold(fixture)
				fixture.RequireListedBy(src)
			})
		}
	})
}

func TestEverythingAtOnceOnOnePortIsCountedExactly(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		for range 3 {
			fixture.Established()
		}
		for _, at := range []socketstats.End{client, server} {
			fixture.FinWait1(at)
			fixture.FinWait2(at)
			fixture.Orphan(at)
			fixture.TimeWait(at)
			fixture.LastAck(at)
			fixture.Closing(at)
		}
		fixture.Unaccepted()
		fixture.Unaccepted()
		fixture.SynRecv()
		fixture.SynSent()
		fixture.SynSent()

		fixture.RequireListedBy(src)
		compareWithSS(t, fixture)

		// Written out, so that the fixture's own sums are held to something.
		all, err := src.Sockets(t.Context(), socketstats.Query{Ports: []uint16{fixture.Server.Port()}})
		require.NoError(t, err)
		atClient, atServer := socketstats.Count(fixture.Mine(all), fixture.Server)
		// 3 established + a peer in FIN_WAIT1 + 2 not accepted + 1 half-open;
		// FIN_WAIT2: own, orphan, and the peers' LAST_ACK and CLOSING.
		require.Equal(t, map[string]int{
			"SYN_SENT": 2, "ESTABLISHED": 7, "FIN_WAIT1": 1, "FIN_WAIT2": 4, "CLOSING": 1,
			"TIME_WAIT": 1, "CLOSE_WAIT": 2, "LAST_ACK": 1, "total": 19,
		}, byName(atClient))
		require.Equal(t, map[string]int{
			"SYN_RECV": 1, "ESTABLISHED": 6, "FIN_WAIT1": 1, "FIN_WAIT2": 4, "CLOSING": 1,
			"TIME_WAIT": 1, "CLOSE_WAIT": 2, "LAST_ACK": 1, "LISTEN": 1, "total": 18,
		}, byName(atServer))
		// Open at the client's end: all but TIME_WAIT, and where it is known, without the
		// orphan in FIN_WAIT2 and the one in LAST_ACK. At the server's end also without what
		// was not accepted, and without the listener.
		open := [2]int{18, 16}
		if socketstats.ReportsInodes(src) {
			open = [2]int{16, 11}
		}
		require.Equal(t, open, [2]int{atClient.Open(), atServer.Open()})
	})
}

func byName(c socketstats.Counts) map[string]int {
	m := map[string]int{"total": c.Total()}
	for _, s := range socketstats.States() {
		if n := c.Of(s); n != 0 {
			m[s.String()] = n
		}
	}
	return m
}

func TestAListenerIsAbsentBeforeAndAfter(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source, family statefixture.Family) {
		fixture := statefixture.Bound(t, family)
		require.Empty(t, fixture.Sockets())
		fixture.RequireListedBy(src)

		fixture.Listen()
		require.Len(t, fixture.Sockets(), 1)
		fixture.RequireListedBy(src)

		fixture.Unlisten()
		require.Empty(t, fixture.Sockets())
		fixture.RequireListedBy(src)
	})
}

func TestAConnectionIsAbsentBeforeAndAfter(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		conn := fixture.Reserve()
		require.Len(t, fixture.Sockets(), 1, "the listener alone")
		fixture.RequireListedBy(src)

		conn.Establish()
		require.Len(t, fixture.Sockets(), 3)
		fixture.RequireListedBy(src)

		conn.Abort()
		require.Len(t, fixture.Sockets(), 1)
		fixture.RequireListedBy(src)
	})
}

func TestNoneOfManyConnectionsIsCut(t *testing.T) {
	const conns = 300
	for _, src := range sources(t) {
		fixture := statefixture.New(t, statefixture.IPv4)
		for range conns {
			fixture.Established()
		}
		atClient, atServer := fixture.Counts(socketstats.ReportsInodes(src))
		require.Equal(t, conns, atClient.Of(socketstats.Established))
		require.Equal(t, conns, atServer.Of(socketstats.Established))
		fixture.RequireListedBy(src)
	}
}

func TestListenersThatShareAnAddressAreEachCounted(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		fixture.Established()
		fixture.ListenAgain()
		fixture.RequireListedBy(src)

		other := fixture.ListenElsewhere()
		require.NotEqual(t, int32(os.Getpid()), other)
		fixture.RequireListedBy(src)
		compareWithSS(t, fixture)
	})
}

// Go's listeners are MPTCP sockets unless told otherwise, over TCP ones that
// the kernel lists; so are its clients where asked for.
func TestWhatGoListensOnIsListedWithItsOwner(t *testing.T) {
	for _, src := range sources(t) {
		l, err := net.Listen("tcp", ":0")
		require.NoError(t, err)
		defer l.Close()
		listener := netip.MustParseAddrPort(l.Addr().String())
		var dialer net.Dialer
		dialer.SetMultipathTCP(true)
		near, err := dialer.DialContext(t.Context(), "tcp4", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), listener.Port()).String())
		require.NoError(t, err)
		defer near.Close()
		far, err := l.Accept()
		require.NoError(t, err)
		defer far.Close()

		at := near.LocalAddr().(*net.TCPAddr).AddrPort()
		to := near.RemoteAddr().(*net.TCPAddr).AddrPort()
		pid := int32(os.Getpid())
		want := []socketstats.Socket{
			{Local: listener, State: socketstats.Listen, PID: pid},
			{Local: at, Remote: to, State: socketstats.Established, PID: pid},
			{Local: to, Remote: at, State: socketstats.Established, PID: pid},
		}
		all, err := src.Sockets(t.Context(), socketstats.Query{Ports: []uint16{listener.Port()}, Owners: true})
		require.NoError(t, err)
		mine := slices.DeleteFunc(all, func(s socketstats.Socket) bool { // an earlier run's TIME_WAIT
			return s.State != socketstats.Listen && s.Local != at && s.Remote != at
		})
		require.Equal(t, statefixture.Lines(want), statefixture.Lines(mine))
	}
}

func TestAPortNobodyAskedForIsNotListed(t *testing.T) {
	for _, src := range sources(t) {
		asked := statefixture.New(t, statefixture.IPv4)
		asked.Established()
		other := statefixture.New(t, statefixture.IPv4)
		other.Established()
		got, err := src.Sockets(t.Context(), socketstats.Query{Ports: []uint16{asked.Server.Port()}})
		require.NoError(t, err)
		require.Len(t, asked.Mine(got), 3)
		require.Empty(t, other.Mine(got))

		both, err := src.Sockets(t.Context(), socketstats.Query{})
		require.NoError(t, err)
		require.Len(t, asked.Mine(both), 3)
		require.Len(t, other.Mine(both), 3)
	}
}

func TestACancelledQueryIsAnErrorAndNoList(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, src := range sources(t) {
		got, err := src.Sockets(ctx, socketstats.Query{})
		require.ErrorIs(t, err, context.Canceled)
		require.Nil(t, got)
	}
}
