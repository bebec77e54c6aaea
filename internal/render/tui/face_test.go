package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

var update = flag.Bool("update", false, "write the golden files anew")

func mix(established, closeWait, timeWait int) socketstats.Counts {
	var c socketstats.Counts
	for state, n := range map[socketstats.State]int{
		socketstats.Established: established, socketstats.CloseWait: closeWait, socketstats.TimeWait: timeWait,
	} {
		for range n {
			c.Add(state)
		}
	}
	return c
}

// leaking is a run of 60 s, as far as n samples, one a second: its faulty side
// keeps a connection for each request, of which later ones are in CLOSE_WAIT.
func leaking(n int) batch {
	events := batch{lab.Event{Begin: &lab.Begin{
		Scenario: "transport-per-request", Title: "A new transport for each request", Speed: 1,
		Script:   scenario.Script{Load: []scenario.Phase{{Rate: 2, For: scenario.Duration(time.Minute)}}},
		FaultyAt: lab.Endpoint{Server: "127.0.0.1:4001", ServerPID: 1, ClientPID: 2},
		FixedAt:  lab.Endpoint{Server: "127.0.0.1:4002", ServerPID: 3, ClientPID: 4},
	}}}
	report := func(sent, opened int) loadgen.Report {
		return loadgen.Report{
			Requests:    loadgen.Requests{Sent: int64(sent), OK: int64(sent - 2), InFlight: 2},
			Connections: loadgen.Connections{Opened: int64(opened), Reused: int64(sent - opened)},
		}
	}
	for i := range n {
		sent := 2 * (i + 1)
		closed := max(sent-50, 0) / 2
		events = append(events, lab.Event{Sample: &lab.Sample{
			At:     time.Duration(i+1) * time.Second,
			Faulty: lab.SideSample{Client: mix(sent-closed, closed, min(i/10, 4)), Server: mix(sent-closed, 0, 0), Report: report(sent, sent)},
			Fixed:  lab.SideSample{Client: mix(2, 0, 0), Server: mix(2, 0, 0), Report: report(sent, 2)},
		}})
	}
	return events
}

// watched is a watch of n processes that hold more the later they come.
func watched(n int) batch {
	var events batch
	for i := range 40 {
		s := observe.Snapshot{
			At: time.Date(2026, 1, 2, 15, 4, i, 0, time.UTC), After: time.Duration(i) * time.Second,
			Port: 8080, Listeners: []string{"slowserver (7)"},
		}
		for p := range n {
			use := &socketstats.Activity{}
			use.Received[6] = 2 + i*p // three seconds ago
			s.Processes = append(s.Processes, observe.Process{
				ClientActivity: use, ServerActivity: &socketstats.Activity{},
				PID: int32(10 + p), Name: "client", Client: mix(2+i*p, p, 0), Server: mix(2+i*p, 0, 0),
				Flow: &observe.Flow{Opened: 2 + i*p, OpenedPerSecond: float64(p)},
			})
		}
		events = append(events, s)
	}
	return events
}

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
	return told(model{face: &runFace{}}, leaking(samples), size(width, height))
}

func aWatch(processes, width, height int) model {
	return told(model{face: &watchFace{}}, watched(processes), size(width, height))
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
	fills(t, told(model{face: &watchFace{}}, size(80, 24)))
	fills(t, told(model{face: &runFace{}}, size(80, 24)))
}

// A run may show every state there is, and more sockets than there are digits for
// in a small pane.
func TestViewFillsAlsoWithAllThatCanBe(t *testing.T) {
	t.Parallel()
	var all socketstats.Counts
	for _, s := range render.Stacking() {
		for range 1234 {
			all.Add(s)
		}
	}
	m := told(model{face: &runFace{}}, leaking(3), batch{lab.Event{Sample: &lab.Sample{
		At: 4 * time.Second, Faulty: lab.SideSample{Client: all}, Fixed: lab.SideSample{Client: mix(1, 0, 0)},
	}}}, size(80, 24))
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
	require.Empty(t, told(model{face: &runFace{}}).screen(), "as long as no size is known")
}

func TestStatesCanBeToldApartWithoutColour(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, s := range render.Stacking() {
		l, ok := theme[s.String()]
		require.True(t, ok, s)
		require.Empty(t, seen[l.fill], "%s looks like %s", s, seen[l.fill])
		seen[l.fill] = s.String()
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
	in16 := func(style lipgloss.Style) string {
		return fmt.Sprint(colorprofile.ANSI.Convert(style.GetForeground()))
	}
	seen := map[string]bool{}
	for _, s := range []socketstats.State{socketstats.Established, socketstats.CloseWait, socketstats.TimeWait} {
		seen[in16(theme[s.String()].style)] = true
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
