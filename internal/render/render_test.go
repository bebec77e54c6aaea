package render

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func TestScaleIsARoundNumberNotFarAbove(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 10, 7: 10, 10: 10, 11: 12, 35: 36, 99: 100, 100: 100, 116: 120, 122: 140, 1001: 1200, 9999: 10000} {
		require.Equal(t, want, roundUp(n), "%d", n)
	}
	last := 0
	for n := range 20000 {
		top := roundUp(n)
		require.GreaterOrEqual(t, top, n)
		require.LessOrEqual(t, top, max(10, n+n/2))
		require.GreaterOrEqual(t, top, last, "a scale that falls while the sockets grow")
		last = top
	}
}

// climbing is a run in which the faulty side keeps a connection for each request
// and the fixed side two.
func climbing(samples int) *lab.Run {
	counts := func(established, timeWait int) socketstats.Counts {
		var c socketstats.Counts
		for range established {
			c.Add(socketstats.Established)
		}
		for range timeWait {
			c.Add(socketstats.TimeWait)
		}
		return c
	}
	report := func(n, opened int64) loadgen.Report {
		return loadgen.Report{
			Requests:    loadgen.Requests{Sent: n, OK: n},
			Connections: loadgen.Connections{Opened: opened, Reused: n - opened},
		}
	}
	run := &lab.Run{}
	run.Add(lab.Event{Begin: &lab.Begin{Scenario: "climbing", Title: "It climbs"}})
	for i := range samples {
		n := int64(2 * (i + 1))
		run.Add(lab.Event{Sample: &lab.Sample{
			At:     time.Duration(i) * time.Second,
			Faulty: lab.SideSample{Client: counts(int(n), 0), Report: report(n, n)},
			Fixed:  lab.SideSample{Client: counts(2, min(i, 3)), Report: report(n, 2)},
		}})
	}
	return run
}

func TestSnapshotHasTheNumbersOfTheRun(t *testing.T) {
	t.Parallel()
	p := Of(climbing(30), socketstats.Client, false)
	require.Equal(t, 60, p.Faulty.Held)
	require.Equal(t, 2, p.Fixed.Held)
	require.Equal(t, 60, p.Faulty.Most)
	require.Equal(t, 5, p.Fixed.Most, "TIME_WAIT is in the chart, too")
	require.Equal(t, []State{{"ESTABLISHED", 60, 60}, {"TIME_WAIT", 0, 0}}, p.Faulty.States)
	require.Equal(t, []State{{"ESTABLISHED", 2, 2}, {"TIME_WAIT", 3, 3}}, p.Fixed.States, "the same states on both sides")
	require.Equal(t, 64, p.Scale, "the top of the chart is to be seen")
	require.Equal(t, Point{At: 29 * time.Second, Counts: []int{2, 3}}, p.Fixed.Points[29])
	require.Equal(t, verdict.IdleConnectionsNotReused, p.Faulty.Verdict.Kind)
	require.Equal(t, "+2.0/s", p.Faulty.Trend)
	require.Equal(t, "steady", p.Fixed.Trend)
	require.EqualValues(t, 60, p.Of(scenario.Faulty).Opened)
	require.Equal(t, "The faulty side holds 60 sockets (idle-connections-not-reused), the fixed side 2.", p.Now)

	many := climbing(30)
	many.Fixed.Client.Final = many.Fixed.Client.Series[0].Counts // 2 open
	for range manyWaiting {
		many.Fixed.Client.Final.Add(socketstats.TimeWait)
	}
	require.Contains(t, Of(many, socketstats.Client, true).Now, "the fixed side with 2.")
	many.Fixed.Client.Final.Add(socketstats.TimeWait)
	require.Contains(t, Of(many, socketstats.Client, true).Now, "the fixed side with 2, and 11 in TIME_WAIT.")

	server := Of(climbing(30), socketstats.Server, true)
	require.Zero(t, server.Faulty.Held)
	require.True(t, server.Over)
}

