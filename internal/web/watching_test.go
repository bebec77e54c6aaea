package web

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/watch"
)

func TestWatchHasAPanelForEachProcess(t *testing.T) {
	t.Parallel()
	s := page(t)
	v := look(t, s, "")
	for i := range 5 {
		s.Watch(watch.Snapshot{At: time.Unix(9, 0), After: time.Duration(i) * time.Second, Processes: []watch.Process{
			{PID: 1, Name: "small", Client: counts(1, 0)}, {PID: 2, Name: "big", Client: counts(10*i, 3)},
		}})
	}
	points, last := v.until(5)
	require.Equal(t, map[string]map[string]int{
		"small (1)": {"ESTABLISHED": 1}, "big (2)": {"ESTABLISHED": 40, "TIME_WAIT": 3},
	}, points[4].Counts)
	require.Equal(t, "big (2)", last.data.Picture.Panels[0].Name, "who holds most comes first")
	require.Equal(t, 40, last.data.Picture.Panels[0].Held)
	require.Equal(t, "+10.0/s", last.data.Picture.Panels[0].Trend)

	// Where the sockets are servers', these are shown, all of them.
	s.Watch(watch.Snapshot{At: time.Unix(10, 0), After: 6 * time.Second, Processes: []watch.Process{{PID: 3, Name: "server", Server: counts(7, 0)}}})
	v.untilBegin()
	points, last = v.until(6)
	require.Len(t, points, 6)
	require.Equal(t, 7, last.data.Picture.Panels[0].Held)
	require.Equal(t, "server", last.data.Picture.End)
}

// A watch may go on for ever: what is kept of it has an end, and a late visitor
// gets the newest.
func TestLongWatchKeepsTheNewest(t *testing.T) {
	t.Parallel()
	s := page(t)
	const times = mostWatched + 10
	for i := range times {
		s.Watch(watch.Snapshot{After: time.Duration(i) * time.Second, Processes: []watch.Process{{PID: 1, Name: "one", Client: counts(1, 0)}}})
	}
	s.Finish()
	points, last := look(t, s, "").until(1)
	require.LessOrEqual(t, len(points), mostWatched)
	require.Greater(t, len(points), mostWatched/2)
	require.Equal(t, (times-1)*time.Second, points[len(points)-1].At)
	require.LessOrEqual(t, points[0].At, last.data.Picture.From, "the charts have no empty beginning")
	require.Equal(t, 500, kept(100))
	require.Equal(t, 300, kept(100_000))
}
