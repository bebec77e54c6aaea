package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
)

func shown(m model) string { return ansi.Strip(m.screen()) }

func TestTabShowsTheOtherEnd(t *testing.T) {
	t.Parallel()
	m := aRun(58, 120, 34)
	require.Contains(t, shown(m), "sockets, client end")
	require.Contains(t, shown(m), "CLOSE_WAIT")
	m = told(m, press("tab"))
	require.Contains(t, shown(m), "sockets, server end")
	require.NotContains(t, shown(m), "▓ CLOSE_WAIT", "the server's end has none")
	require.Contains(t, shown(m), "tab client end")
	require.Contains(t, shown(told(m, press("tab"))), "sockets, client end")
}

func TestSpacePausesTheViewAndNotTheRun(t *testing.T) {
	t.Parallel()
	events := leaking(20)
	m := told(model{face: &face{}}, size(120, 34), events[:11])
	before := shown(m)
	m = told(m, press("space"), events[11:])
	require.Contains(t, shown(m), "PAUSED at 00:10 of 01:00")
	require.Contains(t, before, "opened 20")
	require.Contains(t, shown(m), "opened 20")
	m = told(m, press("tab"))
	require.Contains(t, shown(m), "PAUSED at 00:10 of 01:00", "the other end, of the same moment")
	m = told(m, press("space"))
	require.NotContains(t, shown(m), "PAUSED")
	require.Contains(t, shown(m), "00:20 of 01:00", "what came meanwhile is there")
	require.Contains(t, shown(m), "opened 40")
}

func TestPagesOpenScrollAndClose(t *testing.T) {
	t.Parallel()
	m := aRun(58, 80, 24)
	states := told(m, press("?"))
	require.Contains(t, shown(states), "both ends hold the connection")
	require.Contains(t, shown(states), "ss -tan")

	lesson := told(m, press("l"))
	require.Contains(t, shown(lesson), "## The symptom")
	require.Contains(t, shown(lesson), "more lines")
	down := told(lesson, press("down"))
	require.Equal(t, 1, down.scroll)
	require.Equal(t, lesson.room(), told(lesson, press("pgdown")).scroll)
	end := told(lesson, press("end"))
	require.NotContains(t, shown(end), "more lines")
	require.Equal(t, end.scroll, told(end, press("pgdown")).scroll, "no further than its end")
	require.Zero(t, told(end, press("home")).scroll)
	require.Equal(t, 1, told(down, press("down"), press("up")).scroll)
	require.Equal(t, end.scroll-end.room(), told(end, press("pgup")).scroll)
	fills(t, end)

	difference := told(m, press("d"))
	require.Contains(t, shown(difference), "--- faulty.go")
	require.Contains(t, shown(difference), "+++ fixed.go")
	require.Contains(t, shown(told(lesson, press("d"))), "+++ fixed.go", "from one page to another")
	require.Contains(t, shown(told(difference, press("d"))), "FAULTY", "the key that opened it closes it")
	require.Contains(t, shown(told(difference, press("esc"))), "FAULTY")
	require.Contains(t, shown(told(m, press("x"))), "FAULTY", "a key that is for nothing")
}

func TestAScriptOfOnesOwnHasTheCodesDifference(t *testing.T) {
	t.Parallel()
	own := func(script string) *face {
		f := &face{}
		f.take(series.Event{Header: &series.Header{Scenario: &series.Scenario{ID: "my-own", Speed: 1, Script: script}}})
		return f
	}
	const script = "id: my-own\ntitle: t\nfault: {kind: connection-churn, fix: f}\nload: [{rate: 1, for: 10s}]\nexpect: {faulty: [requests.sent == 10], fixed: [requests.sent == 10]}\n"
	require.NotNil(t, own(script).live.Script())
	require.Equal(t, []string{"There is no lesson for this."}, own(script).page("l"))
	require.Equal(t, []string{"There is no code to compare."}, own(script).page("d"))
	require.Contains(t, own(script+"implementation: transport-per-request\n").page("d"), "+++ fixed.go")
}

// quits runs what a key gave back, as bubbletea would.
func quits(t *testing.T, m model, key string) {
	t.Helper()
	_, then := m.Update(press(key))
	require.NotNil(t, then, "the key %s ends nothing", key)
	require.IsType(t, tea.QuitMsg{}, then())
}

func TestKeysThatEnd(t *testing.T) {
	t.Parallel()
	var quit, interrupted int
	m := aRun(5, 80, 24)
	m.controls = Controls{Quit: func() { quit++ }, Interrupt: func() { interrupted++ }}
	quits(t, m, "q")
	require.Equal(t, [2]int{1, 0}, [2]int{quit, interrupted})
	quits(t, told(m, press("l")), "ctrl+c")
	require.Equal(t, [2]int{1, 1}, [2]int{quit, interrupted})
	quits(t, told(m, size(10, 3)), "q")
	require.Equal(t, 2, quit, "also where there is no room for the view")
	m.controls = Controls{}
	quits(t, m, "q")
}

