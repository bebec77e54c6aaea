package observe_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// seen is process 7 at one second: so many connections, idle for so long, and so
// many that came and went since the watch began.
func seen(open int, idle time.Duration, flow int) observe.Process {
	p := row(7, open)
	p.ClientActivity, p.ServerActivity = &socketstats.Activity{}, &socketstats.Activity{}
	for range open {
		for class := range p.ClientActivity.Received {
			one := socketstats.Silence{}
			one[class] = 1
			if one.AtLeast(idle) == 1 {
				p.ClientActivity.Received[class]++
				break
			}
		}
	}
	p.Flow = &observe.Flow{Opened: flow + open, Closed: flow, WithTCPInfo: flow, ShortLived: flow}
	return p
}

// limited has the snapshots of a history, entered into one with a limit.
func limited(most int, h *observe.History) *observe.History {
	l := &observe.History{Most: most}
	for _, s := range h.Snapshots() {
		l.Add(s)
	}
	return l
}

func kindOf(h *observe.History) verdict.Kind { return observe.Worst(h.Judge(false)).Verdict.Kind }

// What came and went before the window is none of its business: the verdict is that
// of a watch that began where it does.
func TestALimitedHistoryIsJudgedAsIfItBeganThere(t *testing.T) {
	t.Parallel()
	busyFor := func(seconds int) func(i int) []observe.Process {
		return func(i int) []observe.Process { return []observe.Process{seen(3+i%2, 0, 2*min(i, seconds))} }
	}
	whole := historyOf(500, 0, busyFor(300))
	require.Equal(t, verdict.ConnectionChurn, kindOf(whole))
	require.Equal(t, verdict.Healthy, kindOf(limited(100, whole)), "nothing was thrown away in the last 100")

	for _, rows := range []func(int) []observe.Process{
		busyFor(1000),
		func(i int) []observe.Process { return append(busyFor(1000)(i), row(0, 0)) },
		func(i int) []observe.Process { // it has no row where the window begins
			if i == 400 {
				return []observe.Process{row(9, 1)}
			}
			return append(busyFor(1000)(i), row(9, 1))
		},
	} {
		window := limited(100, historyOf(500, 0, rows))
		require.Equal(t, 100, window.Len())
		fresh := historyOf(100, 0, func(i int) []observe.Process {
			list := rows(400 + i)
			for k := range list {
				if list[k].PID == 7 {
					list[k].Flow.Opened -= 800 + 3
					list[k].Flow.Closed -= 800
					list[k].Flow.WithTCPInfo -= 800
					list[k].Flow.ShortLived -= 800
				}
			}
			return list
		})
		require.Equal(t, verdict.ConnectionChurn, kindOf(window))
		subjects := window.Subjects()
		one := subjects[slices.IndexFunc(subjects, func(s observe.Subject) bool { return s.PID == 7 })]
		since := 400 // the last count before the process's second sample
		if rows(400)[0].PID != 7 {
			since = 399
		}
		require.Equal(t, 2*(499-since), one.Series.Samples[99].Flow.Closed)
		for k, j := range fresh.Judge(false) {
			require.Equal(t, j.Name, window.Judge(false)[k].Name)
			if rows(400)[0].PID == 7 { // else some of it was before the window
				require.Equal(t, j.Verdict, window.Judge(false)[k].Verdict)
			}
		}
	}
}

func TestUnknownConnectionsBeforeTheWindowAreForgotten(t *testing.T) {
	t.Parallel()
	h := &observe.History{Most: 60}
	for i := range 200 {
		h.Add(observe.Snapshot{After: time.Duration(i) * time.Second, Unknown: min(i, 100), Processes: []observe.Process{seen(3+i%2, 0, 0)}})
	}
	require.Equal(t, verdict.High, h.Judge(false)[0].Verdict.Confidence)
}

// A leak is not over because nothing happens any more.
func TestALeakThatStandsStillIsNotForgotten(t *testing.T) {
	t.Parallel()
	leak := func(i int) []observe.Process { return []observe.Process{seen(min(i/2, 50), 3*time.Second, 0)} }
	h := limited(100, historyOf(2000, 0, leak))
	require.Equal(t, verdict.IdleConnectionsNotReused, kindOf(h))
	require.LessOrEqual(t, h.Len(), 100)
	require.Equal(t, 1999*time.Second, h.Last().After, "the newest is there")

	h.Add(observe.Snapshot{After: 2000 * time.Second, Processes: []observe.Process{seen(1, 0, 49)}})
	require.Equal(t, verdict.Healthy, kindOf(h), "it was given back")
}

// Whatever happens is no standstill.
func TestWhatHappensTakesThePlaceOfTheOldest(t *testing.T) {
	t.Parallel()
	use := func(change func(p *observe.Process, i int)) func(i int) []observe.Process {
		return func(i int) []observe.Process {
			p := seen(5, 3*time.Second, 0)
			p.Queue = &observe.Queue{}
			change(&p, i)
			return []observe.Process{p}
		}
	}
	for name, rows := range map[string]func(int) []observe.Process{
		"counts":     use(func(p *observe.Process, i int) { p.Client = in(socketstats.Established, 5+i%2) }),
		"the server": use(func(p *observe.Process, i int) { p.Server = in(socketstats.Established, 5+i%2) }),
		"flow":       use(func(p *observe.Process, i int) { p.Flow.Opened += i }),
		"sent":       use(func(p *observe.Process, _ int) { p.ClientActivity.Sent[0] = 1 }),
		"unread":     use(func(p *observe.Process, i int) { p.ClientActivity.Unread = i % 2 }),
		"dead":       use(func(p *observe.Process, i int) { p.ServerActivity.Dead = i % 2 }),
		"resent":     use(func(p *observe.Process, i int) { p.ClientActivity.Resent = i % 2 }),
		"the queue":  use(func(p *observe.Process, i int) { p.Queue.Waiting = i % 2 }),
		"processes":  use(func(p *observe.Process, i int) { p.PID += int32(i % 2) }),
		"no use":     use(func(p *observe.Process, _ int) { p.ClientActivity = nil }),
	} {
		h := limited(60, historyOf(200, 0, rows))
		require.Equal(t, 60, h.Len(), name)
		require.Equal(t, 140*time.Second, h.Snapshots()[0].After, name)
	}
	quiet := historyOf(200, 0, use(func(*observe.Process, int) {}))
	require.Zero(t, limited(60, quiet).Snapshots()[0].After, "nothing happened")
	for i := range quiet.Snapshots() {
		quiet.Snapshots()[i].Unknown = i
	}
	require.Equal(t, 140*time.Second, limited(60, quiet).Snapshots()[0].After, "unknown connections")
	for i := range quiet.Snapshots() {
		quiet.Snapshots()[i].Unknown, quiet.Snapshots()[i].Queue = 0, &observe.Queue{Waiting: i % 2}
	}
	require.Equal(t, 140*time.Second, limited(60, quiet).Snapshots()[0].After, "the port's queue")
}

func TestOfManyProcessesFewerSnapshotsAreKept(t *testing.T) {
	t.Parallel()
	rows := func(n int) func(i int) []observe.Process {
		return func(i int) (list []observe.Process) {
			for p := range n {
				list = append(list, row(int32(p+1), i%2))
			}
			return list
		}
	}
	require.Equal(t, 500, limited(600, historyOf(700, 0, rows(100))).Len())
	require.Equal(t, 60, limited(600, historyOf(70, 0, rows(2000))).Len())
	require.Equal(t, 700, limited(0, historyOf(700, 0, rows(1))).Len(), "without a limit all")
}
