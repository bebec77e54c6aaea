package socketstats_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

func TestInfoIsThereWhereItWasAskedForAndTheKernelHasIt(t *testing.T) {
	eachFamily(t, func(t *testing.T, d *socketstats.Sockdiag, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		has := []socketstats.Tuple{{Local: fixture.Listener()}}
		both := []socketstats.End{client, server}
		for _, conn := range []*statefixture.Conn{
			fixture.Established(), fixture.FinWait1(client), fixture.FinWait2(server), fixture.Closing(client), fixture.LastAck(server),
		} {
			has = append(has, conn.Tuple(client), conn.Tuple(server))
		}
		var hasNot []socketstats.Tuple
		for _, at := range both {
			hasNot = append(hasNot, fixture.TimeWait(at).Tuple(at))
			orphan := fixture.Orphan(at)
			hasNot = append(hasNot, orphan.Tuple(at))
			has = append(has, orphan.Tuple(client+server-at))
		}
		waiting, half, opening := fixture.Unaccepted(), fixture.SynRecv(), fixture.SynSent()
		has = append(has, waiting.Tuple(client), waiting.Tuple(server), half.Tuple(client), opening.Tuple(client))
		hasNot = append(hasNot, half.Tuple(server))

		for _, s := range byTuple(t, d, fixture, socketstats.Query{}) {
			require.Nil(t, s.Info, "not asked for")
		}
		listed := byTuple(t, d, fixture, socketstats.Query{Info: true})
		for _, tuple := range has {
			require.NotNil(t, listed[tuple].Info, "%+v", listed[tuple])
		}
		for _, tuple := range hasNot {
			require.Contains(t, listed, tuple)
			require.Nil(t, listed[tuple].Info, "%+v", listed[tuple])
		}

		// Where there is no connection yet the kernel's figures are of no event:
		// they count from when the machine began.
		for _, tuple := range []socketstats.Tuple{opening.Tuple(client), {Local: fixture.Listener()}} {
			require.Zero(t, listed[tuple].Info.Sent, "%+v", listed[tuple])
			require.Zero(t, listed[tuple].Info.Received, "%+v", listed[tuple])
		}
	})
}

func TestHeldIsTheTimerAndTheMemoryWhereItWasAskedFor(t *testing.T) {
	eachFamily(t, func(t *testing.T, d *socketstats.Sockdiag, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		established, timeWait := fixture.Established().Tuple(server), fixture.TimeWait(client).Tuple(client)
		fixture.Unaccepted() // so that the queue can be full
		half, opening := fixture.SynRecv().Tuple(server), fixture.SynSent().Tuple(client)
		timers := map[socketstats.Tuple]socketstats.Timer{
			established: socketstats.NoTimer, {Local: fixture.Listener()}: socketstats.NoTimer, timeWait: socketstats.TimeWaitTimer,
			half: socketstats.RetransmitTimer, opening: socketstats.RetransmitTimer,
		}
		for _, s := range byTuple(t, d, fixture, socketstats.Query{}) {
			require.Nil(t, s.Held, "not asked for")
		}
		listed := byTuple(t, d, fixture, socketstats.Query{Held: true})
		for tuple, want := range timers {
			s := listed[tuple]
			require.NotNil(t, s.Held, "%+v", tuple)
			require.Equal(t, want, s.Held.Timer, "%+v", s)
			require.LessOrEqual(t, s.Held.Expires, time.Minute)
			hasBuffers := s.State != socketstats.TimeWait && s.State != socketstats.SynRecv
			require.Equal(t, hasBuffers, s.Held.RecvBuffer > 0, "%+v", s)
			require.Equal(t, hasBuffers, s.Held.SendBuffer > 0, "%+v", s)
		}
		require.Positive(t, listed[timeWait].Held.Expires)
	})
}

// until asks the kernel about a descriptor until what it says will do.
func until(t *testing.T, fd int, enough func(*unix.TCPInfo) bool) *unix.TCPInfo {
	t.Helper()
	limit := time.After(time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		require.NoError(t, err)
		if enough(info) {
			return info
		}
		select {
		case <-tick.C:
		case <-limit:
			require.FailNow(t, "waited in vain", "saw last: %+v", info)
		}
	}
}

func TestInfoTellsABusyConnectionFromAnIdleOne(t *testing.T) {
	eachFamily(t, func(t *testing.T, d *socketstats.Sockdiag, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		idle, busy := fixture.Established(), fixture.Established()
		const pause = 30 // ms, and more than one tick of the kernel's clock
		for _, conn := range []*statefixture.Conn{idle, busy} {
			for _, fd := range []int{conn.FD(client), conn.FD(server)} {
				until(t, fd, func(i *unix.TCPInfo) bool { return i.Last_data_sent >= pause && i.Last_data_recv >= pause })
			}
		}
		_, err := unix.Write(busy.FD(client), []byte("hello"))
		require.NoError(t, err)
		until(t, busy.FD(client), func(i *unix.TCPInfo) bool { return i.Unacked == 0 })

		// The kernel says of each how long ago it was when it comes to it: in a list that
		// takes longer than the pause, what comes last is older.
		var listed map[socketstats.Tuple]socketstats.Socket
		for took := time.Minute; took > pause*time.Millisecond/2; {
			began := time.Now()
			listed = byTuple(t, d, fixture, socketstats.Query{Info: true})
			took = time.Since(began)
		}
		of := func(conn *statefixture.Conn, end socketstats.End) socketstats.Info {
			t.Helper()
			require.NotNil(t, listed[conn.Tuple(end)].Info)
			return *listed[conn.Tuple(end)].Info
		}
		require.Less(t, of(busy, client).Sent, of(idle, client).Sent)
		require.Less(t, of(busy, server).Received, of(idle, server).Received)
		// The other way nothing went: as long ago as for the idle one.
		require.GreaterOrEqual(t, of(busy, client).Received, pause*time.Millisecond)
		require.GreaterOrEqual(t, of(busy, server).Sent, pause*time.Millisecond)
		for _, end := range []socketstats.End{client, server} {
			got := of(idle, end)
			require.GreaterOrEqual(t, got.Sent, pause*time.Millisecond)
			require.GreaterOrEqual(t, got.Received, pause*time.Millisecond)
			require.Less(t, got.Sent, time.Minute, "in milliseconds")
			own := until(t, idle.FD(end), func(*unix.TCPInfo) bool { return true })
			require.Positive(t, got.RTT)
			require.Equal(t, time.Duration(own.Rtt)*time.Microsecond, got.RTT)
			require.Equal(t, own.Total_retrans, got.Retransmits)
		}
	})
}
