package cli

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/cli/program"
	"socketlab/internal/verdict"
)

func TestWhatChanceMakesDifferentIsNoDifference(t *testing.T) {
	t.Parallel()
	of := func(kind verdict.Kind, opened, p50 float64) goFigure {
		return goFigure{Verdict: kind, Opened: &opened, P50: &p50}
	}
	base := of(verdict.Healthy, 1, 0.2)
	require.False(t, differ(base, of(verdict.Healthy, 10, 5)))
	require.False(t, differ(of(verdict.Healthy, 200, 100), of(verdict.Healthy, 210, 120)))
	require.False(t, differ(base, goFigure{Verdict: verdict.Healthy}), "what is not known is no difference")
	require.True(t, differ(base, of(verdict.Healthy, 200, 0.2)))
	require.True(t, differ(of(verdict.Healthy, 200, 0.2), base), "in either direction")
	require.True(t, differ(base, of(verdict.Healthy, 1, 50)))
	require.True(t, differ(base, of(verdict.ConnectionChurn, 1, 0.2)))
}

func TestADifferenceIsHeldAgainstTheLesson(t *testing.T) {
	t.Parallel()
	of := func(scenarios ...scenarioDiff) error { return (&diff{scenarios: scenarios}).unexpected() }
	require.NoError(t, of(scenarioDiff{ID: "a"}, scenarioDiff{ID: "b", Differs: true, InLesson: true}))
	err := of(scenarioDiff{ID: "a", Differs: true}, scenarioDiff{ID: "b", InLesson: true}, scenarioDiff{ID: "c", InLesson: true, Stopped: "a limit"})
	var code *program.CodeError
	require.ErrorAs(t, err, &code)
	require.Equal(t, program.ExitFault, code.Code)
	require.EqualError(t, err, "a: differs, and its lesson does not say so\n"+
		"sockwatch: b: its lesson says that it differs, and it did not\nsockwatch: c: stopped: a limit")
}

func TestWithoutAGoCommandItSaysWhatIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := buildPrograms(t.Context(), []string{"1.26.9"}, io.Discard)
	require.ErrorContains(t, err, "there is no go command: install Go")
}
