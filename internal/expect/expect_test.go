package expect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// moment is one sample of one side in a made-up run.
type moment struct {
	established, timeWait int
	sent, done, failed    int64
	reused                int64
}

func (m moment) sample() lab.SideSample {
	var c socketstats.Counts
	for range m.established {
		c.Add(socketstats.Established)
	}
	for range m.timeWait {
		c.Add(socketstats.TimeWait)
	}
	return lab.SideSample{Client: c, Server: c, Report: loadgen.Report{
		Requests: loadgen.Requests{
			Sent: m.sent, OK: m.done - m.failed, Failed: m.failed, InFlight: m.sent - m.done,
			Errors: map[string]int64{"EOF": m.failed},
		},
		Connections: loadgen.Connections{Opened: int64(m.established + m.timeWait), Reused: m.reused},
	}}
}

// run makes a run with a sample a second.
func run(t *testing.T, faulty, fixed []moment) *lab.Run {
	t.Helper()
	script, err := scenario.Parse("test.yaml", []byte(`
id: test
title: t
fault: {kind: idle-connections-not-reused, fix: Fix it.}
load: [{rate: 10, for: 1m}]
expect:
  faulty: [client.final.ESTABLISHED >= 10, connections.reused == 0, verdict: idle-connections-not-reused]
  fixed: [client.final.ESTABLISHED <= 2, verdict: healthy]
`), []string{"test"})
	require.NoError(t, err)
	r := &lab.Run{}
	r.Add(lab.Event{Begin: &lab.Begin{Script: script, Scenario: "test"}})
	var last lab.Ending
	for i := range faulty {
		s := &lab.Sample{At: time.Duration(i) * time.Second, Faulty: faulty[i].sample(), Fixed: fixed[i].sample()}
		last = lab.Ending{Duration: s.At, Faulty: s.Faulty.Report, Fixed: s.Fixed.Report}
		r.Add(lab.Event{Sample: s})
	}
	r.Add(lab.Event{End: &last})
	return r
}

func series(n int, at func(i int) moment) []moment {
	moments := make([]moment, n)
	for i := range moments {
		moments[i] = at(i)
	}
	return moments
}

// climbing opens a connection for each of two requests a second, steady keeps
// two for the same requests.
func climbing(i int) moment {
	n := int64(2 * (i + 1))
	return moment{established: 2 * (i + 1), sent: n, done: n}
}

func steady(i int) moment {
	n := int64(2 * (i + 1))
	return moment{established: 2, sent: n, done: n, reused: n - 2}
}

func TestSidesAreJudgedByWhatTheyShowNotByTheirName(t *testing.T) {
	t.Parallel()
	right := expect.Judge(run(t, series(30, climbing), series(30, steady)))
	require.True(t, right.OK)
	require.True(t, right.Faulty.Leak)
	require.Equal(t, verdict.IdleConnectionsNotReused, right.Faulty.Kind)
	require.Equal(t, "Fix it.", right.Faulty.Fix, "the script's own words")
	require.InDelta(t, 2, right.Faulty.GrowthPerSecond, 0.01)
	require.Equal(t, verdict.Healthy, right.Fixed.Kind)
	require.Empty(t, right.Fixed.Fix)

	swapped := expect.Judge(run(t, series(30, steady), series(30, climbing)))
	require.False(t, swapped.OK)
	require.Equal(t, verdict.Healthy, swapped.Faulty.Kind)
	require.Equal(t, verdict.IdleConnectionsNotReused, swapped.Fixed.Kind)
}

func TestFixOfAnotherKindIsTheGeneralOne(t *testing.T) {
	t.Parallel()
	hanging := func(i int) moment { n := int64(2 * (i + 1)); return moment{established: int(n), sent: n} }
	v := expect.Judge(run(t, series(40, hanging), series(40, steady))).Faulty
	require.Equal(t, verdict.RequestStalled, v.Kind)
	about, _ := verdict.Explain(v.Kind)
	require.Equal(t, about.Fix, v.Fix)
}

func TestExpectationsSayWhatWasSeen(t *testing.T) {
	t.Parallel()
	j := expect.Judge(run(t, series(3, climbing), series(3, steady)))
	require.Equal(t, []expect.Result{
		{Text: "both sides sent the same number of requests", Met: true, Got: "6 and 6"},
		{Text: "faulty: client.final.ESTABLISHED >= 10", Met: false, Got: "6"},
		{Text: "faulty: connections.reused == 0", Met: true, Got: "0"},
		{Text: "faulty: verdict == idle-connections-not-reused", Met: false, Got: "not-enough-data"},
		{Text: "fixed: client.final.ESTABLISHED <= 2", Met: true, Got: "2"},
		{Text: "fixed: verdict == healthy", Met: true, Got: "healthy"},
	}, j.Expectations)
	require.False(t, j.OK)
}

