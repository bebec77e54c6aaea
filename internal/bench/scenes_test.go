package bench

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/internal/cli"
	"socketlab/internal/cli/program"
	"socketlab/internal/worker/netns"
)

// sockwatchWatch makes this binary a sockwatch that has one command.
func sockwatchWatch(_ context.Context, args []string, out io.Writer) error {
	streams := program.Streams{In: os.Stdin, Out: out, Err: os.Stderr}
	if code := program.Run(cli.Command, append([]string{"watch"}, args...), streams); code != 0 {
		return errors.New("sockwatch failed")
	}
	return nil
}

// opened is a stage with few sockets, where one can be made.
func opened(t *testing.T, s scene) *stage {
	st, err := openStage(t.Context(), s)
	if errors.Is(err, netns.ErrForbidden) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(st.close)
	return st
}

// indifferent takes every measurement as it is.
func indifferent() *neighbours { return &neighbours{progress: io.Discard, lost: patience} }

// Each call of a lister checks by itself what it found.
func TestEveryListerFindsTheSocketsThatAreHeld(t *testing.T) {
	st := opened(t, scene{ours: 25, others: 10})
	assert.Equal(t, census{All: 72, Ours: 51, Served: 26}, st.there)
	for run := range 2 {
		got, err := st.run(t.Context(), run)
		require.NoError(t, err)
		for _, l := range listers {
			if l.installed() {
				assert.Positive(t, got[l.name].Millis, l.name)
			}
		}
	}
}

func TestAListerThatFindsTooFewIsAnError(t *testing.T) {
	few := lister{name: "blind", finds: findsAll, open: run(0, "true")}
	_, err := (&timed{lister: few, want: 1, list: func(context.Context) (int, error) { return 0, nil }}).call(t.Context())
	assert.EqualError(t, err, "blind found 0 sockets of 1")
}

func TestAStageEndsWithItsContext(t *testing.T) {
	st := opened(t, scene{ours: 5})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := st.run(ctx, 0)
	require.ErrorIs(t, err, context.Canceled)
	assert.Error(t, st.timer.Wait(), "it was killed")
}

func TestSockwatchIsWatched(t *testing.T) {
	st := opened(t, scene{ours: 25, others: 10})
	self, err := os.Executable()
	require.NoError(t, err)
	w, err := st.startWatch(t.Context(), self)
	require.NoError(t, err)
	cpu, err := w.cpu(t.Context(), time.Second)
	require.NoError(t, err)
	assert.Positive(t, cpu)
	require.NoError(t, w.Kill())
	require.Error(t, w.Wait())
	_, err = w.cpu(t.Context(), time.Second)
	assert.Error(t, err, "it has ended")
}

func TestMissingProgramsLeaveTheirRowsEmptyAndAreNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	c, err := measureScene(t.Context(), scene{ours: 5}, options{runs: 1}, indifferent())
	if errors.Is(err, netns.ErrForbidden) {
		t.Skip(err)
	}
	require.NoError(t, err)
	got := countingTable([]counting{c}, nil)
	assert.Contains(t, got.limits, "`ss` is not installed here: its rows are empty.")
	assert.Contains(t, got.limits, "`netstat` is not installed here: its rows are empty.")
	text := got.markdown()
	assert.Contains(t, text, "\n| `ss -tan`, ms |  | | |\n")
	assert.Regexp(t, `\n\| Sockdiag, our port, ms \| \d+\.\d\d \(.*\) \| \| \|\n`, text)
}

func TestBarsAreForTheirScene(t *testing.T) {
	some := func(s scene, ours, peer float64) counting {
		return counting{
			scene: s, millis: map[string]figures{diagPort: {ours}, ssPort: {peer}},
			allocs: map[string]figures{diagPort: {10}}, watch: figures{0.5},
		}
	}
	got := countingTable([]counting{some(tenThousand, 5, 10), some(scene{ours: 10_000}, 1, 10)}, []string{"A limit."})
	assert.Equal(t, []string{"10,000 sockets", "20,000 sockets"}, got.columns)
	doc := document{tables: []table{got}}
	assert.Equal(t, []string{"Counting sockets: Sockdiag, our port, against `ss -tan sport = :P`: at most 0.4 with 10,000 sockets"}, doc.missed())
	assert.Contains(t, got.markdown(), "| Sockdiag, our port, against `ss -tan sport = :P` | 0.50 (0.50..0.50) | 0.10 (0.10..0.10) | at most 0.4 with 10,000 sockets | **no** |\n")
	assert.Contains(t, got.markdown(), "| at most 50 with 10,000 sockets | yes |\n")
	// What was not measured is said, and neither met nor missed.
	assert.Contains(t, got.markdown(), "**A limit.**\n\n")
	assert.Contains(t, got.markdown(), "**Sockdiag, all ports, against `ss -tan`: the bar with 100,000 sockets is neither met nor missed, for want of figures.**\n")
}

func TestASectionWithoutFiguresSaysWhy(t *testing.T) {
	got := table{title: countingTitle, limits: []string{"Nothing was measured: no."}, how: countingNeeds}
	assert.Equal(t, "\n## Counting sockets\n\n**Nothing was measured: no.**\n\n"+countingNeeds+"\n", got.markdown())
	assert.NotPanics(t, func() { document{tables: []table{got}, runs: 1}.markdown() })
}

func TestASceneBeyondTheMachineSaysWhy(t *testing.T) {
	assert.Empty(t, scene{ours: 1}.obstacle())
	assert.Contains(t, scene{ours: 1 + mostHolders*heldBy()}.obstacle(), "25 processes")
	assert.True(t, strings.HasPrefix(scene{ours: 50, others: 500_000}.String(), "100 sockets among 1,000,000 others"))
}
