package expect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/series"
)

// compared makes a run of two commands.
func compared(sides ...[]moment) *series.Observation {
	o := run(sides...)
	o.Title, o.Scenario, o.Commands = "a against b", nil, &series.Commands{Faulty: "a {url}", Fixed: "b {url}"}
	return o
}

// ending makes a command end before its last sample.
func ending(of []moment) []moment {
	of[len(of)-1].ended = true
	return of
}

func TestComparisonExpectsAFaultAndItsFix(t *testing.T) {
	t.Parallel()
	r := judge(t, compared(made(30, climbing), made(30, steady)))
	require.True(t, r.OK)
	require.Equal(t, []expect.Outcome{
		{Text: "both sides sent the same number of requests", Met: true, Got: "60 and 60"},
		{Text: "faulty: verdict == fault", Met: true, Got: "idle-connections-not-reused"},
		{Text: "fixed: verdict == healthy", Met: true, Got: "healthy"},
	}, r.Expectations)
	require.False(t, judge(t, compared(made(30, climbing), made(30, climbing))).OK)
	require.False(t, judge(t, compared(made(30, steady), made(30, steady))).OK)
}

func TestCommandsAreHeldToTheSameWorkOnlyWhereItIsKnown(t *testing.T) {
	t.Parallel()
	fewer := func(i int) moment { n := int64(i + 1); return moment{established: 2, sent: n, done: n} }
	require.Equal(t, expect.Outcome{Text: "both sides sent the same number of requests", Got: "60 and 30"},
		judge(t, compared(ending(made(30, climbing)), ending(made(30, fewer)))).Expectations[0])
	require.Equal(t, "a command was still at work when its time was over",
		judge(t, compared(ending(made(30, climbing)), made(30, fewer))).Expectations[0].Skipped)
	unknown := compared(ending(made(30, climbing)), ending(made(30, fewer)))
	unknown.Subject("fixed").Final.Requests = nil
	require.Equal(t, "the requests are not known", judge(t, unknown).Expectations[0].Skipped)
	same := judge(t, compared(ending(made(30, climbing)), made(30, steady))).Expectations[0]
	require.True(t, same.Met)
	require.Empty(t, same.Skipped)
}

func TestClientIsHeldToWhatTheKernelSaw(t *testing.T) {
	t.Parallel()
	seen := func(o *series.Observation, before, after series.ConnCounts) *series.Observation {
		faulty := o.Subject("faulty")
		faulty.Last().KernelConns, faulty.Final.KernelConns = &before, &after
		return o
	}
	last := func(o *series.Observation) expect.Outcome {
		list := judge(t, o).Expectations
		return list[len(list)-1]
	}
	r := func() *series.Observation { return run(made(30, climbing), made(30, steady)) }
	want := expect.Outcome{Text: "faulty: the kernel saw as many connections opened as the client", Met: true, Got: "60 and 60"}
	require.Equal(t, want, last(seen(r(), series.ConnCounts{Opened: 60}, series.ConnCounts{Opened: 60})))
	want.Got = "61 and 60"
	require.Equal(t, want, last(seen(r(), series.ConnCounts{Opened: 58}, series.ConnCounts{Opened: 61})))
	want.Met, want.Got = false, "59 and 60"
	require.Equal(t, want, last(seen(r(), series.ConnCounts{Opened: 58}, series.ConnCounts{Opened: 59})))
	want.Skipped = "the kernel's buffer overflowed: it saw at least that many"
	require.Equal(t, want, last(seen(r(), series.ConnCounts{Opened: 58}, series.ConnCounts{Opened: 59, AtLeast: true})))

	// Of commands it was the kernel that said it, and a server that relays opens some, too.
	without := len(judge(t, r()).Expectations)
	relayed := seen(r(), series.ConnCounts{}, series.ConnCounts{})
	relayed.Subject("faulty").Relayed = true
	require.Len(t, judge(t, relayed).Expectations, without)
	require.NotContains(t, last(seen(compared(made(30, climbing), made(30, steady)), series.ConnCounts{}, series.ConnCounts{})).Text, "kernel")
}
