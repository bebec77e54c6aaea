package observe

import (
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/runtimes"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

func TestWhatAProcessIsIsSeenInItsSockets(t *testing.T) {
	t.Parallel()
	const me, other = 7, 8
	p := newPrograms()
	p.of[me], p.of[other] = &program{Program: runtimes.Program{Runtime: "python"}}, &program{}
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port) }
	row := func(s *socketstats.Socket) (int32, socketstats.End, bool) {
		if s.Local.Port() == 8080 {
			return s.PID, socketstats.Server, s.PID != 0
		}
		return s.PID, socketstats.Client, s.PID != 0
	}
	itself := func(pid int32) int32 { return pid }
	describe := func() (id series.Identity) {
		id.PID = me
		p.describe(&id, id.PID)
		return id
	}
	require.Equal(t, series.Identity{PID: me, Runtime: "python"}, describe(), "nothing was seen yet")

	p.see(0, []socketstats.Socket{{Local: at(8080), State: socketstats.Listen, PID: me}}, row, itself)
	require.Equal(t, series.Identity{PID: me, Runtime: "python", Role: runtimes.Server, Protocol: "http"}, describe())

	p.see(0, []socketstats.Socket{
		{Local: at(40000), Remote: at(5432), State: socketstats.Established, PID: me},
		{Local: at(40001), Remote: at(6379), State: socketstats.Established, PID: other},
		{Local: at(40002), Remote: at(3306), State: socketstats.TimeWait}, // nobody's
	}, row, itself)
	require.Equal(t, series.Identity{PID: me, Runtime: "python", Role: runtimes.Service, Protocol: "postgres"}, describe())

	// Who listens at a port that is not well known is asked, if it is here, and once.
	p.here[place{0, at(7000)}] = listener{protocol: "redis"}
	p.see(0, []socketstats.Socket{{Local: at(40004), Remote: at(7000), State: socketstats.Established, PID: me}}, row, itself)
	require.Equal(t, "postgres,redis", describe().Protocol)
	require.Equal(t, runtimes.Service, describe().Role)
	require.Empty(t, describe().Peer)
	closed := func(silent time.Duration) socketstats.Socket {
		return socketstats.Socket{Local: at(40005), Remote: at(5432), State: socketstats.CloseWait, PID: me, Info: &socketstats.Info{Sent: silent + time.Second, Received: silent}}
	}
	p.see(0, []socketstats.Socket{closed(6040 * time.Millisecond), closed(9 * time.Second)}, row, itself)
	require.EqualValues(t, 6000, describe().PeerClosedMS)
	p.of[me].peerClosed = 0
	p.see(0, []socketstats.Socket{{Local: at(40004), Remote: netip.MustParseAddrPort("192.0.2.1:7000"), State: socketstats.Established, PID: me}}, row, itself)
	require.Equal(t, "postgres,redis", describe().Protocol)

	p.see(0, []socketstats.Socket{{Local: at(40003), Remote: at(443), State: socketstats.Established, PID: me}}, row, itself)
	p.see(0, nil, row, itself)
	require.Equal(t, "http,postgres,redis", describe().Protocol, "what was seen once stays known")
}

func TestWhoOpensConnectionsBetweenSamplesIsAClient(t *testing.T) {
	t.Parallel()
	p := newPrograms()
	p.of[7] = &program{listens: true}
	p.seeOpened(rows{{pid: 7}: {KernelConns: &series.ConnCounts{Opened: 5, Accepted: series.AcceptedConns{Opened: 5}}}})
	require.False(t, p.of[7].connects, "all were accepted")
	p.seeOpened(rows{{pid: 7}: {KernelConns: &series.ConnCounts{Opened: 6, Accepted: series.AcceptedConns{Opened: 5}}}, {pid: 0}: {KernelConns: &series.ConnCounts{Opened: 6}}})
	require.True(t, p.of[7].connects)
	id := series.Identity{PID: 7}
	p.describe(&id, id.PID)
	require.Equal(t, runtimes.Service, id.Role)
}

func TestThisProcessIsInGo(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("no /proc here")
	}
	id := series.Identity{PID: int32(os.Getpid())}
	newPrograms().describe(&id, id.PID)
	require.Equal(t, "go", id.Runtime)
	require.Equal(t, "socketlab", id.Module)
}

func TestProcessesTogetherAreWhatTheyAllAre(t *testing.T) {
	t.Parallel()
	var id series.Identity
	describeTogether(&id, []series.Identity{
		{Runtime: "ruby", RuntimeVersion: "3.1", Module: "a.rb", Protocol: "http"}, {Runtime: "ruby", RuntimeVersion: "3.1", Module: "b.rb", Protocol: "http"},
	})
	require.Equal(t, series.Identity{Runtime: "ruby", RuntimeVersion: "3.1", Protocol: "http"}, id)
}

func TestTheServerOfAClientOnThisMachineIsKnown(t *testing.T) {
	t.Parallel()
	at := netip.MustParseAddrPort
	row := func(s *socketstats.Socket) (int32, socketstats.End, bool) { return s.PID, socketstats.Client, true }
	itself := func(pid int32) int32 { return pid }
	p := newPrograms()
	p.of[7] = &program{}
	p.here[place{0, at("127.0.0.1:3000")}], p.here[place{0, at("127.0.0.1:3001")}] = listener{server: "Node"}, listener{server: "Node"}
	peer := func(sockets ...socketstats.Socket) string {
		p.see(0, sockets, row, itself)
		id := series.Identity{PID: 7}
		p.describe(&id, id.PID)
		return id.Peer
	}
	to := func(remote string) socketstats.Socket {
		return socketstats.Socket{Local: at("127.0.0.1:40000"), Remote: at(remote), State: socketstats.Established, PID: 7}
	}
	require.Equal(t, "Node", peer(to("127.0.0.1:3000"), to("127.0.0.1:3001")))
	require.Empty(t, peer(to("192.0.2.1:80")), "there is another one, elsewhere")
}

func TestTheListenerOfAnAddressIsBeforeThatOfItsPort(t *testing.T) {
	t.Parallel()
	at := netip.MustParseAddrPort
	listens := func(addr string) socketstats.Socket {
		return socketstats.Socket{Local: at(addr), State: socketstats.Listen}
	}
	sockets := []socketstats.Socket{
		listens("127.0.0.9:80"), listens("[::]:80"), listens("127.0.0.1:80"),
		{Local: at("127.0.0.2:80"), State: socketstats.Established},
	}
	require.Equal(t, &sockets[2], listenerAt(at("127.0.0.1:80"), sockets))
	require.Equal(t, &sockets[1], listenerAt(at("127.0.0.2:80"), sockets))
	require.Nil(t, listenerAt(at("127.0.0.1:81"), sockets))

	families := []socketstats.Socket{listens("0.0.0.0:90"), listens("[::]:90")}
	require.Equal(t, &families[0], listenerAt(at("127.0.0.1:90"), families))
	require.Equal(t, &families[1], listenerAt(at("[::1]:90"), families))
	require.Nil(t, listenerAt(at("[::1]:90"), families[:1]))
}
