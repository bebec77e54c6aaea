package observe_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// A long recording keeps its beginning, its end and its peaks in a bounded number of
// samples that lie evenly.
func TestAThinWindowKeepsTheWholeTimeEvenly(t *testing.T) {
	t.Parallel()
	const samples, peakAt, bound = 60_000, 41_003, 25_000
	w := observe.Window{Thin: true}
	w.Add(series.Event{Header: &series.Header{Schema: series.Schema, Target: &series.Target{PIDs: []int32{7}}}})
	for i := range samples {
		var counts socketstats.Counts
		for range 3 + i%2 {
			counts.Add(&socketstats.Socket{State: socketstats.Established})
		}
		if i == peakAt {
			counts.Add(&socketstats.Socket{State: socketstats.CloseWait})
		}
		s := series.SubjectSample{ID: "7"}
		s.Client.Counts = counts
		s.KernelConns = &series.ConnCounts{Opened: i, Closed: i}
		if i == 0 {
			s.Identity = &series.Identity{ID: "7", Name: "seven", PID: 7}
		}
		w.Add(series.Event{Moment: &series.Moment{At: time.Duration(i) * time.Second, Took: time.Millisecond, Subjects: []series.SubjectSample{s}}})
		require.LessOrEqual(t, w.Len(), bound)
	}
	o := w.Observation()
	require.Equal(t, samples, o.Cost.Samples)
	require.Len(t, o.Subjects, 1)
	kept := o.Subjects[0].Samples
	require.Greater(t, len(kept), bound/4)
	require.Zero(t, kept[0].At)
	require.Equal(t, (samples-1)*time.Second, kept[len(kept)-1].At)
	require.Equal(t, 1, o.Subjects[0].Peak(socketstats.Client).Of(socketstats.CloseWait))
	seen := map[int]int{}
	for i := 1; i < len(kept); i++ {
		require.Less(t, kept[i].At-kept[i-1].At, 40*time.Second, "a step of ten times the usual would be a gap")
		seen[kept[i].Client.Counts.Of(socketstats.Established)]++
	}
	require.InDelta(t, seen[3], seen[4], float64(len(kept))/10, "what is in every second sample")
}

// What is short is judged by all of its samples.
func TestAThinWindowLeavesShortRecordingsWhole(t *testing.T) {
	t.Parallel()
	thin, whole := observe.Window{Thin: true}, observe.Window{}
	for i := range 1000 {
		e := series.Event{Moment: &series.Moment{At: time.Duration(i) * time.Second, Subjects: []series.SubjectSample{{ID: "7"}}}}
		thin.Add(e)
		whole.Add(e)
	}
	require.Equal(t, whole.Observation(), thin.Observation())
	require.Equal(t, whole.Subjects(), thin.Subjects())
}
