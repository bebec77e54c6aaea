package render_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// What is shown while a run goes on is, at its end, what is shown of its recording.
func TestLiveRunEndsAsItsRecordingIsShown(t *testing.T) {
	t.Parallel()
	for _, sides := range [][]string{{"faulty"}, {"faulty", "fixed"}, {"faulty", "b", "c", "d", "e"}} {
		events := rendertest.Ended(rendertest.Run(58, sides...))
		o := rendertest.Observe(events)
		script, err := expect.ScriptOf(o)
		require.NoError(t, err)
		recorded := render.Observed{Observation: o, Script: &script, Result: expect.Judge(o, script)}
		require.Equal(t, recorded.Snapshot(socketstats.Client), shown(events))
	}
}

func TestAHeaderBeginsAnew(t *testing.T) {
	t.Parallel()
	run := rendertest.Run(58, rendertest.Sides()...)
	require.Equal(t, shown(run), shown(slices.Concat(rendertest.Watch(20, 2), run)))
}

func TestVerdictOnEachProcessIsThatOfADiagnosis(t *testing.T) {
	t.Parallel()
	var l render.Live
	var w observe.Window
	for _, e := range rendertest.Watch(40, 3) {
		l.Add(e)
		w.Add(e)
	}
	s := l.Snapshot(socketstats.Client)
	require.Equal(t, verdict.Healthy, s.Panels[0].Verdict.Kind)
	require.Equal(t, verdict.IdleConnectionsNotReused, s.Panels[2].Verdict.Kind)
	compared := 0
	for _, subject := range w.Subjects() {
		if p := s.Panel(subject.ID); p != nil {
			compared++
			require.Equal(t, verdict.Judge(subject, verdict.Conditions{}), p.Verdict)
			require.Equal(t, subject.Growth(), p.Growth)
		}
	}
	require.Equal(t, 3, compared)
	require.Equal(t, "client (12): idle-connections-not-reused, holds 82 sockets; 1 other has a fault; 3 processes hold 126 sockets.", s.Sentence)
	require.Equal(t, "80, 2.0/s", texts(&s.Panels[2])["kernel_connections.opened"])
}

// Judging takes time, so it is not done for each moment, but at the end.
func TestWatchIsNotJudgedTooOften(t *testing.T) {
	t.Parallel()
	var l render.Live
	events := rendertest.Watch(40, 2)
	for _, e := range events {
		l.Add(e)
	}
	kind := func() verdict.Kind {
		s := l.Snapshot(socketstats.Client)
		return s.Panel("11").Verdict.Kind
	}
	given := func(after time.Duration) {
		m := *events[40].Moment
		m.At += after
		m.Subjects = slices.Clone(m.Subjects)
		m.Subjects[1] = rendertest.Process(11, 1, false)
		l.Add(series.Event{Moment: &m})
	}
	leak := kind()
	require.Equal(t, verdict.IdleConnectionsNotReused, leak)
	given(1) // a nanosecond is no hundredfold of anything
	require.Equal(t, leak, kind())
	given(time.Hour)
	require.NotEqual(t, leak, kind(), "it was given back")

	for _, e := range events {
		l.Add(e)
	}
	require.Equal(t, leak, kind())
	given(1)
	l.Add(series.Event{End: &series.Ending{Duration: 40 * time.Second}})
	require.NotEqual(t, leak, kind(), "nothing follows")
}

// A judgement of the first moments, on a busy machine, is no reason to keep "not enough
// data" for a minute.
func TestFirstVerdictOfAWatchComesSoonOnABusyMachine(t *testing.T) {
	t.Parallel()
	var l render.Live
	for i, e := range rendertest.Watch(40, 1) {
		l.Add(e)
		if i == 0 {
			l.JudgeSeldom(time.Minute)
		} else {
			l.Snapshot(socketstats.Client)
		}
	}
	s := l.Snapshot(socketstats.Client)
	require.Equal(t, verdict.Healthy, s.Panels[0].Verdict.Kind)
}

func TestProcessThatIsNewIsNotJudged(t *testing.T) {
	t.Parallel()
	events := rendertest.Watch(20, 1)
	last := events[20].Moment
	nobody := series.Identity{ID: observe.NoProcess, Name: observe.NoProcess}
	last.Subjects = append(last.Subjects, rendertest.Process(99, 3, true), series.SubjectSample{ID: nobody.ID, Identity: &nobody})
	s := shown(events)
	require.Equal(t, verdict.NotEnoughData, s.Panel("99").Verdict.Kind)
	require.Empty(t, s.Panel(observe.NoProcess).Verdict.Kind, "nobody's sockets")
}

