package expect_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	_ "socketlab/internal/server" // the protocols that scripts may name
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// moment is one sample of one side in a made-up run.
type moment struct {
	established, timeWait int
	sent, done, failed    int64
	reused                int64
	ended                 bool
}

func (m moment) sample() series.Sample {
	var c socketstats.Counts
	for range m.established {
		c.Add(&socketstats.Socket{State: socketstats.Established})
	}
	for range m.timeWait {
		c.Add(&socketstats.Socket{State: socketstats.TimeWait})
	}
	return series.Sample{
		Client: series.End{Counts: c}, Server: series.End{Counts: c}, Ended: m.ended,
		ClientMetrics: series.ClientMetrics{
			Requests: &series.Requests{
				Sent: m.sent, OK: m.done - m.failed, Failed: m.failed, InFlight: m.sent - m.done,
				Errors: map[string]int64{"EOF": m.failed},
			},
			Connections: &series.ClientConns{Opened: int64(m.established + m.timeWait), Reused: &m.reused},
		},
	}
}

const yaml = `
id: test
title: t
fault: {kind: idle-connections-not-reused, fix: Share one client.}
load: [{rate: 10, for: 1m}]
expect:
  faulty: [client.final.ESTABLISHED >= 10, connections.reused == 0, verdict: idle-connections-not-reused]
  fixed: [client.final.ESTABLISHED <= 2, verdict: healthy]
`

// ids are the subjects of made-up runs, in their order.
var ids = []string{"faulty", "fixed", "third"}

// run makes a run with a sample a second, each side from its moments.
func run(sides ...[]moment) *series.Observation {
	o := &series.Observation{}
	header := series.Header{Scenario: &series.Scenario{ID: "test", Script: yaml, Speed: 1}}
	end := series.Ending{}
	for i := range sides {
		header.Subjects = append(header.Subjects, series.Identity{ID: ids[i], Paired: true})
	}
	o.Add(series.Event{Header: &header})
	for second := range sides[0] {
		m := &series.Moment{At: time.Duration(second) * time.Second}
		end = series.Ending{Duration: m.At}
		for i, side := range sides {
			sample := side[second].sample()
			m.Subjects = append(m.Subjects, series.SubjectSample{ID: ids[i], Sample: sample})
			end.Subjects = append(end.Subjects, series.SubjectFinal{ID: ids[i], Final: series.Final{ClientMetrics: sample.ClientMetrics}})
		}
		o.Add(series.Event{Moment: m})
	}
	o.Add(series.Event{End: &end})
	return o
}

// judge judges a run by its own script.
func judge(t *testing.T, o *series.Observation) expect.Result {
	t.Helper()
	script, err := expect.ScriptOf(o)
	require.NoError(t, err)
	return expect.Judge(o, script)
}

func made(n int, at func(i int) moment) []moment {
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
	right := judge(t, run(made(30, climbing), made(30, steady)))
	require.True(t, right.OK)
	faulty := right.Verdicts["faulty"]
	require.Equal(t, verdict.Kind("idle-connections-not-reused"), faulty.Kind)
	require.Equal(t, verdict.Leak, faulty.Severity)
	require.Equal(t, "Share one client.", faulty.Fix, "the script's own words")
	require.InDelta(t, 2, float64(faulty.Growth), 0.01)
	require.Equal(t, verdict.Healthy, right.Verdicts["fixed"].Kind)
	require.Empty(t, right.Verdicts["fixed"].Fix)

	swapped := judge(t, run(made(30, steady), made(30, climbing)))
	require.False(t, swapped.OK)
	require.Equal(t, verdict.Healthy, swapped.Verdicts["faulty"].Kind)
	require.Equal(t, verdict.Kind("idle-connections-not-reused"), swapped.Verdicts["fixed"].Kind)
}

func TestASideIsHeldToTheOther(t *testing.T) {
	t.Parallel()
	o := run(made(30, climbing), made(30, steady))
	hold := func(text string) expect.Outcome {
		e, err := scenario.ParseExpectation(text)
		require.NoError(t, err)
		return expect.Hold(o, o.Subject("faulty"), verdict.Verdict{}, e)
	}
	text := "connections.opened > fixed.connections.opened"
	require.Equal(t, expect.Outcome{Text: text, Met: true, Got: "60 and 2"}, hold(text))
	require.False(t, hold("connections.opened > faulty.connections.opened").Met)
	o.Subject("fixed").GoVersion = "go1.27.4"
	require.Equal(t, expect.Outcome{Text: text, Skipped: "connections.opened is not known here"}, hold(text))
}

func TestFixOfAnotherKindIsTheGeneralOne(t *testing.T) {
	t.Parallel()
	hanging := func(i int) moment { n := int64(2 * (i + 1)); return moment{established: int(n), sent: n} }
	o := run(made(40, hanging), made(40, steady))
	v := judge(t, o).Verdicts["faulty"]
	require.NotEqual(t, verdict.Kind("idle-connections-not-reused"), v.Kind)
	require.NotEmpty(t, v.Fix)
	require.Equal(t, verdict.Judge(o.Subject("faulty"), verdict.Conditions{Speed: 1, Over: true}), v)
}

