package observe_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// A thrifty watcher must give each new socket its process at once, and every socket
// exactly once.
func TestAThriftyWatcherSeesEachSocketOnce(t *testing.T) {
	t.Parallel()
	source, err := socketstats.OpenSource(socketstats.Auto)
	require.NoError(t, err)
	t.Cleanup(func() { _ = source.Close() })
	addr, port, _ := answer(t)
	pid, do := startTalker(t, addr)
	w, err := observe.New(t.Context(), source, series.Target{PIDs: []int32{pid}}, observe.Options{Details: true, Thrifty: true, Waits: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Close() })
	for open := 1; open <= 6; open++ { // more samples than it trusts what it knows for
		do("exchange", 1)
		_, err := w.Sample(t.Context())
		require.NoError(t, err)
		atClient := 0
		w.EachSocket(func(id string, end socketstats.End, s *socketstats.Socket) {
			require.Equal(t, fmt.Sprint(pid), id)
			if s.State == socketstats.Established && s.Remote.Port() == port && end == socketstats.Client {
				atClient++
			}
		})
		require.Equal(t, open, atClient)
	}
	require.NoError(t, w.Hear(context.Background()))
	reasons := w.Unobserved()
	require.Zero(t, reasons[observe.NotPermitted])
	require.Contains(t, reasons, observe.NoNamespaceEntry)
	var counters int64
	for _, n := range w.Counters() {
		counters += n.Counters["OutSegs"]
	}
	require.Positive(t, counters)
}

// A thrifty watcher does not count a connection that is closed for one that is kept without
// a row in the kernel's tables, though the process has as many descriptors as before.
func TestAThriftyWatcherSeesAFileInPlaceOfAConnection(t *testing.T) {
	t.Parallel()
	source, err := socketstats.OpenSource(socketstats.Auto)
	require.NoError(t, err)
	t.Cleanup(func() { _ = source.Close() })
	addr, _, _ := answer(t)
	pid, do := startTalker(t, addr)
	w, err := observe.New(t.Context(), source, series.Target{PIDs: []int32{pid}}, observe.Options{Details: true, Thrifty: true, Waits: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Close() })
	kinds := func() map[string]int {
		m, err := w.Sample(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, m.Subjects)
		return m.Subjects[0].Process.Kinds
	}
	do("exchange", 2)
	kinds()
	before := kinds()
	require.Equal(t, 2, before[socketstats.KindTCP])
	do("swap", 1)
	after := kinds()
	require.Equal(t, 1, after[socketstats.KindTCP], after)
	require.Zero(t, after[socketstats.KindTCPClosed], after)
	require.Equal(t, before[socketstats.KindFile]+1, after[socketstats.KindFile], after)
}

// What is waited for may not be there: a node without the process is no error.
func TestAWatcherThatWaitsStartsWithoutAProcess(t *testing.T) {
	t.Parallel()
	source, err := socketstats.OpenSource(socketstats.Auto)
	require.NoError(t, err)
	t.Cleanup(func() { _ = source.Close() })
	for _, target := range []series.Target{{Name: "no-such-program"}, {PIDs: []int32{1 << 30}}} {
		w, err := observe.New(t.Context(), source, target, observe.Options{Details: true, Waits: true})
		require.NoError(t, err)
		for range 2 {
			m, err := w.Sample(t.Context())
			require.NoError(t, err)
			require.Empty(t, m.Subjects)
		}
		require.NoError(t, w.Close())
	}
}

// Processes that are not admitted, or are in another namespace, are not watched.
func TestAWatcherAdmitsByControlGroup(t *testing.T) {
	t.Parallel()
	source, err := socketstats.OpenSource(socketstats.Auto)
	require.NoError(t, err)
	t.Cleanup(func() { _ = source.Close() })
	w, err := observe.New(t.Context(), source, series.Target{All: true}, observe.Options{
		Details: true, Waits: true, Admits: func(socketstats.Cgroup) bool { return false },
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Close() })
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	for _, s := range m.Subjects {
		require.Equal(t, observe.NoProcess, s.ID)
	}
}
