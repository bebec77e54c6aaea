package socketstats_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

// liveSource lists by a Live, which hears of closed sockets.
type liveSource struct {
	socketstats.Source
	live     socketstats.Live
	closings socketstats.Closings
	heard    socketstats.Heard // beside what closings says
	differs  bool              // said an answer since settle
}

func openLive(t *testing.T, port uint16) *liveSource {
	t.Helper()
	d, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, d.Close()) })
	l := &liveSource{Source: d}
	l.closings, err = socketstats.OpenClosings(d, []uint16{port})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.closings.Close()) })
	l.live, err = socketstats.OpenLive(d, 0)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.live.Close()) })
	return l
}

func (l *liveSource) Sockets(ctx context.Context, q socketstats.Query) ([]socketstats.Socket, error) {
	closed, _, err := l.closings.Drain(nil)
	if err != nil {
		return nil, err
	}
	h := l.heard
	h.Destroyed = map[uint64]bool{}
	for _, c := range closed {
		h.Destroyed[c.Cookie] = true
	}
	owners := q.Owners
	q.Owners = true // another query would be another list
	list, differs, err := l.live.Sockets(ctx, q, h)
	list = slices.Clone(list)
	for i := range list {
		if !owners {
			list[i].PID = 0
		}
	}
	l.differs = l.differs || differs
	return list, err
}

func (*liveSource) ReportsInodes() bool { return true }

// settle lists until nothing moves any more.
func (l *liveSource) settle(z *statefixture.Fixture) {
	for range 3 {
		l.differs = false
		z.RequireListedBy(l)
	}
}

// Every change shows in the next answer, whether a segment, a call or a timer made it.
func TestALiveListIsThatOfTheKernelAfterEveryChange(t *testing.T) {
	for _, family := range statefixture.Families() {
		t.Run(string(family), func(t *testing.T) {
			z := statefixture.New(t, family)
			l := openLive(t, z.Server.Port())
			l.settle(z)
			var kept []*statefixture.Conn
			for range 5 {
				kept = append(kept, z.Established())
			}
			l.settle(z)
			for _, change := range []struct {
				name string
				make func()
			}{
				{"opened", func() { z.Established() }},
				{"shut down by client", func() { kept[0].FinWait2(client) }},
				{"shut down by server", func() { kept[1].FinWait2(server) }},
				{"closed", func() { kept[2].TimeWait(client) }},
				{"reset", func() { kept[3].Abort() }},
				{"closed by server", func() { kept[4].TimeWait(server) }},
				{"orphan", func() { z.Orphan(client) }},
				{"FIN waits", func() { z.FinWait1(server) }},
				{"closing", func() { z.Closing(client) }},
				{"last ACK", func() { z.LastAck(server) }},
				{"opened and closed", func() { z.TimeWait(server) }},
				{"opened and reset", func() { z.Established().Abort() }},
			} {
				change.make()
				z.RequireListedBy(l)
				assert.True(t, l.differs, change.name)
				l.settle(z)
				assert.False(t, l.differs, change.name)
			}
			assert.Zero(t, l.live.Repaired())
		})
	}
}

func TestALiveListHasHalfOpenConnections(t *testing.T) {
	z := statefixture.New(t, statefixture.IPv4)
	l := openLive(t, z.Server.Port())
	l.settle(z)
	z.Unaccepted()
	l.settle(z)
	z.SynSent()
	l.settle(z)
}

// accept(2) sends no segment and reports nothing.
func TestALiveListSeesAConnectionAccepted(t *testing.T) {
	listener, addr := listenAt(t, netip.AddrPortFrom(loopback, 0))
	fd := tcpSocket(t)
	t.Cleanup(func() { reset(fd) })
	require.NoError(t, unix.Connect(fd, sockaddr4(addr)))
	l := openLive(t, addr.Port())
	unowned := func() (n int) {
		list, err := l.Sockets(t.Context(), socketstats.Query{Ports: []uint16{addr.Port()}, Owners: true})
		require.NoError(t, err)
		all := 0
		for _, s := range list {
			if s.State == socketstats.TimeWait {
				continue // another test has had this port
			}
			if all++; s.PID == 0 {
				n++
			}
		}
		require.Equal(t, 3, all, "%v", list)
		return n
	}
	for range 4 {
		require.Equal(t, 1, unowned())
	}
	l.differs = false
	require.Equal(t, 1, unowned())
	require.False(t, l.differs)
	far, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
	require.NoError(t, err)
	t.Cleanup(func() { reset(far) })
	assert.Zero(t, unowned())
	assert.True(t, l.differs)
}

// A listener that comes and goes sends no segment.
func TestALiveListSeesListeners(t *testing.T) {
	z := statefixture.Bound(t, statefixture.IPv6)
	l := openLive(t, z.Server.Port())
	l.settle(z)
	z.Listen()
	z.RequireListedBy(l)
	assert.True(t, l.differs)
	l.settle(z)
	z.Unlisten()
	z.RequireListedBy(l)
	assert.True(t, l.differs)
}

// With a tracer, an opening that it does not report is its fault; one that it says it
// has lost is not.
func TestALiveListIsMadeAnewWhenSomethingWasLost(t *testing.T) {
	z := statefixture.New(t, statefixture.IPv4)
	l := openLive(t, z.Server.Port())
	l.heard.Traced = true
	l.settle(z)
	z.Established()
	list, err := l.Sockets(t.Context(), socketstats.Query{Ports: []uint16{z.Server.Port()}, Owners: true})
	require.NoError(t, err)
	assert.Len(t, z.Mine(list), 1, "only the listener: that is how the next lines can fail")
	l.heard.Lost = true
	z.RequireListedBy(l)
	l.heard.Lost = false
	c := z.Established()
	l.heard.Touched = map[socketstats.Tuple]socketstats.State{
		c.Tuple(client): socketstats.Established, c.Tuple(server): socketstats.Established,
	}
	z.RequireListedBy(l)
	l.heard.Touched = nil
	l.settle(z)
}

func TestOnlySockdiagKeepsALiveList(t *testing.T) {
	_, err := socketstats.OpenLive(socketstats.Gopsutil{}, 0)
	assert.ErrorContains(t, err, "keeps no list")
}
