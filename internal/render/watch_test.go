package render

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/socketstats"
)

func some(state socketstats.State, n int) socketstats.Counts {
	var c socketstats.Counts
	for range n {
		c.Add(state)
	}
	return c
}

// watching is n snapshots, one a second: process 8 grows by two a second, 9 stays,
// and 10 was there at the beginning only.
func watching(n int) []observe.Snapshot {
	fixed := some(socketstats.Established, 2)
	for range 3 {
		fixed.Add(socketstats.TimeWait)
	}
	var snapshots []observe.Snapshot
	for i := range n {
		s := observe.Snapshot{After: time.Duration(i) * time.Second, Port: 8080, Listeners: []string{"slowserver (7)"}}
		s.Processes = []observe.Process{
			{PID: 8, Name: "faulty", Client: some(socketstats.Established, 2*i), Server: some(socketstats.CloseWait, i)},
			{PID: 9, Name: "fixed", Client: fixed},
		}
		if i == 0 {
			s.Processes = append(s.Processes, observe.Process{PID: 10, Name: "gone", Client: some(socketstats.SynSent, 500)})
		}
		snapshots = append(snapshots, s)
	}
	return snapshots
}

func TestWatchedHasTheNumbersOfTheWatch(t *testing.T) {
	t.Parallel()
	w := OfWatch(watching(31), socketstats.Client, nil)
	require.Len(t, w.Processes, 2)
	require.Equal(t, 64, w.Scale, "of those that are there")
	require.Equal(t, 30*time.Second, w.To)
	faulty, fixed := w.Processes[0], w.Processes[1]
	require.Equal(t, "faulty (8)", faulty.Label)
	require.Equal(t, 60, faulty.Held)
	require.Equal(t, "+2.0/s", faulty.Trend)
	require.Equal(t, 2, fixed.Held, "TIME_WAIT holds no descriptor")
	require.Equal(t, "steady", fixed.Trend)
	require.Equal(t, []State{{"ESTABLISHED", 2, 2}, {"SYN_SENT", 0, 0}, {"TIME_WAIT", 3, 3}}, fixed.States, "the same states for all")
	require.Equal(t, Point{At: 30 * time.Second, Counts: []int{2, 0, 3}}, fixed.Points[30])
	require.Equal(t, "2 processes hold 62 sockets; faulty (8) grows the fastest: +2.0/s.", w.Now)

	server := OfWatch(watching(31), socketstats.Server, nil)
	require.Equal(t, 30, server.Processes[0].Held)
	require.Equal(t, "+1.0/s", server.Processes[0].Trend)
}

func TestWatchedOfABeginning(t *testing.T) {
	t.Parallel()
	w := OfWatch(watching(2)[1:], socketstats.Client, nil)
	require.Equal(t, "2 processes hold 4 sockets; none grows.", w.Now)
	require.Equal(t, 10, w.Scale)
	require.Equal(t, "No connections.", OfWatch([]observe.Snapshot{{}}, socketstats.Client, nil).Now)
	one := watching(2)[1]
	one.Processes = one.Processes[:1]
	require.Equal(t, "1 process holds 2 sockets; none grows.", OfWatch([]observe.Snapshot{one}, socketstats.Client, nil).Now)
}

// What a process did long ago is not its trend now.
func TestWatchedTrendIsThatOfNow(t *testing.T) {
	t.Parallel()
	snapshots := watching(31)
	for i := range 40 {
		last := snapshots[30]
		last.After += time.Duration(i+1) * time.Second
		snapshots = append(snapshots, last)
	}
	require.Equal(t, "steady", OfWatch(snapshots, socketstats.Client, nil).Processes[0].Trend)
}

func TestEndToShowIsTheOneThatHasMore(t *testing.T) {
	t.Parallel()
	var some socketstats.Counts
	some.Add(socketstats.Established)
	s := observe.Snapshot{Processes: []observe.Process{{Server: some}}}
	require.Equal(t, socketstats.Server, FullerEnd(s))
	s.Port = 8080
	require.Equal(t, socketstats.Client, FullerEnd(s))
	require.Equal(t, socketstats.Client, FullerEnd(observe.Snapshot{}))
}
