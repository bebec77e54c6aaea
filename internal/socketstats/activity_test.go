package socketstats_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func TestUseTellsWhoIsToSpeakNext(t *testing.T) {
	t.Parallel()
	info := func(sent, received time.Duration, out, in uint32) *socketstats.Info {
		return &socketstats.Info{Sent: sent, Received: received, SegmentsOut: out, SegmentsIn: in}
	}
	const ms = time.Millisecond
	sockets := []socketstats.Socket{
		{State: socketstats.Established, Info: info(50*ms, 50*ms, 0, 0)},                   // nothing said
		{State: socketstats.Established, Info: info(2*time.Second, 40*time.Second, 2, 1)},  // asked 2 s ago
		{State: socketstats.Established, Info: info(40*time.Second, 35*time.Second, 1, 1)}, // answered 35 s ago
		{State: socketstats.Established, Info: info(5*ms, 5*ms, 1, 1)},                     // in one millisecond
		{State: socketstats.Established, RecvQ: 9, Info: info(time.Second, time.Second, 1, 1)},
		{State: socketstats.SynSent, Info: &socketstats.Info{Retransmits: 1}},
		{State: socketstats.TimeWait},
		{State: socketstats.FinWait1, SendQ: 7, Info: &socketstats.Info{Retransmits: 3, Sent: time.Second}},
	}
	client := socketstats.ActivityOf(sockets, socketstats.Client)
	require.Equal(t, 1, client.Fresh.Total())
	require.Equal(t, 1, client.Sent.Total())
	require.Equal(t, 3, client.Received.Total(), "of two times alike, a client's last is the answer")
	require.Equal(t, 1, client.Sent.AtLeast(time.Second))
	require.Equal(t, 0, client.Sent.AtLeast(3*time.Second))
	require.Equal(t, 1, client.Received.AtLeast(30*time.Second))
	require.Equal(t, 2, client.Received.AtLeast(time.Second))
	require.Equal(t, 1, client.Unread)
	require.Equal(t, 1, client.Dead)
	require.Equal(t, 1, client.Resent)
	require.Equal(t, 8, client.MaxPerDestination)

	server := socketstats.ActivityOf(sockets, socketstats.Server)
	require.Equal(t, 3, server.Sent.Total(), "of two times alike, a server's last is its answer")
	require.Equal(t, 1, server.Received.Total())
	require.Zero(t, server.MaxPerDestination)
}

func TestActivityKnowsWhatIsHeldFromWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	silent := func(s, r time.Duration) *socketstats.Info {
		return &socketstats.Info{Sent: s, Received: r, SegmentsOut: 9, SegmentsIn: 9, Retransmits: 1}
	}
	paused := silent(time.Minute, time.Minute)
	paused.Paused = true
	a := socketstats.ActivityOf([]socketstats.Socket{
		{State: socketstats.CloseWait, Inode: 1, Info: silent(time.Minute, socketstats.HeldFor)},
		{State: socketstats.CloseWait, Inode: 2, Info: silent(time.Minute, 5*time.Second)},
		{State: socketstats.CloseWait, Info: silent(time.Minute, time.Minute)}, // not accepted
		{State: socketstats.FinWait2, Inode: 3, Info: silent(time.Minute, time.Minute)},
		{State: socketstats.FinWait2, Inode: 4, Info: silent(time.Second, time.Minute)},
		{State: socketstats.Established, RecvQ: 9, Info: silent(time.Minute, time.Minute)},
		{State: socketstats.Established, RecvQ: 9, Info: silent(time.Minute, 3*time.Second)},
		{State: socketstats.Established, SendQ: 9, Info: paused},
		{State: socketstats.Established, SendQ: 9, Info: silent(time.Minute, time.Minute)},
	}, socketstats.Client)
	require.Equal(t, []int{1, 2, 1, 1}, []int{a.CloseWaitHeld, a.Unread, a.UnreadHeld, a.Dead})
	a = a.Plus(a)
	require.Equal(t, []int{2, 4, 2, 2}, []int{a.CloseWaitHeld, a.Unread, a.UnreadHeld, a.Dead})
}

func TestActivityTellsWhatConnectionsCarried(t *testing.T) {
	t.Parallel()
	to := func(address string) netip.AddrPort { return netip.MustParseAddrPort(address) }
	sockets := []socketstats.Socket{
		{State: socketstats.Established, Remote: to("10.0.0.1:80"), Info: &socketstats.Info{SegmentsOut: 4, SegmentsIn: 9}},
		{State: socketstats.Established, Remote: to("10.0.0.1:80"), Info: &socketstats.Info{SegmentsOut: 5, SegmentsIn: 9}},
		{State: socketstats.CloseWait, Remote: to("10.0.0.2:80"), Info: &socketstats.Info{SegmentsOut: 1, SegmentsIn: 1}},
		{State: socketstats.Established, Remote: to("10.0.0.3:80"), Info: &socketstats.Info{SegmentsOut: 7, BytesSent: 700}},
		{State: socketstats.Established, Remote: to("10.0.0.1:80"), Info: &socketstats.Info{SegmentsOut: 8, SegmentsIn: 4}},
		{State: socketstats.Established, Remote: to("10.0.0.1:80"), Info: &socketstats.Info{SegmentsOut: 9, SegmentsIn: 4}},
		{State: socketstats.TimeWait, Remote: to("10.0.0.4:80")},
	}
	client := socketstats.ActivityOf(sockets, socketstats.Client)
	require.Equal(t, 3, client.Once, "a handshake of TLS and a request in parts are eight segments at most")
	require.Equal(t, 1, client.OneWay)
	require.Equal(t, uint64(700), client.OneWayBytes)
	require.Equal(t, 3, client.Destinations, "TIME_WAIT is not open")
	require.Zero(t, client.Ages.Total(), "the sockets alone do not tell")

	server := socketstats.ActivityOf(sockets, socketstats.Server)
	require.Equal(t, 4, server.Once, "the client's segments count")
	require.Zero(t, server.Destinations)

	sum := client.Plus(client)
	require.Equal(t, 6, sum.Once)
	require.Equal(t, uint64(1400), sum.OneWayBytes)
	require.Equal(t, 3, sum.Destinations)
}

func TestBorderIsTheNextClass(t *testing.T) {
	t.Parallel()
	require.Equal(t, 10*time.Millisecond, socketstats.ClassBound(time.Millisecond))
	require.Equal(t, 3*time.Second, socketstats.ClassBound(2*time.Second))
	require.Equal(t, 3*time.Second, socketstats.ClassBound(3*time.Second))
	require.Equal(t, 1000*time.Second, socketstats.ClassBound(time.Hour))
}
