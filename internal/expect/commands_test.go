package expect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
)

func TestCommandsAreHeldToTheSameWorkOnlyWhereItIsKnown(t *testing.T) {
	t.Parallel()
	fewer := func(i int) moment { n := int64(i + 1); return moment{established: 2, sent: n, done: n} }
	made := func(change func(*lab.Run)) expect.Result {
		r := run(t, series(30, climbing), series(30, fewer))
		r.Commands = &lab.Commands{Faulty: "a {url}", Fixed: "b {url}"}
		r.Faulty.Report.Done, r.Fixed.Report.Done = true, true
		change(r)
		return expect.Judge(r).Expectations[0]
	}
	both := made(func(*lab.Run) {})
	require.Equal(t, expect.Result{Text: "both sides sent the same number of requests", Got: "60 and 30"}, both)

	require.Equal(t, "the requests are not known", made(func(r *lab.Run) {
		r.Fixed.Report.Unknown = []string{"requests"}
	}).Skipped)
	require.Equal(t, "a command was still at work when its time was over", made(func(r *lab.Run) {
		r.Fixed.Report.Done = false
	}).Skipped)
	same := made(func(r *lab.Run) {
		r.Fixed.Report.Done, r.Fixed.Report.Requests.Sent = false, 60
	})
	require.True(t, same.Met)
	require.Empty(t, same.Skipped)
}

func TestKernelIsNotHeldAgainstItself(t *testing.T) {
	t.Parallel()
	r := run(t, series(30, climbing), series(30, steady))
	r.Faulty.Sampled, r.Faulty.Connections = &lab.ConnCounts{Opened: 1}, &lab.ConnCounts{Opened: 1}
	with := len(expect.Judge(r).Expectations)
	r.Commands = &lab.Commands{}
	require.Len(t, expect.Judge(r).Expectations, with-1)
}