func TestTheNewestNoteIsAlwaysShown(t *testing.T) {
	t.Parallel()
	for _, width := range []int{80, 120} {
		m := aRun(58, width, 34)
		require.NotContains(t, shown(m), "note: ")
		m = told(m, notice("the page is at http://127.0.0.1:1"), notice("sockwatch: a count\ntakes long\n"), notice("\n"))
		lines := strings.Split(shown(m), "\n")
		require.Contains(t, lines[1], "the faulty side holds 116 sockets")
		require.Equal(t, "note: a count takes long", strings.TrimSpace(lines[3]))
		fills(t, m)
	}
}

func TestAtTheEndTheSentenceIsWholeAndFollowedByWhy(t *testing.T) {
	t.Parallel()
	m := told(aRun(58, 80, 24), notice("a count takes long"))
	m.face.snapshot.Over = true
	m.face.snapshot.Sentence = "The faulty side ends with 121 sockets, the fixed side with 0 and 42 in TIME_WAIT."
	m.face.snapshot.Why = "Each Transport keeps its connection, and no other request can use it."
	screen := shown(m)
	require.Contains(t, screen, "\nTIME_WAIT.", "81 letters take a second line")
	require.Contains(t, screen, m.face.snapshot.Why)
	require.Contains(t, screen, "note: a count takes long")
	require.Len(t, strings.Split(screen, "\n"), 24)
}

func TestALongTitleTakesTheProgramsRoom(t *testing.T) {
	t.Parallel()
	m := aRun(58, 80, 24)
	title := "All streams of an HTTP/2 connection are taken, and requests hang"
	m.face.live.Observation().Title = title
	require.Contains(t, shown(m), title)
}

func TestACommandHasNoLessonAndItsEndIsTold(t *testing.T) {
	t.Parallel()
	e := begin()
	e.Header.Title, e.Header.Scenario, e.Header.Commands = "old against new", nil, &series.Commands{}
	last := sample(time.Second, 4, 2)
	last.Moment.Subjects[1].Ended = true
	end := series.Event{End: &series.Ending{Duration: time.Second, Subjects: []series.SubjectFinal{
		{ID: "faulty", Final: series.Final{Failure: "the command ended with exit status 1: \nthe last it said"}},
	}}}
	for _, s := range [][2]int{{80, 24}, {120, 34}} {
		m := told(model{face: &face{}}, batch{e, last, end}, size(s[0], s[1]))
		fills(t, m)
		require.Contains(t, shown(m), "ab: old against new  ")
		require.Contains(t, shown(m), "? states  ")
		require.NotContains(t, shown(m), "lesson")
		require.NotContains(t, shown(m), "d diff")
		require.Contains(t, shown(m), "ended with exit st")
		require.NotContains(t, shown(m), "the last it said")
		require.Contains(t, shown(m), "the command has ended")
	}
	require.Contains(t, shown(aRun(5, 120, 34)), "? states · l lesson · d diff")
}

func TestWatchShowsTheEndWithMoreUntilTold(t *testing.T) {
	t.Parallel()
	m := told(model{face: &face{}}, watched(3), size(120, 34))
	require.Contains(t, shown(m), "client end")
	m = told(m, press("tab"), watched(3))
	require.Contains(t, shown(m), "sockets, server end")
	require.Contains(t, shown(told(m, press("?"))), "LAST_ACK")
	require.Contains(t, shown(m), "port 8080: slowserver (7)")
	require.Contains(t, shown(m), "client (12): idle-connections-not-reused, holds ")
}

func TestManyProcessesScroll(t *testing.T) {
	t.Parallel()
	m := aWatch(9, 80, 24)
	require.Contains(t, shown(m), "client (10)")
	require.NotContains(t, shown(m), "client (17)")
	m = told(m, press("end"))
	require.Contains(t, shown(m), "client (17)")
	fills(t, m)
}

func TestAWatchRemembersOnlySoMuch(t *testing.T) {
	t.Parallel()
	f := &face{}
	const moments = render.Judged + 50
	for _, e := range rendertest.Watch(moments, 1) {
		f.take(e)
	}
	f.draw()
	require.Len(t, f.snapshot.Panels[0].Points, render.Judged)
	require.Equal(t, (moments-1)*time.Second, f.snapshot.Panels[0].Points[render.Judged-1].At)
}

func TestASettledMessageIsAnsweredLast(t *testing.T) {
	t.Parallel()
	done := make(settled)
	told(model{face: &face{}}, done)
	select {
	case <-done:
	default:
		require.Fail(t, "not answered")
	}
}

// What is over stays until a key closes it; pages can be opened meanwhile.
func TestTheLastPictureStays(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"q", "enter", "esc"} {
		m := told(aRun(58, 120, 34), press(" "), staying{})
		require.NotContains(t, shown(m), "PAUSED", "the last picture is the whole")
		require.Contains(t, shown(m), "Enter end and table")
		opened := told(m, press("l"))
		require.NotEqual(t, shown(m), shown(opened))
		require.Equal(t, shown(m), shown(told(opened, press("esc"))))
		_, ends := m.key(key)
		require.NotNil(t, ends, key)
		require.Equal(t, tea.Quit(), ends())
	}
}