// Of a watch the newest moments are shown, of the processes that are there.
func TestLongWatchKeepsTheNewest(t *testing.T) {
	t.Parallel()
	const keep, moments = 700, 800
	l := render.Live{Keep: keep}
	for i, e := range rendertest.Watch(moments, 2) {
		if e.Moment != nil {
			for j := range e.Moment.Subjects {
				if e.Moment.Subjects[j].ID == "11" {
					e.Moment.Subjects[j] = rendertest.Process(11, min(i, 300), i == 1) // it grows at first
				}
			}
		}
		l.Add(e)
	}
	s := l.Snapshot(socketstats.Client)
	require.Len(t, s.Panels[0].Points, keep)
	require.Equal(t, (moments-keep)*time.Second, s.From)
	require.Equal(t, (moments-1)*time.Second, s.To)
	require.Nil(t, l.Observation().Subjects[0].Last().Client.Activity, "it is not kept for all of them")

	var short render.Live
	for _, e := range rendertest.Watch(moments, 2) {
		short.Add(e)
	}
	require.Len(t, short.Snapshot(socketstats.Client).Panels[0].Points, render.Judged)
}

// A process that calls itself, or a proxy, holds the sockets of both ends.
func TestWhatAProcessHoldsIsAtBothEnds(t *testing.T) {
	t.Parallel()
	o := rendertest.Observe(rendertest.Watch(31, 1))
	one := o.Subjects[0].Last()
	one.Client.Counts, one.Server.Counts = socketstats.Counts{}, socketstats.Counts{}
	for i := range 5 {
		end := &one.Client
		if i >= 2 {
			end = &one.Server
		}
		end.Counts.Add(&socketstats.Socket{State: socketstats.Established})
	}
	o.Subjects[0].Paired = false
	require.Equal(t, "1 process holds 5 sockets; none grows.", render.Draw(render.View{Observation: o}).Sentence)
	o.Subjects[0].Paired = true // a port is watched: the other ends are another process's
	require.Equal(t, "1 process holds 3 sockets; none grows.", render.Draw(render.View{Observation: o}).Sentence)
}

func TestSentenceNamesTheWorstFaultFirst(t *testing.T) {
	t.Parallel()
	o := rendertest.Observe(rendertest.Watch(31, 3))
	leak := func(confidence verdict.Confidence) verdict.Verdict {
		return verdict.Verdict{Kind: verdict.IdleConnectionsNotReused, Severity: verdict.Leak, Confidence: confidence}
	}
	churn := verdict.Judge(&series.Subject{}, verdict.Conditions{}) // has a sentence
	churn.Kind, churn.Severity, churn.Confidence = verdict.NotEnoughData, verdict.Leak, verdict.Medium
	for want, found := range map[string]map[string]verdict.Verdict{
		"client (12): idle-connections-not-reused, holds 64 sockets; 3 processes hold 99 sockets.":                        {"12": leak(verdict.Medium), "all": churn},
		"client (11): idle-connections-not-reused, holds 33 sockets; 1 other has a fault; 3 processes hold 99 sockets.":   {"12": leak(verdict.Medium), "11": leak(verdict.High)},
		"client (12): idle-connections-not-reused, holds 64 sockets; 2 others have a fault; 3 processes hold 99 sockets.": {"10": leak(verdict.Low), "11": leak(verdict.Low), "12": leak(verdict.Low)},
		fmt.Sprintf("all: not-enough-data; 3 processes hold 99 sockets. %s", verdict.Evidence(churn)[0]):                  {"12": leak(verdict.Low), "all": churn},
		"3 processes hold 99 sockets; client (12) grows the fastest: +2.0/s.":                                             {"gone": leak(verdict.High)},
		"3 processes hold 99 sockets.": {"12": {Kind: verdict.Healthy}},
	} {
		s := render.Draw(render.View{Observation: o, Verdicts: found, Together: []*series.Subject{{Identity: series.Identity{ID: "all", Name: "all"}}}})
		require.Equal(t, want, s.Sentence)
	}
	one := rendertest.Observe(rendertest.Watch(31, 1))
	require.Equal(t, "1 process holds 2 sockets; none grows.", render.Draw(render.View{Observation: one}).Sentence)
	require.Equal(t, "client (10): idle-connections-not-reused, holds 2 sockets.",
		render.Draw(render.View{Observation: one, Verdicts: map[string]verdict.Verdict{"10": leak(verdict.High)}}).Sentence)
}
