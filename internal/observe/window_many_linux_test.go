package observe_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/series"
)

// A watch of very many processes takes no pass over all for each of them: of 60,000 that would be
// 3,600 million comparisons of names, and as many in each of several places.
func TestManyProcessesTakeNoPassOverAllForEach(t *testing.T) {
	t.Parallel()
	const processes = 60_000
	rows := make([]series.SubjectSample, processes)
	for i := range rows {
		rows[i] = row(int32(i+1), 1+i%3)
		if i%2 == 1 {
			rows[i].Identity.Parent = id(int32(i))
		}
	}
	// Its own processor time, to which what runs beside it adds nothing.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := spent(t)
	w := windowOf(1, series.Target{All: true}, func(int) []series.SubjectSample { return rows })
	var whole series.Observation
	whole.Add(begin(series.Target{All: true}))
	whole.Add(moment(0, rows...))
	require.Len(t, w.Subjects(), processes/2)
	took := spent(t) - began
	t.Log(took)
	require.Less(t, took, time.Minute)
	require.Len(t, whole.Subjects, processes/2)
	require.Len(t, whole.Parts, processes/2)
	require.Equal(t, int32(processes), whole.Subject(id(processes)).PID)
	require.Equal(t, int32(processes-1), whole.Subject(id(processes-1)).PID)
	require.Nil(t, whole.Subject("none"))
}

// spent is the processor time of this thread.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var usage unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_THREAD, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
