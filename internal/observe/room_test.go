package observe_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// seen is process 7 at one second: so many connections, idle for so long, and so
// many that came and went since the watch began.
func seen(open int, idle time.Duration, flow int) series.SubjectSample {
	p := row(7, open)
	p.Client.Activity, p.Server.Activity = &socketstats.Activity{Once: open, Destinations: 1}, &socketstats.Activity{}
	for range open {
		for class := range p.Client.Activity.Received {
			one := socketstats.Silence{}
			one[class] = 1
			if one.AtLeast(idle) == 1 {
				p.Client.Activity.Received[class]++
				break
			}
		}
	}
	p.KernelConns = &series.ConnCounts{Opened: flow + open, Closed: flow, WithTCPInfo: flow, ShortLived: flow}
	return p
}

// rowsOf are the rows of a watch of process 7 at each second.
type rowsOf func(second int) []series.SubjectSample

// limited is a window with a limit of a watch of n seconds.
func limited(most, n int, rows rowsOf) *observe.Window {
	return limitedTo(most, n, func(i int) series.Event { return moment(i, rows(i)...) })
}

func limitedTo(most, n int, at func(second int) series.Event) *observe.Window {
	w := &observe.Window{Most: most}
	w.Add(begin(byPID))
	for i := range n {
		w.Add(at(i))
	}
	return w
}

func verdictsOf(w *observe.Window) map[string]verdict.Verdict {
	return observe.Judge(w.Subjects(), false)
}

func kindOf(w *observe.Window) verdict.Kind {
	subjects, verdicts := w.Subjects(), verdictsOf(w)
	return verdicts[observe.Worst(subjects, verdicts).ID].Kind
}

// from is the time of the oldest sample that is kept.
func from(w *observe.Window) time.Duration { return w.Subjects()[0].Samples[0].At }

// What came and went before the window is none of its business: the verdict is that
// of a watch that began where it does.
func TestALimitedWindowIsJudgedAsIfTheWatchBeganThere(t *testing.T) {
	t.Parallel()
	busyFor := func(seconds int) rowsOf {
		return func(i int) []series.SubjectSample { return []series.SubjectSample{seen(3+i%2, 0, 2*min(i, seconds))} }
	}
	require.Equal(t, verdict.ConnectionChurn, kindOf(limited(0, 500, busyFor(300))))
	require.Equal(t, verdict.Healthy, kindOf(limited(100, 500, busyFor(300))), "there was no churn in the last 100")

	for _, rows := range []rowsOf{
		busyFor(1000),
		func(i int) []series.SubjectSample { return append(busyFor(1000)(i), row(0, 0)) },
		func(i int) []series.SubjectSample { // it has no row where the window begins
			if i == 400 {
				return []series.SubjectSample{row(9, 1)}
			}
			return append(busyFor(1000)(i), row(9, 1))
		},
	} {
		window := limited(100, 500, rows)
		require.Equal(t, 100, window.Len())
		fresh := limited(0, 100, func(i int) []series.SubjectSample {
			list := rows(400 + i)
			for k := range list {
				if list[k].ID == "7" {
					list[k].KernelConns.Opened -= 800 + 3
					list[k].KernelConns.Closed -= 800
					list[k].KernelConns.WithTCPInfo -= 800
					list[k].KernelConns.ShortLived -= 800
				}
			}
			return list
		})
		require.Equal(t, verdict.ConnectionChurn, kindOf(window))
		subjects := window.Subjects()
		one := subjects[slices.IndexFunc(subjects, func(s *series.Subject) bool { return s.PID == 7 })]
		since := 400 // the last sample before the process's second one
		if rows(400)[0].ID != "7" {
			since = 399
		}
		require.Equal(t, 2*(499-since), one.Samples[99].KernelConns.Closed)
		require.Equal(t, names(fresh.Subjects()), names(subjects))
		if rows(400)[0].ID == "7" { // else some of it was before the window
			require.Equal(t, verdictsOf(fresh), verdictsOf(window))
		}
	}
}

func TestUnattributedConnectionsBeforeTheWindowAreForgotten(t *testing.T) {
	t.Parallel()
	w := limitedTo(60, 200, func(i int) series.Event {
		e := moment(i, seen(3+i%2, 0, 0))
		e.Moment.Unattributed = min(i, 100)
		return e
	})
	require.Equal(t, verdict.Medium, verdictsOf(w)["7"].Confidence, "not low: they are forgotten")
}

