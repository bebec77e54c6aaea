package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// leakyAndHealthy are clients that talk to servers of this test's: one opens a
// connection for each request, the other has one.
func leakyAndHealthy(t *testing.T) (leakyOne, healthy *running) {
	t.Helper()
	return leaky(t), asking(t)
}

// A view, on a terminal and on a page, says what each process was found to be.
func TestWatchShowsVerdicts(t *testing.T) {
	t.Parallel()
	leaks, healthy := leakyAndHealthy(t)
	pids := pidOf(leaks) + "," + pidOf(healthy)

	// One after the other: the leaky client lives until it has its share of the
	// descriptors, and parallel tests may wait longer than that for their turn.
	t.Run("on a terminal", func(t *testing.T) {
		x := inTmux(t, 160, 40, "sockwatch watch --interval 100ms --pid "+pids)
		x.until("verdict: healthy, ")
		screen := x.until("verdict: idle-connections-not-reused, ", "Fix: ")
		require.Regexp(t, `(?m)^client-faulty \(`+pidOf(leaks)+`\): idle-connections-not-reused, holds \d+ sockets; 2 processes hold \d+ sockets\.`, screen)
		x.press("q")
		require.Contains(t, x.until("code="), "code=0", "a verdict is no failure of the watch")
	})
	t.Run("on a page", func(t *testing.T) {
		r := start(t, "sockwatch", "watch", "--interval", "100ms", "--pid", pids, "--web")
		stream := events(t, r.until(t, `the page is at (http://127\.0\.0\.1:\d+/)$`)[1])
		readUntil(t, stream, `"sentence":"client-faulty (`+pidOf(leaks)+`): idle-connections-not-reused, holds `)
		readUntil(t, stream, `"verdict":{"kind":"healthy","confidence":"`)
		require.NoError(t, r.cmd.Process.Signal(syscall.SIGINT))
		require.Equal(t, 130, r.end(t))
	})
	t.Run("not in JSON", func(t *testing.T) {
		args := []string{"watch", "--interval", "50ms", "--for", "300ms", "-o", "json", "--pid", pids}
		alone, withPage := start(t, "sockwatch", args...), start(t, "sockwatch", append(args, "--web")...)
		withPage.until(t, `the page stays until Ctrl-C$`)
		require.NoError(t, withPage.cmd.Process.Signal(syscall.SIGINT))
		for _, r := range []*running{alone, withPage} {
			require.Zero(t, r.end(t))
			path := filepath.Join(t.TempDir(), "it.jsonl")
			require.NoError(t, os.WriteFile(path, r.stdout.Bytes(), 0o644))
			got, err := recording.Read(t.Context(), path)
			require.NoError(t, err, "the lines are those of a recording")
			require.True(t, got.Observation.Over)
			require.Len(t, got.Observation.Subjects, 2)
			last := got.Observation.Subjects[0].Last()
			require.NotNil(t, last.KernelConns)
			require.Nil(t, last.Client.Activity)
			require.Nil(t, last.Process)
		}
	})
}

// What a view says of a process is what diagnose says of the same samples.
func TestWatchSaysWhatDiagnoseSays(t *testing.T) {
	t.Parallel()
	leaks, healthy := leakyAndHealthy(t)
	path := filepath.Join(t.TempDir(), "it.jsonl")
	recorder := start(t, "sockwatch", "record", "--pid", pidOf(leaks)+","+pidOf(healthy), "--interval", "50ms", "-o", path)
	shows(t, path, verdict.IdleConnectionsNotReused, verdict.Healthy)
	require.NoError(t, recorder.cmd.Process.Signal(syscall.SIGINT))
	recorder.end(t)

	recorded, err := recording.Read(t.Context(), path)
	require.NoError(t, err)
	var live render.Live
	for _, e := range recorded.Events {
		live.Add(e)
	}
	out, _ := exec.Command("sockwatch", "diagnose", "-o", "json", path).Output() // its exit code is the verdict's
	var diagnosed struct {
		Subjects []struct {
			Name    string
			Verdict verdict.Verdict
		}
	}
	require.NoError(t, json.Unmarshal(out, &diagnosed), "%s", out)
	shown := live.Snapshot(socketstats.Client).Panels
	require.Len(t, shown, 2)
	require.Len(t, diagnosed.Subjects, 3, "all together, too")
	same := map[verdict.Kind]int{}
	for _, p := range shown {
		for _, s := range diagnosed.Subjects {
			if s.Name == p.Name {
				require.Equal(t, s.Verdict, p.Verdict)
				same[s.Verdict.Kind]++
			}
		}
	}
	require.Equal(t, map[verdict.Kind]int{verdict.IdleConnectionsNotReused: 1, verdict.Healthy: 1}, same, "%s", out)
}