func TestExpectationsSayWhatWasSeen(t *testing.T) {
	t.Parallel()
	r := judge(t, run(made(3, climbing), made(3, steady)))
	require.Equal(t, []expect.Outcome{
		{Text: "both sides sent the same number of requests", Met: true, Got: "6 and 6"},
		{Text: "faulty: client.final.ESTABLISHED >= 10", Met: false, Got: "6"},
		{Text: "faulty: connections.reused == 0", Met: true, Got: "0"},
		{Text: "faulty: verdict == idle-connections-not-reused", Met: false, Got: "not-enough-data"},
		{Text: "fixed: client.final.ESTABLISHED <= 2", Met: true, Got: "2"},
		{Text: "fixed: verdict == healthy", Met: true, Got: "healthy"},
	}, r.Expectations)
	require.False(t, r.OK)
}

func TestFigureThatIsNotKnownIsSkipped(t *testing.T) {
	t.Parallel()
	o := run(made(30, climbing), made(30, steady))
	script, err := expect.ScriptOf(o)
	require.NoError(t, err)
	for text, want := range map[string]expect.Outcome{
		"latency_ms.p99 <= 1s":                     {Skipped: "latency_ms.p99 is not known here"},
		"requests.ok >= requests.attempts":         {Skipped: "requests.attempts is not known here"},
		"connections.opened == requests.sent":      {Met: true, Got: "60 and 60"},
		"requests.failed > connections.reused":     {Got: "0 and 0"},
		"client.peak.total >= server.final.LISTEN": {Met: true, Got: "60 and 0"},
	} {
		e, err := scenario.ParseExpectation(text)
		require.NoError(t, err)
		script.Expect = scenario.Expect{Faulty: []scenario.Expectation{e}}
		want.Text = "faulty: " + text
		r := expect.Judge(o, script)
		require.Equal(t, want, r.Expectations[1])
		require.Equal(t, want.Met || want.Skipped != "", r.OK, text)
	}
}

func TestOnlyWhatHoldsForTheGoOfTheClientIsJudged(t *testing.T) {
	t.Parallel()
	o := run(made(30, climbing), made(30, steady))
	o.Scenario.Script = strings.NewReplacer(
		"connections.reused == 0", `{metric: connections.reused == 0, go: "< 1.27"}`,
		"verdict: idle-connections-not-reused]", `{verdict: healthy, go: ">= 1.27"}]`).Replace(yaml)
	outcome := func(text string) expect.Outcome {
		all := judge(t, o).Expectations
		return all[slices.IndexFunc(all, func(e expect.Outcome) bool { return e.Text == text })]
	}
	const old, now = "faulty: connections.reused == 0", "faulty: verdict == healthy"

	o.GoVersion = "go1.26.9"
	require.Equal(t, expect.Outcome{Text: old, Met: true, Got: "0"}, outcome(old))
	require.Equal(t, "this is so with Go >= 1.27, and the client was built by go1.26.9", outcome(now).Skipped)
	require.True(t, judge(t, o).OK)

	o.GoVersion = "go1.27.4"
	require.Equal(t, expect.Outcome{Text: now, Got: "idle-connections-not-reused"}, outcome(now))
	require.Equal(t, "this is so with Go < 1.27, and the client was built by go1.27.4", outcome(old).Skipped)
	require.False(t, judge(t, o).OK)

	o.Subject("faulty").GoVersion = "go1.26.9" // its own, in place of the run's
	require.True(t, judge(t, o).OK)

	// A program of the user's is not of this Go, nor is the script's fix for it.
	o.Scenario.Commands = map[string]string{"faulty": "python3 mine.py"}
	require.Equal(t, "this is so with Go < 1.27, and the client is a program of yours", outcome(old).Skipped)
	require.Equal(t, "this is so with Go >= 1.27, and the client is a program of yours", outcome(now).Skipped)
	require.Equal(t, verdict.Judge(o.Subject("faulty"), verdict.Conditions{Speed: 1, Over: true}), judge(t, o).Verdicts["faulty"])
}

func TestDifferentWorkIsNotComparable(t *testing.T) {
	t.Parallel()
	slower := func(i int) moment { n := int64(i + 1); return moment{established: 2, sent: n, done: n} }
	r := judge(t, run(made(30, climbing), made(30, slower)))
	require.False(t, r.OK)
	require.Equal(t, expect.Outcome{Text: "both sides sent the same number of requests", Got: "60 and 30"}, r.Expectations[0])
	r = judge(t, run(made(30, climbing), made(30, steady), made(30, slower)))
	require.Equal(t, expect.Outcome{Text: "all sides sent the same number of requests", Got: "60 and 60 and 30"}, r.Expectations[0])
	require.Equal(t, "+2.0/s", r.Features[3].Of["faulty"])
	require.Equal(t, "flat", r.Features[3].Of["third"])
	require.Len(t, r.Verdicts, 3)
}

