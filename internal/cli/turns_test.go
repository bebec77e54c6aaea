package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/cli/program"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// While a run goes on no face is sure of a verdict: what the script does next may make
// it another one. SOCKWATCH_RECORDINGS names a folder of recorded runs to look at in
// place of those that are played here; scripts/turns records the whole catalogue.
func TestNoFaceIsSureOfAVerdictWhileARunGoesOn(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("SOCKWATCH_RECORDINGS"); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) { neverTurns(t, file) })
		}
		return
	}
	// What each looks like before it is what it is: connections that are forgotten,
	// a server that does not answer, a pool that is used up.
	ids := []string{"body-not-closed", "retry-storm", "unbounded-fan-out"}
	if testing.Short() {
		ids = ids[:1]
	}
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "run.jsonl")
			out, err := exec.Command("sockwatch", "run", id, "--record", file, "-q").CombinedOutput()
			if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != program.ExitFault { // on a busy machine latencies are others
				require.NoError(t, err, "%s", out)
			}
			require.Greater(t, neverTurns(t, file), 1, "it looks like one kind only: that shows nothing")
		})
	}
}

// neverTurns looks at the snapshot after each event of a recorded run, and returns how many
// kinds of verdict one of its subjects was found to have.
func neverTurns(t *testing.T, file string) (kinds int) {
	t.Helper()
	rec, err := recording.Read(t.Context(), file)
	require.NoError(t, err)
	var l render.Live
	found, sure := map[string]map[verdict.Kind]bool{}, map[string]map[verdict.Kind]bool{}
	for _, e := range rec.Events {
		l.Add(e)
		s := l.Snapshot(socketstats.Client)
		for _, p := range s.Panels {
			if found[p.ID] == nil {
				found[p.ID], sure[p.ID] = map[verdict.Kind]bool{}, map[verdict.Kind]bool{}
			}
			found[p.ID][p.Verdict.Kind] = true
			if p.Verdict.Confidence != "" {
				require.True(t, s.Over, "%s: %s at %s", p.ID, p.Headline, s.At)
				sure[p.ID][p.Verdict.Kind] = true
			}
		}
	}
	require.NotEmpty(t, sure)
	for id := range sure {
		require.LessOrEqual(t, len(sure[id]), 1, "%s: %v", id, sure[id])
		kinds = max(kinds, len(found[id]))
	}
	return kinds
}
