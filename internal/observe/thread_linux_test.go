package observe_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/runtimes"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// The kernel takes descriptors, memory and namespaces from a thread that ends, and keeps
// the folder of the first one until the last has ended.
func TestAProcessWhoseFirstThreadHasEndedIsSeen(t *testing.T) {
	addr, _, _ := answer(t)
	pid, do := startTalker(t, addr)
	do("exchange", 2)
	whole := runtimes.Of(pid)
	do("endThread", 1)
	require.Eventually(t, func() bool {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/status")
		return err == nil && strings.Contains(string(status), "\nState:\tZ")
	}, time.Minute, time.Millisecond)
	require.NoError(t, socketstats.CheckProcess(pid))
	require.Equal(t, whole, runtimes.Of(pid))
	for _, name := range []string{"sockdiag", "procfs"} {
		t.Run(name, func(t *testing.T) {
			source, err := socketstats.OpenSource(name)
			require.NoError(t, err)
			defer source.Close()
			w := newWatcher(t, source, series.Target{PIDs: []int32{pid}}, observe.Options{Details: true})
			first, err := w.Sample(t.Context())
			require.NoError(t, err)
			open := find(t, first, pid).Client.Counts.Of(socketstats.Established)
			require.GreaterOrEqual(t, open, 2)
			do("exchange", 3)
			m, err := w.Sample(t.Context())
			require.NoError(t, err)
			sample := find(t, m, pid)
			require.Equal(t, open+3, sample.Client.Counts.Of(socketstats.Established))
			require.Empty(t, m.Unseen)
			require.Positive(t, sample.Process.Kinds[socketstats.KindEpoll])
		})
	}
}