func TestDifferentWorkIsNotComparable(t *testing.T) {
	t.Parallel()
	slower := func(i int) moment { n := int64(i + 1); return moment{established: 2, sent: n, done: n} }
	j := expect.Judge(run(t, series(30, climbing), series(30, slower)))
	require.False(t, j.OK)
	require.Equal(t, expect.Result{Text: "both sides sent the same number of requests", Got: "60 and 30"}, j.Expectations[0])
}

func TestStateThatTheSourceCannotSeeIsSkipped(t *testing.T) {
	t.Parallel()
	r := run(t, series(30, climbing), series(30, steady))
	r.UnsupportedStates = []socketstats.State{socketstats.Established}
	r.Source = "gopsutil"
	j := expect.Judge(r)
	require.Equal(t, "ESTABLISHED cannot be seen here by gopsutil", j.Expectations[1].Skipped)
	require.True(t, j.OK, "what was skipped is not held against the run")
}

func TestRunThatEndedEarlyIsNotJudged(t *testing.T) {
	t.Parallel()
	r := run(t, series(30, climbing), series(30, steady))
	r.Stopped = "interrupted"
	j := expect.Judge(r)
	require.False(t, j.OK)
	require.Equal(t, verdict.IdleConnectionsNotReused, j.Faulty.Kind, "what was seen is not lost")
	for _, e := range j.Expectations {
		require.Equal(t, "the run ended early", e.Skipped)
	}
}

func TestDescriptorLimitIsALeak(t *testing.T) {
	t.Parallel()
	r := run(t, series(30, climbing), series(30, steady))
	r.Stopped = "a limit"
	r.Faulty.Report.Stopped = "holds 64 descriptors"
	j := expect.Judge(r)
	require.Equal(t, verdict.IdleConnectionsNotReused, j.Faulty.Kind)
	require.Contains(t, j.Faulty.Evidence, "The load was stopped: the process holds 64 descriptors.")

	r = run(t, series(30, steady), series(30, steady))
	r.Stopped = "a limit"
	r.Faulty.Report.Stopped = "holds 64 descriptors"
	j = expect.Judge(r)
	require.True(t, j.Faulty.Leak)
	require.Equal(t, verdict.FDExhaustion, j.Faulty.Kind)
}

func TestFeaturesComeFromTheSamples(t *testing.T) {
	t.Parallel()
	// Ten seconds of load, then quiet; one request fails at 15 s.
	load := func(keeps, afterFailure int) func(int) moment {
		return func(i int) moment {
			switch {
			case i < 10:
				n := int64(10 * (i + 1))
				return moment{established: min(int(n), keeps), sent: n, done: n - 3, reused: n - int64(min(int(n), keeps))}
			case i < 15:
				return moment{established: keeps, sent: 100, done: 100, reused: 100 - int64(keeps)}
			default:
				return moment{established: afterFailure, sent: 101, done: 101, failed: 1, reused: 100 - int64(keeps)}
			}
		}
	}
	j := expect.Judge(run(t, series(20, load(100, 99)), series(20, load(2, 0))))
	require.Equal(t, []expect.Feature{
		{Name: "persistent connections", Faulty: "no, 0 of 101 reused", Fixed: "yes, 98 of 101 reused"},
		{Name: "idle handling", Faulty: "100 kept, 99 at the end", Fixed: "2 kept, 0 at the end"},
		{Name: "closes on error", Faulty: "no, 99 idle stay open", Fixed: "yes, 2 idle to 0"},
		{Name: "socket trend", Faulty: "climbs 10.0/s", Fixed: "flat"},
	}, j.Features)
}

func TestTrendTellsOpenFromLingering(t *testing.T) {
	t.Parallel()
	churn := func(i int) moment {
		n := int64(i + 1)
		return moment{established: 2, timeWait: 50 * (i + 1), sent: n, done: n}
	}
	falling := func(i int) moment {
		n := int64(i + 1)
		return moment{established: 300 - 10*i, sent: n, done: n}
	}
	trend := func(m []moment) string { return expect.Judge(run(t, m, m)).Features[3].Faulty }
	require.Equal(t, "flat; TIME_WAIT +50.0/s", trend(series(20, churn)))
	require.Equal(t, "falls 10.0/s", trend(series(20, falling)))
	require.Equal(t, "flat", trend(series(2, climbing)), "two samples are no trend")
	noisy := func(i int) moment { n := int64(i + 1); return moment{established: 30 + i%3, sent: n, done: n} }
	require.Equal(t, "flat", trend(series(30, noisy)))
}