// A leak is not over because nothing happens any more.
func TestALeakThatStandsStillIsNotForgotten(t *testing.T) {
	t.Parallel()
	w := limited(100, 2000, func(i int) []series.SubjectSample {
		return []series.SubjectSample{seen(min(i/2, 50), 3*time.Second, 0)}
	})
	require.Equal(t, verdict.IdleConnectionsNotReused, kindOf(w))
	require.LessOrEqual(t, w.Len(), 100)
	require.Equal(t, 1999*time.Second, w.Last().At, "the newest is there")

	w.Add(moment(2000, seen(1, 0, 49)))
	require.Equal(t, verdict.Healthy, kindOf(w), "it was given back")
}

// Whatever happens is no standstill.
func TestWhatHappensTakesThePlaceOfTheOldest(t *testing.T) {
	t.Parallel()
	quiet := func(i int) series.Event {
		s := seen(5, 3*time.Second, 0)
		s.Queue = &series.Queue{}
		return moment(i, s)
	}
	require.Zero(t, from(limitedTo(60, 200, quiet)), "nothing happened")
	of := func(change func(s *series.SubjectSample, i int)) func(m *series.Moment, i int) {
		return func(m *series.Moment, i int) { change(&m.Subjects[0], i) }
	}
	for name, change := range map[string]func(m *series.Moment, i int){
		"counts":       of(func(s *series.SubjectSample, i int) { s.Client.Counts = in(socketstats.Established, 5+i%2) }),
		"the server":   of(func(s *series.SubjectSample, i int) { s.Server.Counts = in(socketstats.Established, 5+i%2) }),
		"connections":  of(func(s *series.SubjectSample, i int) { s.KernelConns.Opened += i }),
		"sent":         of(func(s *series.SubjectSample, _ int) { s.Client.Activity.Sent[0] = 1 }),
		"unread":       of(func(s *series.SubjectSample, i int) { s.Client.Activity.Unread = i % 2 }),
		"dead":         of(func(s *series.SubjectSample, i int) { s.Server.Activity.Dead = i % 2 }),
		"resent":       of(func(s *series.SubjectSample, i int) { s.Client.Activity.Resent = i % 2 }),
		"the queue":    of(func(s *series.SubjectSample, i int) { s.Queue.Waiting = i % 2 }),
		"processes":    of(func(s *series.SubjectSample, i int) { s.ID = id(int32(7 + i%2)) }),
		"no activity":  of(func(s *series.SubjectSample, _ int) { s.Client.Activity = nil }),
		"unattributed": func(m *series.Moment, i int) { m.Unattributed = i },
		"port's queue": func(m *series.Moment, i int) { m.Queue = &series.Queue{Waiting: i % 2} },
	} {
		w := limitedTo(60, 200, func(i int) series.Event {
			e := quiet(i)
			change(e.Moment, i)
			return e
		})
		require.Equal(t, 60, w.Len(), name)
		require.Equal(t, 140*time.Second, from(w), name)
	}
}

func TestOfManyProcessesFewerSamplesAreKept(t *testing.T) {
	t.Parallel()
	rows := func(n int) rowsOf {
		return func(i int) (list []series.SubjectSample) {
			for p := range n {
				list = append(list, row(int32(p+1), i%2))
			}
			return list
		}
	}
	require.Equal(t, 500, limited(600, 700, rows(100)).Len())
	require.Equal(t, 60, limited(600, 70, rows(2000)).Len())
	require.Equal(t, 700, limited(0, 700, rows(1)).Len(), "without a limit all")
}

// Clients that come and go must not fill the memory of a watch that goes on.
func TestWhoIsInNoSampleAnyMoreIsForgotten(t *testing.T) {
	t.Parallel()
	const each = 2000
	w := limited(60, 100, func(i int) (list []series.SubjectSample) {
		for p := range each {
			s := row(int32(1+each*i+p), 1)
			s.KernelConns = &series.ConnCounts{Opened: 1}
			list = append(list, s)
		}
		return list
	})
	require.Equal(t, 60, w.Len())
	require.LessOrEqual(t, w.Remembered(), 60*each)
	require.Equal(t, "app (200000)", w.Observation().Subject("200000").Name)
}
