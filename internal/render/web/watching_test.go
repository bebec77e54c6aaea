package web

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func TestWatchHasAPanelForEachProcess(t *testing.T) {
	t.Parallel()
	s := page(t)
	v := look(t, s, "")
	for i := range 5 {
		s.Watch(observe.Snapshot{At: time.Unix(9, 0), After: time.Duration(i) * time.Second, Processes: []observe.Process{
			{PID: 1, Name: "small", Client: counts(1, 0)}, {PID: 2, Name: "big", Client: counts(10*i, 3)},
		}})
	}
	points, last := v.until(5)
	require.Equal(t, map[string]map[string]int{
		"small (1)": {"ESTABLISHED": 1}, "big (2)": {"ESTABLISHED": 40, "TIME_WAIT": 3},
	}, points[4].Counts["client"])
	require.Equal(t, "client", last.data.Snapshot.End)
	first := last.data.Snapshot.Ends["client"].Panels[0]
	require.Equal(t, "big (2)", first.Name, "who holds most comes first")
	require.Equal(t, 40, first.Held)
	require.Equal(t, "+10.0/s", first.Trend)

	// Where the sockets are servers', these are shown.
	s.Watch(observe.Snapshot{At: time.Unix(10, 0), After: 6 * time.Second, Processes: []observe.Process{{PID: 3, Name: "server", Server: counts(7, 0)}}})
	points, last = v.until(1)
	require.Equal(t, map[string]map[string]int{"server (3)": {"ESTABLISHED": 7}}, points[0].Counts["server"])
	require.Equal(t, 7, last.data.Snapshot.Ends["server"].Panels[0].Held)
	require.Equal(t, "server", last.data.Snapshot.End)
}

// A watch may go on for ever: what is kept of it has an end, and a late visitor
// gets the newest.
func TestLongWatchKeepsTheNewest(t *testing.T) {
	t.Parallel()
	s := page(t)
	const times = mostWatched + 10
	for i := range times {
		s.Watch(observe.Snapshot{After: time.Duration(i) * time.Second, Processes: []observe.Process{{PID: 1, Name: "one", Client: counts(1, 0)}}})
	}
	s.Finish()
	points, last := look(t, s, "").until(1)
	require.LessOrEqual(t, len(points), mostWatched)
	require.Greater(t, len(points), mostWatched/2)
	require.Equal(t, (times-1)*time.Second, points[len(points)-1].At)
	require.LessOrEqual(t, points[0].At, last.data.Snapshot.From, "the charts have no empty beginning")
	require.Equal(t, 500, kept(100))
	require.Equal(t, 300, kept(100_000))
}

// Each panel says what its process was found to be so far, and at the end by all
// that was seen. What was found to be a leak and is given back is one no more.
func TestWatchHasAVerdictInEachPanel(t *testing.T) {
	t.Parallel()
	s := page(t)
	at := time.Duration(0)
	show := func(open int) {
		s.Watch(observe.Snapshot{At: time.Unix(9, 0), After: at, Processes: []observe.Process{
			{PID: 1, Name: "leaky", Client: counts(open, 0), ClientActivity: idle(open), ServerActivity: &socketstats.Activity{}},
			{PID: 2, Name: "healthy", Client: counts(1, 0), ClientActivity: idle(1), ServerActivity: &socketstats.Activity{}},
		}})
		at += time.Hour // a hundredth of which is enough to judge in
	}
	v := look(t, s, "")
	show(1)
	_, last := v.until(1)
	first := last.data.Snapshot.Ends["client"].Panels[0]
	require.Equal(t, verdict.NotEnoughData, first.Verdict.Kind)
	require.Equal(t, []string{"1 sample of at least 8."}, first.Verdict.Evidence)
	for i := range 29 {
		show(2 * i)
	}
	_, last = v.until(29)
	client := last.data.Snapshot.Ends["client"]
	require.Equal(t, "leaky (1): idle-connections-not-reused, holds 56 sockets; 2 processes hold 57.", client.Now)
	require.Equal(t, verdict.IdleConnectionsNotReused, client.Panels[0].Verdict.Kind)
	require.NotEmpty(t, client.Panels[0].Verdict.Fix)
	require.Equal(t, verdict.Healthy, client.Panels[1].Verdict.Kind)
	show(1)
	_, last = v.until(1)
	client = last.data.Snapshot.Ends["client"]
	require.Equal(t, verdict.Healthy, client.Panels[0].Verdict.Kind, "it was given back")
	require.Equal(t, "2 processes hold 2 sockets; none grows.", client.Now)
}

// idle is what so many connections do that have been silent for an hour.
func idle(n int) *socketstats.Activity {
	u := &socketstats.Activity{}
	u.Received[len(u.Received)-1] = n
	return u
}