func TestStateThatTheSourceCannotSeeIsSkipped(t *testing.T) {
	t.Parallel()
	o := run(made(30, climbing), made(30, steady))
	o.UnsupportedStates = []socketstats.State{socketstats.Established}
	o.Source = "gopsutil"
	r := judge(t, o)
	require.Equal(t, "ESTABLISHED cannot be seen here by gopsutil", r.Expectations[1].Skipped)
	require.True(t, r.OK, "what was skipped is not held against the run")
}

func TestRunThatEndedEarlyIsNotJudged(t *testing.T) {
	t.Parallel()
	o := run(made(30, climbing), made(30, steady))
	o.Stopped = "interrupted"
	r := judge(t, o)
	require.False(t, r.OK)
	require.Equal(t, verdict.Kind("idle-connections-not-reused"), r.Verdicts["faulty"].Kind, "what was seen is not lost")
	for _, e := range r.Expectations {
		require.Equal(t, "the run ended early", e.Skipped)
	}
}

func TestDescriptorLimitIsALeak(t *testing.T) {
	t.Parallel()
	o := run(made(30, climbing), made(30, steady))
	o.Stopped, o.Subject("faulty").Final.Stopped = "a limit", "holds 64 descriptors"
	require.Equal(t, verdict.Kind("idle-connections-not-reused"), judge(t, o).Verdicts["faulty"].Kind)

	o = run(made(30, steady), made(30, steady))
	o.Stopped, o.Subject("faulty").Final.Stopped = "a limit", "holds 64 descriptors"
	v := judge(t, o).Verdicts["faulty"]
	require.NotEmpty(t, v.Severity)
	require.Equal(t, verdict.Kind("fd-exhaustion"), v.Kind)
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
	r := judge(t, run(made(20, load(100, 99)), made(20, load(2, 0))))
	require.Equal(t, []expect.Feature{
		{Name: "persistent connections", Of: map[string]string{"faulty": "no, 0 of 101 reused", "fixed": "yes, 98 of 101 reused"}},
		{Name: "idle handling", Of: map[string]string{"faulty": "100 kept, 99 at the end", "fixed": "2 kept, 0 at the end"}},
		{Name: "closes on error", Of: map[string]string{"faulty": "no, 99 idle stay open", "fixed": "yes, 2 idle to 0"}},
		{Name: "socket trend", Of: map[string]string{"faulty": "+10.0/s", "fixed": "flat"}},
	}, r.Features)
}

func TestFeaturesOfWhatNobodyCountsAreNotKnown(t *testing.T) {
	t.Parallel()
	o := run(made(20, climbing), made(20, steady))
	faulty := o.Subject("faulty")
	for i := range faulty.Samples {
		faulty.Samples[i].ClientMetrics = series.ClientMetrics{}
	}
	faulty.Final.ClientMetrics = series.ClientMetrics{}
	for _, f := range judge(t, o).Features[:3] {
		require.Equal(t, "not known", f.Of["faulty"], f.Name)
	}
}

func TestTrendShowsOpenApartFromLingering(t *testing.T) {
	t.Parallel()
	churn := func(i int) moment {
		n := int64(i + 1)
		return moment{established: 2, timeWait: 50 * (i + 1), sent: n, done: n}
	}
	falling := func(i int) moment {
		n := int64(i + 1)
		return moment{established: 300 - 10*i, sent: n, done: n}
	}
	trend := func(m []moment) string { return judge(t, run(m, m)).Features[3].Of["faulty"] }
	require.Equal(t, "flat; TIME_WAIT +50.0/s", trend(made(20, churn)))
	require.Equal(t, "-10.0/s", trend(made(20, falling)))
	require.Equal(t, "flat", trend(made(2, climbing)), "two samples are no trend")
	noisy := func(i int) moment { n := int64(i + 1); return moment{established: 30 + i%3, sent: n, done: n} }
	require.Equal(t, "flat", trend(made(30, noisy)))
}

func TestScriptIsPlayedAtTheSpeedOfTheRun(t *testing.T) {
	t.Parallel()
	o := run(made(3, climbing), made(3, steady))
	o.Scenario.Speed = 10
	script, err := expect.ScriptOf(o)
	require.NoError(t, err)
	require.InDelta(t, 10, script.Speed, 0)
	require.Equal(t, 6*time.Second, script.Length())
	o.Scenario.Script = "id: test"
	_, err = expect.ScriptOf(o)
	require.ErrorContains(t, err, "the script of this recording: ")
	_, err = expect.ScriptOf(&series.Observation{Header: series.Header{Title: "a watch"}})
	require.EqualError(t, err, "a watch: no script was played")
}
