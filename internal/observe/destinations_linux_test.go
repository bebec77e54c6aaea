package observe_test

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// Without privilege the kernel does not say whose a connection was that no count
// showed. It is attributed by where it went, once the process was seen to go there.
func TestShortConnectionsAreToldByWhereTheyWent(t *testing.T) {
	src, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	l, _ := listen(t)
	go func() { // each connection lives for two milliseconds
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			time.AfterFunc(2*time.Millisecond, func() { _ = c.Close() })
		}
	}()
	pid, open := startChurn(t, l.Addr().String())
	w := newWatcher(t, src, series.Target{PIDs: []int32{pid}}, details)
	require.NoError(t, w.WithoutPrivilege())
	_, err = w.Sample(t.Context())
	require.NoError(t, err)

	_, worth := w.NextEarlyScan()
	require.False(t, worth, "nothing was heard of that it could not tell")
	to := netip.MustParseAddrPort(l.Addr().String())
	first := 0
	for !w.Knows(pid, to) { // on a busy machine each look may come between two connections
		require.Less(t, first, 10_000, "no look has seen a connection")
		const some = 500
		done := make(chan struct{})
		go func() {
			defer close(done)
			open(-some)
		}()
		for over := false; !over && !w.Knows(pid, to); { // there are not to be too many
			require.NoError(t, w.EarlyScan(t.Context()))
			select {
			case <-done:
				over = true
			default:
			}
		}
		first += some
	}
	var snap series.Moment
	require.Eventually(t, func() bool { // the kernel reports a closing a moment later
		snap, err = w.Sample(t.Context())
		require.NoError(t, err)
		return snap.Unattributed > 0
	}, time.Minute, 10*time.Millisecond, "the other ends belong to no watched process")
	_, worth = w.NextEarlyScan()
	require.True(t, worth)
	var before series.ConnCounts
	require.Eventually(t, func() bool {
		snap, err = w.Sample(t.Context())
		require.NoError(t, err)
		before = conns(snap, pid)
		return before.WithTCPInfo >= first && before.Closed >= first
	}, time.Minute, 10*time.Millisecond)
	require.Equal(t, first, before.Closed, "also what was closed before it was seen")

	const n = 200
	open(-n)
	var after series.ConnCounts
	require.Eventually(t, func() bool {
		snap, err = w.Sample(t.Context())
		require.NoError(t, err)
		after = conns(snap, pid)
		return after.WithTCPInfo-before.WithTCPInfo >= n && after.Closed-before.Closed >= n
	}, time.Minute, 10*time.Millisecond, "before: %+v", before)
	require.Equal(t, n, after.Opened-before.Opened)
	require.Equal(t, n, after.Closed-before.Closed)
	require.Equal(t, n, after.Inferred-before.Inferred)
	require.Equal(t, n, after.ShortLived-before.ShortLived, "each carried nothing")
}

// What a process did that has ended is not forgotten, and takes no row for ever.
func TestWhatEndedProcessesDidIsInTheRowWithout(t *testing.T) {
	src, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	l, port := listen(t)
	go serve(l)
	w := newWatcher(t, src, series.Target{Port: port}, details)
	snap, err := w.Sample(t.Context())
	require.NoError(t, err)

	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "OPEN_AND_CLOSE_TO="+l.Addr().String())
		cmd.Stdin = strings.NewReader("10\n")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	require.Eventually(t, func() bool {
		snap, err = w.Sample(t.Context())
		require.NoError(t, err)
		return conns(snap, 0).Closed >= 30
	}, time.Minute, 10*time.Millisecond)
	require.Equal(t, 30, conns(snap, 0).Opened)
	require.Len(t, snap.Subjects, 2, "of no process, and of the server")
}

// What closes before it is known that other processes connect to the same address, too, is
// not taken for the watched process's.
func TestAnothersConnectionsAreNotGuessed(t *testing.T) {
	src, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	l, _ := listen(t)
	var short atomic.Bool // each connection lives for two milliseconds from then on
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if short.Load() {
				time.AfterFunc(2*time.Millisecond, func() { _ = c.Close() })
			}
		}
	}()
	ours := startHolder(t, l.Addr().String())
	ours.heard("held")
	w := newWatcher(t, src, series.Target{PIDs: []int32{ours.pid}}, details)
	require.NoError(t, w.WithoutPrivilege())
	var snap series.Moment
	sample := func() {
		snap, err = w.Sample(t.Context())
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		sample()
		return w.Knows(ours.pid, netip.MustParseAddrPort(l.Addr().String()))
	}, time.Minute, 10*time.Millisecond)
	another := startHolder(t, l.Addr().String())
	another.heard("held")
	_, open := startChurn(t, l.Addr().String())
	short.Store(true)
	const n = 100
	open(-n)
	require.Eventually(t, func() bool {
		sample()
		return snap.Unattributed+conns(snap, ours.pid).Closed >= 2*n // both ends
	}, time.Minute, 10*time.Millisecond)
	require.Zero(t, conns(snap, ours.pid).Closed)
}
