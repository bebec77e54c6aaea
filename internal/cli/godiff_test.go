package cli

import (
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/cli/program"
	"socketlab/internal/scenario"
	"socketlab/internal/verdict"
)

func TestWhatChanceMakesDifferentIsNoDifference(t *testing.T) {
	t.Parallel()
	of := func(kind verdict.Kind, opened, p50 float64) goFigure {
		return goFigure{Verdict: kind, Opened: &opened, P50: &p50}
	}
	base := of(verdict.Healthy, 1, 0.2)
	require.Empty(t, differences(base, of(verdict.Healthy, 10, 5)))
	require.Empty(t, differences(of(verdict.Healthy, 200, 100), of(verdict.Healthy, 210, 120)))
	require.Empty(t, differences(base, goFigure{Verdict: verdict.Healthy}), "what is not known is no difference")
	require.Equal(t, []string{"more opened"}, differences(base, of(verdict.Healthy, 200, 0.2)))
	require.Equal(t, []string{"less opened"}, differences(of(verdict.Healthy, 200, 0.2), base))
	require.Equal(t, []string{"more p50"}, differences(base, of(verdict.Healthy, 1, 50)))
	mixed := of(verdict.Healthy, 1, 50)
	mixed.mixed = true
	require.Empty(t, differences(base, mixed), "some of its requests failed")
	require.Equal(t, []string{"healthy, then connection-churn"}, differences(base, of(verdict.ConnectionChurn, 1, 0.2)))
}

// A play of a scenario whose fixed side is alike with both versions.
func playOf(opened1, opened2 float64) []sideDiff {
	one := 1.0
	of := func(side string, a, b *float64) sideDiff {
		return sideDiff{Side: side, Of: []goFigure{{Verdict: verdict.Healthy, Opened: a}, {Verdict: verdict.Healthy, Opened: b}}}
	}
	return []sideDiff{of("faulty", &opened1, &opened2), of("fixed", &one, &one)}
}

func TestADifferenceIsNamedWhenItComesAgain(t *testing.T) {
	t.Parallel()
	type play struct {
		sides   []sideDiff
		stopped string
	}
	alike, more, less := play{sides: playOf(200, 190)}, play{sides: playOf(1, 200)}, play{sides: playOf(200, 1)}
	stopped := play{sides: playOf(1, 200), stopped: "a limit"}
	for name, test := range map[string]struct {
		inLesson bool
		plays    []play // all that are needed
		differs  bool
		stopped  string
	}{
		"none, as expected":      {plays: []play{alike}},
		"twice":                  {plays: []play{more, more}, differs: true},
		"twice, as expected":     {inLesson: true, plays: []play{more, more}, differs: true},
		"once, by chance":        {plays: []play{more, alike, alike}},
		"two of three":           {plays: []play{more, alike, more}, differs: true},
		"not seen at first":      {inLesson: true, plays: []play{alike, more, more}, differs: true},
		"never, against lesson":  {inLesson: true, plays: []play{alike, alike}},
		"one way, then another":  {plays: []play{more, less, alike}},
		"stopped, then alike":    {plays: []play{stopped, alike, alike}},
		"stopped twice":          {plays: []play{stopped, stopped}, stopped: "a limit"},
		"stopped does not count": {plays: []play{more, stopped, alike}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := diff{scenarios: []*scenarioDiff{{ID: "a", InLesson: test.inLesson}}}
			scripts := []scenario.Script{{ID: "a"}, {ID: "skipped"}}
			for i, play := range test.plays {
				if i > 0 {
					require.Equal(t, scripts[:1], d.unsure(scripts), "before play %d", i+1)
				}
				d.scenarios[0].add(slices.Clone(play.sides), play.stopped)
			}
			s := d.scenarios[0]
			require.Empty(t, d.unsure(scripts), "more plays than are needed")
			require.Equal(t, test.differs, s.Differs)
			require.Equal(t, test.differs, s.Sides[0].Differs)
			require.False(t, s.Sides[1].Differs)
			require.Equal(t, test.stopped, s.Stopped)
			require.Equal(t, len(test.plays), s.Plays)
		})
	}
}

func TestADifferenceIsHeldAgainstTheLesson(t *testing.T) {
	t.Parallel()
	of := func(scenarios ...*scenarioDiff) error { return (&diff{scenarios: scenarios}).unexpected() }
	require.NoError(t, of(&scenarioDiff{ID: "a"}, &scenarioDiff{ID: "b", Differs: true, InLesson: true}))
	err := of(&scenarioDiff{ID: "a", Differs: true}, &scenarioDiff{ID: "b", InLesson: true}, &scenarioDiff{ID: "c", InLesson: true, Stopped: "a limit"})
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
