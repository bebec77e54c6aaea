package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

var update = flag.Bool("update", false, "write the golden files anew")

// leaking is a run of 60 s, as far as n samples, one a second.
func leaking(n int) batch { return rendertest.Run(n, rendertest.Sides()...) }

// watched is a watch of n processes that hold more the later they come.
func watched(n int) batch { return rendertest.Watch(40, n) }

// told gives a model messages, one after another.
func told(m model, messages ...tea.Msg) model {
	for _, msg := range messages {
		next, _ := m.Update(msg)
		m = next.(model)
	}
	return m
}

func size(width, height int) tea.Msg { return tea.WindowSizeMsg{Width: width, Height: height} }

// press is a key of one character, or a named one.
func press(key string) tea.Msg {
	named := map[string]rune{
		"tab": tea.KeyTab, "space": tea.KeySpace, "esc": tea.KeyEscape, "down": tea.KeyDown, "up": tea.KeyUp,
		"pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "end": tea.KeyEnd, "home": tea.KeyHome,
	}
	if code, ok := named[key]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	if key == "ctrl+c" {
		return tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(key)[0], Text: key}
}

func aRun(samples, width, height int) model {
	return told(model{face: &face{}}, leaking(samples), size(width, height))
}

func aWatch(processes, width, height int) model {
	return told(model{face: &face{}}, watched(processes), size(width, height))
}

// fills checks that a screen is just as large as the terminal.
func fills(t *testing.T, m model) {
	t.Helper()
	lines := strings.Split(m.screen(), "\n")
	require.Len(t, lines, m.height, "%dx%d", m.width, m.height)
	for i, line := range lines {
		require.Equal(t, m.width, ansi.StringWidth(line), "line %d of %dx%d: %q", i+1, m.width, m.height, ansi.Strip(line))
	}
}

// golden compares a screen with files: as it is, and without colour.
func golden(t *testing.T, name string, m model) {
	t.Helper()
	fills(t, m)
	for ending, got := range map[string]string{".ansi": m.screen(), ".txt": withoutColour(t, m.screen())} {
		path := filepath.Join("testdata", name+ending)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got+"\n"), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err, "go test ./internal/render/tui -update writes it")
		require.Equal(t, string(want), got+"\n", "%s%s", name, ending)
	}
}

func withoutColour(t *testing.T, screen string) string {
	t.Helper()
	var text strings.Builder
	w := colorprofile.Writer{Forward: &text, Profile: colorprofile.NoTTY}
	_, err := w.WriteString(screen)
	require.NoError(t, err)
	return text.String()
}

func TestViewOfARun(t *testing.T) {
	t.Parallel()
	for _, s := range [][2]int{{80, 24}, {120, 34}, {200, 60}} {
		golden(t, fmt.Sprintf("run-%dx%d", s[0], s[1]), aRun(58, s[0], s[1]))
	}
}

func TestViewOfAWatch(t *testing.T) {
	t.Parallel()
	for _, s := range [][2]int{{80, 24}, {120, 34}, {200, 60}} {
		golden(t, fmt.Sprintf("watch-%dx%d", s[0], s[1]), aWatch(3, s[0], s[1]))
	}
	golden(t, "watch-9-80x24", aWatch(9, 80, 24))
}

func TestChartsBesideEachOtherAreOfOneHeight(t *testing.T) {
	t.Parallel()
	label := regexp.MustCompile(`│ +[1-9]\d* │`) // of an axis
	for _, n := range []int{3, 4, 7} {           // with numbers of one digit and of two
		for _, s := range [][2]int{{80, 45}, {120, 34}, {200, 50}, {200, 60}} {
			for line := range strings.Lines(withoutColour(t, aWatch(n, s[0], s[1]).screen())) {
				if charts := len(label.FindAllString(line, -1)); charts > 0 {
					require.Equal(t, strings.Count(line, "││")+1, charts, "%dx%d, %d processes", s[0], s[1], n)
				}
			}
		}
	}
}

func TestViewOfAnyNumberOfSides(t *testing.T) {
	t.Parallel()
	for _, sides := range [][]string{{"faulty"}, {"faulty", "fixed", "third"}, {"faulty", "b", "c", "d", "e"}} {
		for _, s := range [][2]int{{80, 24}, {200, 60}} {
			m := told(model{face: &face{}}, batch(rendertest.Run(58, sides...)), size(s[0], s[1]))
			fills(t, m)
			require.Contains(t, shown(m), "✗ FAULTY")
			require.Contains(t, shown(m), "the faulty side holds 116 sockets")
		}
	}
}

