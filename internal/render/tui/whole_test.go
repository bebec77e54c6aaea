package tui

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/recording"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// sizes are those of terminals on which no sentence may be cut.
var sizes = [][2]int{{80, 24}, {80, 30}, {100, 30}, {120, 34}, {200, 60}}

// eventsOf are the events of a run in testdata/runs, made by sockwatch run --record.
func eventsOf(t *testing.T, path string) batch {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	text, err := gzip.NewReader(f)
	require.NoError(t, err)
	whole, err := io.ReadAll(text)
	require.NoError(t, err)
	plain := filepath.Join(t.TempDir(), "run.jsonl")
	require.NoError(t, os.WriteFile(plain, whole, 0o600))
	r, err := recording.Read(t.Context(), plain)
	require.NoError(t, err)
	return r.Events
}

// showsWhole checks that a screen cuts no sentence, and has the verdicts.
func showsWhole(t *testing.T, m model, what string) {
	t.Helper()
	fills(t, m)
	screen := ansi.Strip(m.screen())
	require.NotContains(t, screen, "…", "%s at %dx%d:\n%s", what, m.width, m.height, screen)
	words := strings.Join(strings.Fields(strings.Join(columns(screen, m.width), " ")), " ")
	for _, p := range m.face.snapshot.Panels {
		require.Contains(t, words, p.Headline, "%s at %dx%d:\n%s", what, m.width, m.height, screen)
		require.Contains(t, words, p.Says, "%s at %dx%d:\n%s", what, m.width, m.height, screen)
	}
}

// columns are the lines inside the panes of a run, of one after those of the other.
func columns(screen string, width int) []string {
	var left, right []string
	for _, line := range strings.Split(screen, "\n") {
		if cells := []rune(line); strings.HasPrefix(line, "│") {
			left, right = append(left, string(cells[1:width/2-1])), append(right, string(cells[width/2+1:width-1]))
		}
	}
	return append(left, right...)
}

func TestNoSentenceOfARunIsCut(t *testing.T) {
	t.Parallel()
	runs, err := filepath.Glob("testdata/runs/*.jsonl.gz")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(runs), 8)
	for _, path := range runs {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			events := eventsOf(t, path)
			for _, s := range sizes {
				m := told(model{face: &face{}}, size(s[0], s[1]))
				for i, e := range events {
					m = told(m, batch{e})
					if i%5 != 0 && i < len(events)-2 { // each takes its time to be drawn
						continue
					}
					showsWhole(t, m, path)
					showsWhole(t, told(m, press("space")), path)
					m = told(m, press("tab"))
					showsWhole(t, m, path)
				}
				showsWhole(t, told(m, staying{}), path)
			}
		})
	}
}

// Panes beside each other show the same states, also where there is no room for all.
func TestPanesShowTheSameStates(t *testing.T) {
	t.Parallel()
	m := told(model{face: &face{}}, size(80, 24), eventsOf(t, "testdata/runs/idle-pool-too-small.jsonl.gz"), notice("a note"), staying{})
	screen := ansi.Strip(m.screen())
	require.Contains(t, screen, "other states")
	for _, state := range []string{"ESTABLISHED", "TIME_WAIT"} {
		require.Equal(t, 2, strings.Count(screen, state), screen)
	}
}

// Whatever a script of the catalogue says has its room.
func TestNoSentenceOfAScriptIsCut(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		text, err := os.ReadFile(filepath.Join("../../../scenarios", id, "scenario.yaml"))
		require.NoError(t, err)
		events := rendertest.Run(58, rendertest.Sides()...)
		events[0].Header.Title = script.Title
		events[0].Header.Scenario = &series.Scenario{ID: id, Script: string(text), Speed: script.Speed}
		for _, s := range sizes[:1] {
			m := told(model{face: &face{}}, size(s[0], s[1]), batch(events))
			showsWhole(t, m, id)
			showsWhole(t, told(m, batch(rendertest.Ended(events)[len(events):]), staying{}), id)
		}
	}
}

// The verdicts of a scenario are whole beside the number, the states and the chart.
func TestNoVerdictIsCut(t *testing.T) {
	t.Parallel()
	for _, rule := range verdict.Rules() {
		require.LessOrEqual(t, len(wrap("So far: "+rule.Title, LeastWidth/2-4)), 3, rule.Kind)
	}
}
