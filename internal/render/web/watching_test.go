package web

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// watching begins a watch of processes by their name.
func watching() series.Event {
	return series.Event{Header: &series.Header{Title: "Processes under watch", Target: &series.Target{Name: "app"}}}
}

// moment is one count of processes at a time.
func moment(at time.Duration, subjects ...series.SubjectSample) series.Event {
	return series.Event{Moment: &series.Moment{At: at, Clock: time.Unix(9, 0).Add(at), Subjects: subjects}}
}

// serving is a process with open sockets at the server's end.
func serving(pid, open int) series.SubjectSample {
	s := rendertest.Process(pid, 0, true)
	s.Server.Counts = rendertest.Counts(open, 0, 0)
	return s
}

func TestWatchHasAPanelForEachProcess(t *testing.T) {
	t.Parallel()
	s := page(t)
	v := look(t, s, "")
	s.Show(watching())
	for i := range 5 {
		big := rendertest.Process(2, 10*i, i == 0)
		big.Client.Counts, big.Server.Counts = rendertest.Counts(10*i, 0, 3), socketstats.Counts{}
		small := rendertest.Process(1, 1, i == 0)
		small.Server.Counts = socketstats.Counts{}
		s.Show(moment(time.Duration(i)*time.Second, small, big))
	}
	points, last := v.until(5)
	require.Equal(t, map[string]map[string]int{"1": {"ESTABLISHED": 1}, "2": {"ESTABLISHED": 40, "TIME_WAIT": 3}}, points[4].Counts["client"])
	require.Equal(t, "client", last.data.Snapshot.End)
	first := last.data.Snapshot.Ends["client"].Panels[0]
	require.Equal(t, "client (2)", first.Name, "who holds most comes first")
	require.Equal(t, 40, first.Held)
	require.Equal(t, "+10.0/s", first.Trend)

	// Where the sockets are servers', these are shown.
	s.Show(moment(6*time.Second, serving(3, 7)))
	points, last = v.until(1)
	require.Equal(t, map[string]map[string]int{"3": {"ESTABLISHED": 7}}, points[0].Counts["server"])
	require.Equal(t, 7, last.data.Snapshot.Ends["server"].Panels[0].Held)
	require.Equal(t, "server", last.data.Snapshot.End)
}

func TestOfManyProcessesThoseThatHoldMostAreShown(t *testing.T) {
	t.Parallel()
	s := page(t)
	for _, e := range rendertest.Watch(10, mostPanels+3) {
		s.Show(e)
	}
	points, last := look(t, s, "").until(10)
	shown := last.data.Snapshot.Ends["client"]
	require.Len(t, shown.Panels, mostPanels)
	for i, p := range shown.Panels {
		require.Equal(t, fmt.Sprint(10+mostPanels+2-i), p.ID)
	}
	require.Contains(t, shown.Sentence, "9 processes hold ")
	require.Contains(t, shown.Sentence, " Shown are the 6 that hold most.")
	require.Len(t, points[9].Counts["client"], mostPanels+3, "any of them may be shown later")
}

// A watch may go on for ever: what is kept of it has an end, and a late visitor
// gets the newest.
func TestLongWatchKeepsTheNewest(t *testing.T) {
	t.Parallel()
	s := page(t)
	const times = mostMoments + 10
	s.Show(watching())
	for i := range times {
		s.Show(moment(time.Duration(i)*time.Second, rendertest.Process(1, 1, i == 0)))
	}
	s.Finish()
	v := look(t, s, "")
	require.Zero(t, v.next().data.Length, "it has no planned end")
	points, last := v.until(1)
	require.Len(t, points, mostMoments)
	require.Equal(t, (times-1)*time.Second, points[len(points)-1].At)
	require.Equal(t, points[0].At, last.data.Snapshot.Ends["client"].From, "the charts have no empty beginning")
}

// Each panel says what its process was found to be so far, and at the end by all
// that was seen. What was found to be a leak and is given back is one no more.
func TestWatchHasAVerdictInEachPanel(t *testing.T) {
	t.Parallel()
	s := page(t)
	at := time.Duration(0)
	s.Show(watching())
	show := func(open int) {
		s.Show(moment(at, idle(1, open, at == 0), idle(2, 1, at == 0)))
		at += time.Hour // a hundredth of which is enough to judge in
	}
	v := look(t, s, "")
	show(1)
	_, last := v.until(1)
	first := last.data.Snapshot.Ends["client"].Panels[0]
	require.Equal(t, verdict.NotEnoughData, first.Verdict.Kind)
	require.Equal(t, "not enough data yet", first.Headline)
	require.Equal(t, []string{"1 sample of at least 8."}, first.Sentences)
	for i := range 29 {
		show(2 * i)
	}
	_, last = v.until(29)
	client := last.data.Snapshot.Ends["client"]
	require.Equal(t, "client (1): idle-connections-not-reused, holds 56 sockets; 2 processes hold 57 sockets.", client.Sentence)
	require.Equal(t, verdict.IdleConnectionsNotReused, client.Panels[0].Verdict.Kind)
	require.NotEmpty(t, client.Panels[0].Verdict.Fix)
	require.Equal(t, verdict.Healthy, client.Panels[1].Verdict.Kind)
	show(1)
	_, last = v.until(1)
	client = last.data.Snapshot.Ends["client"]
	require.Equal(t, verdict.Healthy, client.Panels[0].Verdict.Kind, "it was given back")
	require.Equal(t, "2 processes hold 2 sockets; none grows.", client.Sentence)
}

// idle is a client whose connections have been silent for an hour.
func idle(pid, open int, isNew bool) series.SubjectSample {
	s := rendertest.Process(pid, open, isNew)
	s.Server.Counts = socketstats.Counts{}
	s.Client.Activity = &socketstats.Activity{}
	s.Client.Activity.Received[len(s.Client.Activity.Received)-1] = open
	return s
}

func TestStatesAreDrawnAsInEveryFace(t *testing.T) {
	t.Parallel()
	sheet := string(palette())
	for _, s := range states() {
		require.Contains(t, sheet, " --"+s.Name+": #")
		require.NotEmpty(t, s.Meaning)
	}
}