func TestViewFillsEveryTerminalFrom80x24(t *testing.T) {
	t.Parallel()
	for width := LeastWidth; width <= 260; width += 29 {
		for height := LeastHeight; height <= 90; height += 11 {
			fills(t, aRun(30, width, height))
			fills(t, aRun(0, width, height))
			fills(t, aWatch(4, width, height))
			fills(t, told(aRun(2, width, height), press("l")))
		}
	}
	fills(t, told(model{face: &face{}}, size(80, 24)))
	fills(t, told(model{face: &face{}}, size(80, 24)))
}

// A run may show every state there is, and more sockets than there are digits for
// in a small pane.
func TestViewFillsAlsoWithAllThatCanBe(t *testing.T) {
	t.Parallel()
	var all socketstats.Counts
	for _, s := range render.Stacking() {
		for range 1234 {
			all.Add(&socketstats.Socket{State: s})
		}
	}
	last := &series.Moment{At: 4 * time.Second, Subjects: []series.SubjectSample{
		{ID: "faulty", Sample: series.Sample{Client: series.End{Counts: all}}},
		{ID: "fixed", Sample: series.Sample{Client: series.End{Counts: rendertest.Counts(1, 0, 0)}}},
	}}
	m := told(model{face: &face{}}, leaking(3), batch{{Moment: last}}, size(80, 24))
	fills(t, m)
	require.Contains(t, ansi.Strip(m.screen()), "other states")
	m = told(m, size(120, 60))
	fills(t, m)
	require.NotContains(t, ansi.Strip(m.screen()), "other states")
	for _, s := range render.Stacking() {
		require.Contains(t, ansi.Strip(m.screen()), s.String())
	}
}

func TestTooSmallATerminalIsTold(t *testing.T) {
	t.Parallel()
	for _, s := range [][2]int{{79, 24}, {80, 23}, {20, 5}, {3, 1}} {
		m := aRun(5, s[0], s[1])
		lines := strings.Split(m.screen(), "\n")
		require.LessOrEqual(t, len(lines), s[1])
		for _, line := range lines {
			require.LessOrEqual(t, ansi.StringWidth(line), s[0], "%q", line)
		}
	}
	m := aRun(5, 79, 24)
	require.Contains(t, m.screen(), "This terminal is 79x24, and the view needs 80x24.")
	require.Contains(t, told(m, size(80, 24)).screen(), "FAULTY", "it comes when there is room")
	require.Empty(t, told(model{face: &face{}}).screen(), "as long as no size is known")
}

func TestStatesCanBeToldApartWithoutColour(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, s := range render.Stacking() {
		fill := fillOf(s.String())
		require.NotEmpty(t, fill, s)
		require.Empty(t, seen[fill], "%s looks like %s", s, seen[fill])
		seen[fill] = s.String()
	}
	screen := withoutColour(t, aRun(58, 120, 34).screen())
	require.NotContains(t, screen, "\x1b")
	for _, fill := range []string{"███", "▓▓▓", "░"} {
		require.Contains(t, screen, fill)
	}
}

// With 16 colours the three states that leaks are made of, and the two sides,
// still have colours of their own.
func TestSixteenColoursAreEnough(t *testing.T) {
	t.Parallel()
	in16 := func(style ansi.Style) string {
		var shown strings.Builder
		_, err := (&colorprofile.Writer{Forward: &shown, Profile: colorprofile.ANSI}).WriteString(style.Styled("x"))
		require.NoError(t, err)
		return shown.String()
	}
	seen := map[string]bool{}
	for _, s := range []socketstats.State{socketstats.Established, socketstats.CloseWait, socketstats.TimeWait} {
		seen[in16(styleOf(s.String()))] = true
	}
	require.Len(t, seen, 3)
	require.NotEqual(t, in16(faulty), in16(fixed))
}

func TestBothSidesHaveOneScale(t *testing.T) {
	t.Parallel()
	m := aRun(58, 120, 34)
	for _, line := range strings.Split(ansi.Strip(m.screen()), "\n") {
		if i := strings.Index(line, "140 │"); i >= 0 {
			require.Equal(t, 2, strings.Count(line, "140 │"), line)
			return
		}
	}
	require.Fail(t, "no scale", ansi.Strip(m.screen()))
}
