package cli

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// A program whose worker is restarted before enough was seen is watched on.
func TestARestartIsNoReasonToGiveUp(t *testing.T) {
	t.Parallel()
	e := &examination{say: func(string, ...any) {}}
	row := func(pid int, parent string) series.SubjectSample {
		id := strconv.Itoa(pid)
		s := series.SubjectSample{ID: id, Identity: &series.Identity{ID: id, Parent: parent, Name: "app", PID: int32(pid)}}
		for range 5 {
			s.Client.Counts.Add(&socketstats.Socket{State: socketstats.Established})
		}
		return s
	}
	require.NoError(t, e.scan(series.Event{Header: &series.Header{Schema: series.Schema, Target: &series.Target{PIDs: []int32{7}}, Interval: time.Second}}))
	second := 0
	for ; second < 120; second++ {
		worker := 8
		if second >= 17 {
			worker = 9
		}
		m := &series.Moment{At: time.Duration(second) * time.Second, Subjects: []series.SubjectSample{row(7, ""), row(worker, "7")}}
		if err := e.scan(series.Event{Moment: m}); err != nil {
			require.ErrorIs(t, err, errSeen)
			break
		}
	}
	require.Equal(t, verdict.Healthy, e.verdict.Kind, "after %d s", second)
}
