package observe_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
	done := make(chan int, 1)
	var whole series.Observation
	go func() {
		w := windowOf(1, series.Target{All: true}, func(int) []series.SubjectSample { return rows })
		whole.Add(begin(series.Target{All: true}))
		whole.Add(moment(0, rows...))
		done <- len(w.Subjects())
	}()
	select {
	case n := <-done:
		require.Equal(t, processes/2, n)
	case <-time.After(time.Minute):
		t.Fatal("it takes more than a minute")
	}
	require.Len(t, whole.Subjects, processes/2)
	require.Len(t, whole.Parts, processes/2)
	require.Equal(t, int32(processes), whole.Subject(id(processes)).PID)
	require.Equal(t, int32(processes-1), whole.Subject(id(processes-1)).PID)
	require.Nil(t, whole.Subject("none"))
}
