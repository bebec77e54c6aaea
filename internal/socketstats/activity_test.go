package socketstats_test

import (
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

func TestBorderIsTheNextClass(t *testing.T) {
	t.Parallel()
	require.Equal(t, 10*time.Millisecond, socketstats.ClassBound(time.Millisecond))
	require.Equal(t, 3*time.Second, socketstats.ClassBound(2*time.Second))
	require.Equal(t, 3*time.Second, socketstats.ClassBound(3*time.Second))
	require.Equal(t, 1000*time.Second, socketstats.ClassBound(time.Hour))
}
