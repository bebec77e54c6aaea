package observe_test

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
)

// startCaller starts a shell that starts a program for each connection, which has ended
// before the next sample.
func startCaller(t *testing.T, port uint16) (pid int32, call func()) {
	t.Helper()
	cmd := exec.Command("bash", "-c", fmt.Sprintf(`while read -r; do (bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d'); echo done; done`, port))
	in, out := startPiped(t, cmd)
	return int32(cmd.Process.Pid), func() {
		t.Helper()
		_, err := fmt.Fprintln(in)
		require.NoError(t, err)
		_, err = out.Read(make([]byte, 16))
		require.NoError(t, err)
	}
}

func TestWhatChildrenConnectToThatNoSampleShowsIsTheirParents(t *testing.T) {
	t.Parallel()
	_, port := listen(t)
	pid, call := startCaller(t, port)
	w := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{pid}}, details)
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	if m.EventSource != "tracepoint" {
		t.Skip("openings are not heard here")
	}
	for range 3 {
		call()
		m, err = w.Sample(t.Context())
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		m, err = w.Sample(t.Context())
		require.NoError(t, err)
		return m.Subjects[0].KernelConns.Opened == 3
	}, time.Minute, 10*time.Millisecond)
	require.Len(t, m.Subjects, 1)
}

func TestChildrenThatNoSampleShowsAreCountedWithoutPrivilege(t *testing.T) {
	t.Parallel()
	_, port := listen(t)
	pid, call := startCaller(t, port)
	w := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{pid}}, details)
	require.NoError(t, w.WithoutPrivilege())
	unseen := func() int {
		m, err := w.Sample(t.Context())
		require.NoError(t, err)
		return find(t, m, pid).Process.UnseenChildren
	}
	require.Zero(t, unseen())
	require.Zero(t, unseen(), "none has ended")
	for range 3 {
		call()
		unseen()
	}
	require.Eventually(t, func() bool { return unseen() == 3 }, time.Minute, 10*time.Millisecond)
	require.Equal(t, 3, unseen())
}