// From the first moment on a snapshot says what is so, and not more.
func TestSnapshotOfABeginning(t *testing.T) {
	t.Parallel()
	require.Equal(t, "The servers listen, the clients begin.", Of(climbing(0), socketstats.Client, false).Now)
	early := Of(climbing(2), socketstats.Client, false)
	require.Equal(t, "The faulty side holds 4 sockets, the fixed side 2.", early.Now)
	require.Equal(t, "steady", early.Faulty.Trend)
	stopped := climbing(30)
	stopped.Stopped = "interrupted"
	require.Equal(t, "The run ended early: interrupted.", Of(stopped, socketstats.Client, true).Now)
}

// What was found, and how it grows, is told of now; of a run that is over, of all
// its load.
func TestGrowthIsThatOfTheNewestSamples(t *testing.T) {
	t.Parallel()
	run := climbing(30)
	for i := range 20 { // and then it stands still
		last := run.Faulty.Samples[len(run.Faulty.Samples)-1]
		run.Add(lab.Event{Sample: &lab.Sample{At: time.Duration(30+i) * time.Second, Faulty: last, Fixed: run.Fixed.Samples[0]}})
	}
	now := Of(run, socketstats.Client, false)
	require.Equal(t, "steady", now.Faulty.Trend)
	require.Zero(t, now.Faulty.Growth)
	over := Of(run, socketstats.Client, true)
	require.Equal(t, "climbed 2.0/s", over.Faulty.Trend)
	require.InDelta(t, 2, over.Faulty.Growth, 0.01)
	require.Equal(t, "steady", over.Fixed.Trend)
	require.Equal(t, "The faulty side ends with 60 sockets (idle-connections-not-reused), the fixed side with 2.", over.Now)
}

// Samples may be so close that ten of them show nothing.
func TestGrowthIsThatOfAPartOfTheRunAtLeast(t *testing.T) {
	t.Parallel()
	run := &lab.Run{}
	run.Add(lab.Event{Begin: &lab.Begin{Script: scenario.Script{Load: []scenario.Phase{{Pause: scenario.Duration(20 * time.Second)}}}}})
	for i := range 60 {
		var c socketstats.Counts
		for range i / 10 {
			c.Add(socketstats.Established)
		}
		run.Add(lab.Event{Sample: &lab.Sample{At: time.Duration(i) * 100 * time.Millisecond, Faulty: lab.SideSample{Client: c}}})
	}
	require.InDelta(t, 1, Of(run, socketstats.Client, false).Faulty.Growth, 0.2)
}

func TestSocketOrTwoAreNoGrowth(t *testing.T) {
	t.Parallel()
	var at []time.Duration
	var few, many []float64
	for i := range 15 {
		at = append(at, time.Duration(i)*time.Second)
		few = append(few, 30+2*float64(i)/14)
		many = append(many, 30+5*float64(i)/14)
	}
	require.Zero(t, growth(at, few))
	require.InDelta(t, 0.36, growth(at, many), 0.005)
	require.Zero(t, growth(at[:2], []float64{1, 100}), "too early")
}

func TestWhatTheScriptTellsBeginsTheSentence(t *testing.T) {
	t.Parallel()
	run := climbing(4)
	run.Script.Narration = []scenario.NarrationLine{{Say: "It begins"}, {At: scenario.Duration(3 * time.Second), Say: "It goes on"}}
	require.Equal(t, "It goes on: the faulty side holds 8 sockets, the fixed side 2.", Of(run, socketstats.Client, false).Now)
	run.Script.Narration[1].At++
	require.Equal(t, "It begins: the faulty side holds 8 sockets, the fixed side 2.", Of(run, socketstats.Client, false).Now)
}

func TestEveryStateThatIsShownIsExplained(t *testing.T) {
	t.Parallel()
	for _, s := range stacking {
		require.NotEmpty(t, Meaning(s.String()), s)
	}
	require.Empty(t, Meaning("LISTEN"), "it is no connection")
	require.Empty(t, Meaning("NO_SUCH_STATE"))
}
