package cli_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/recording"
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

// The incident is named within 15 samples of its beginning, and the name is not
// taken back; the fixed side is never suspected.
func TestFirstVerdictComesSoonAndStays(t *testing.T) {
	t.Parallel()
	seeds := []string{"1", "2", "3", "4"}
	if testing.Short() { // ten seconds each
		seeds = seeds[:1]
	}
	for _, seed := range seeds {
		t.Run("seed "+seed, func(t *testing.T) { // one after another: on a starved machine the small pool really churns
			file := filepath.Join(t.TempDir(), "run.jsonl")
			out, err := exec.Command("sockwatch", "run", "transport-per-request", "--seed", seed, "--record", file, "-q").CombinedOutput()
			require.NoError(t, err, "%s", out)
			firstVerdictStays(t, file)
		})
	}
}

func firstVerdictStays(t *testing.T, file string) {
	t.Helper()
	rec, err := recording.Read(t.Context(), file)
	require.NoError(t, err)

	script, err := expect.ScriptOf(rec.Observation)
	require.NoError(t, err)
	// Where requests are begun this late the machine is starved: responses come in
	// bunches, of which the small pool keeps two, so that for a while it really churns.
	late := rec.Observation.Subject("faulty").Metrics().ScheduleLate
	require.NotNil(t, late)
	starved, most := late.P99 > 20, 15
	if starved {
		most = 20
	}
	soFar := &series.Observation{}
	samples, first := 0, 0
	for _, e := range rec.Events {
		if e.End != nil {
			break
		}
		soFar.Add(e)
		if e.Moment == nil {
			continue
		}
		samples++
		verdicts := expect.Judge(soFar, script).Verdicts
		faulty := verdicts["faulty"]
		require.False(t, verdicts["fixed"].IsFault(), "sample %d: %+v", samples, verdicts["fixed"])
		require.True(t, starved || verdicts["fixed"].Severity == "", "sample %d, with requests %v ms late: %+v", samples, late.P99, verdicts["fixed"])
		switch {
		case first > 0:
			require.Equal(t, verdict.IdleConnectionsNotReused, faulty.Kind, "sample %d, after sample %d", samples, first)
		case faulty.Kind == verdict.IdleConnectionsNotReused:
			first = samples
		default:
			require.Equal(t, verdict.NotEnoughData, faulty.Kind, "sample %d: %+v", samples, faulty)
		}
	}
	t.Logf("the first verdict came with sample %d of %d", first, samples)
	require.Positive(t, first)
	require.LessOrEqual(t, first, most)
	require.Equal(t, expect.Judge(rec.Observation, script), expect.Judge(rec.Observation, script), "a verdict is a function of the run")
}
