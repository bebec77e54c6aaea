package observe_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func in(state socketstats.State, n int) socketstats.Counts {
	var c socketstats.Counts
	for range n {
		c.Add(&socketstats.Socket{State: state})
	}
	return c
}

// row is a process with some established client connections.
func row(pid int32, open int) series.SubjectSample {
	s := series.SubjectSample{ID: id(pid), Identity: &series.Identity{ID: id(pid), Name: observe.NoProcess, PID: pid}}
	if pid != 0 {
		s.Identity.Name = fmt.Sprintf("app (%d)", pid)
	}
	s.Client.Counts = in(socketstats.Established, open)
	return s
}

// begin is the header of a watch.
func begin(target series.Target) series.Event {
	return series.Event{Header: &series.Header{Schema: series.Schema, Target: &target}}
}

// moment is a sample at so many seconds.
func moment(second int, rows ...series.SubjectSample) series.Event {
	return series.Event{Moment: &series.Moment{At: time.Duration(second) * time.Second, Subjects: rows}}
}

// windowOf is a window with a sample a second, each with rows.
func windowOf(n int, target series.Target, rows func(i int) []series.SubjectSample) *observe.Window {
	w := &observe.Window{}
	w.Add(begin(target))
	for i := range n {
		w.Add(moment(i, rows(i)...))
	}
	return w
}

// A process of several that ends is judged by its own time: its sockets were closed for it.
func TestAProcessThatEndsIsJudgedByItsOwnTime(t *testing.T) {
	t.Parallel()
	leaksAndEnds := func(i int) []series.SubjectSample {
		rows := []series.SubjectSample{row(8, 1)}
		if i < 15 {
			rows = append(rows, row(7, 2*i))
		}
		return rows
	}
	subjects := windowOf(30, byPID, leaksAndEnds).Subjects()
	require.Equal(t, []string{"all processes together", "app (7)", "app (8)"}, names(subjects))
	require.Len(t, subjects[1].Samples, 15)
	require.Equal(t, 14*time.Second, subjects[1].EndedAfter)
	require.Zero(t, subjects[2].EndedAfter)
	v := observe.Judge(subjects, false)[id(7)]
	require.Equal(t, verdict.ConnectionGrowth, v.Kind)
	require.Contains(t, verdict.Evidence(v), "The process ended after 14s.")
	require.Equal(t, v.Kind, observe.Judge(windowOf(15, byPID, leaksAndEnds).Subjects(), true)[id(7)].Kind, "as where nothing went on")

	require.NotContains(t, names(windowOf(30, byName, leaksAndEnds).Subjects()), "app (7)", "by name they come and go")
	require.NotContains(t, names(windowOf(30, atPort, leaksAndEnds).Subjects()), "app (7)")
}

var atPort, byName, byPID = series.Target{Port: 80}, series.Target{Name: "app"}, series.Target{PIDs: []int32{7, 8}}

func names(subjects []*series.Subject) (list []string) {
	for _, s := range subjects {
		list = append(list, s.Name)
	}
	return list
}

// epochs are those of a subject's samples.
func epochs(s *series.Subject) (list []int) {
	for _, sample := range s.Samples {
		list = append(list, sample.Epoch)
	}
	return list
}

func TestSubjectsAreTheProcessesAndAllTogether(t *testing.T) {
	t.Parallel()
	both := func(int) []series.SubjectSample { return []series.SubjectSample{row(7, 2), row(8, 3)} }
	for _, test := range []struct {
		name   string
		target series.Target
		n      int
		rows   func(i int) []series.SubjectSample
		want   []string
	}{
		{"none", byName, 0, nil, nil},
		{"one process", byName, 10, func(int) []series.SubjectSample { return []series.SubjectSample{row(7, 2)} }, []string{"app (7)"}},
		{"one count", byName, 1, func(int) []series.SubjectSample { return []series.SubjectSample{row(7, 2)} }, []string{"app (7)"}},
		{"several", byName, 10, both, []string{"all app processes together", "app (7)", "app (8)"}},
		{"several by number", byPID, 10, both, []string{"all processes together", "app (7)", "app (8)"}},
		{"several at a port", atPort, 10, both, []string{"all connections to port 80", "app (7)", "app (8)"}},
		{"nothing at a port", atPort, 10, func(int) []series.SubjectSample { return nil }, []string{"all connections to port 80"}},
		{"no process at a port", atPort, 10, func(int) []series.SubjectSample { return []series.SubjectSample{row(0, 2)} }, []string{"all connections to port 80"}},
		{
			"one and what is left of others", atPort, 10, func(int) []series.SubjectSample { return []series.SubjectSample{row(7, 2), row(0, 1)} },
			[]string{"all connections to port 80", "app (7)"},
		},
		{"one that has just come", atPort, 10, func(i int) []series.SubjectSample { return both(i)[:1+i/6] }, []string{"all connections to port 80", "app (7)"}},
		{"one that has gone", atPort, 10, func(i int) []series.SubjectSample { return both(i)[:2-i/9] }, []string{"all connections to port 80", "app (7)"}},
		{"clients that come and go", atPort, 30, func(i int) []series.SubjectSample {
			return []series.SubjectSample{row(7, 2), row(int32(100+i), 1), row(int32(101+i), 1)}
		}, []string{"all connections to port 80", "app (7)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := windowOf(test.n, test.target, test.rows)
			subjects := h.Subjects()
			require.Equal(t, test.want, names(subjects))
			require.Len(t, observe.Judge(subjects, false), len(subjects))
			for _, s := range subjects {
				require.Len(t, s.Samples, test.n, "a count without it is one of nothing")
				require.Equal(t, test.target.Port != 0, s.Paired)
			}
		})
	}
}

// What a process leaves behind stays in its row: it is no subject for that.
func TestAProcessThatHasEndedIsNoSubject(t *testing.T) {
	t.Parallel()
	h := windowOf(40, atPort, func(i int) []series.SubjectSample {
		stays, left := row(7, 0), row(8, 0)
		stays.KernelConns, left.KernelConns = &series.ConnCounts{Opened: 1}, &series.ConnCounts{Opened: 3}
		stays.Process = &series.Process{Descriptors: 5} // it has no connection now
		left.Client.Counts = in(socketstats.TimeWait, 3)
		busy := row(9, 0) // what is known of it is what came and went
		busy.KernelConns = &series.ConnCounts{Opened: i, Closed: i}
		return []series.SubjectSample{stays, left, busy}
	})
	require.Equal(t, []string{"all connections to port 80", "app (7)", "app (9)"}, names(h.Subjects()))
	require.Equal(t, 40, h.Subjects()[0].Samples[39].KernelConns.Opened-3, "all of them together have it all")
}

func TestASubjectsSamplesAreItsOwnRows(t *testing.T) {
	t.Parallel()
	h := windowOf(10, byName, func(i int) []series.SubjectSample {
		a, b := row(7, i), row(8, 2*i)
		a.Server.Counts, b.Server.Counts = in(socketstats.CloseWait, 1), in(socketstats.CloseWait, 2)
		a.Process, a.Identity.Limits.Descriptors = &series.Process{Descriptors: 5}, 100
		b.Process, b.Identity.Limits.Descriptors = &series.Process{Descriptors: 6}, 200
		a.KernelConns, b.KernelConns = &series.ConnCounts{Opened: i, Closed: 1, WithTCPInfo: 3, ShortLived: 1}, &series.ConnCounts{Opened: 2 * i, Closed: 2, WithTCPInfo: 4, ShortLived: 2}
		a.Client.Activity, b.Client.Activity = &socketstats.Activity{Unread: 1, MaxPerDestination: 4}, &socketstats.Activity{Unread: 2, MaxPerDestination: 3}
		return []series.SubjectSample{a, b}
	})
	subjects := h.Subjects()
	require.Equal(t, []string{"all app processes together", "app (7)", "app (8)"}, names(subjects))
	for i, want := range []series.Sample{
		{
			Client:        series.End{Counts: in(socketstats.Established, 27), Activity: &socketstats.Activity{Unread: 3, MaxPerDestination: 4}},
			Server:        series.End{Counts: in(socketstats.CloseWait, 3)},
			KernelConns:   &series.ConnCounts{Opened: 27, Closed: 3, WithTCPInfo: 7, ShortLived: 3},
			ClientMetrics: series.ClientMetrics{Process: &series.Process{Descriptors: 6, Processes: 2}},
		},
		{
			Client:        series.End{Counts: in(socketstats.Established, 9), Activity: &socketstats.Activity{Unread: 1, MaxPerDestination: 4}},
			Server:        series.End{Counts: in(socketstats.CloseWait, 1)},
			KernelConns:   &series.ConnCounts{Opened: 9, Closed: 1, WithTCPInfo: 3, ShortLived: 1},
			ClientMetrics: series.ClientMetrics{Process: &series.Process{Descriptors: 5}},
		},
	} {
		want.At = 9 * time.Second
		require.Equal(t, want, subjects[i].Samples[9])
	}
	// What is nearest to its end is the process with the most descriptors.
	require.Equal(t, 200, subjects[0].Limits.Descriptors)
	require.Equal(t, 100, subjects[1].Limits.Descriptors)
	require.EqualValues(t, 7, subjects[1].PID)
	require.Zero(t, subjects[0].PID)
}

// Of a port that is used in several network namespaces each service is a subject, whose sockets
// are not added to another's.
func TestEachServiceOfAPortIsAllOfItsOwnTogether(t *testing.T) {
	t.Parallel()
	in := func(s series.SubjectSample, namespace string) series.SubjectSample {
		s.Identity.Namespace = namespace
		return s
	}
	gone := in(row(0, 2), "net:[2]")
	gone.ID, gone.Identity.ID = observe.NoProcess+", net:[2]", observe.NoProcess+", net:[2]"
	w := &observe.Window{}
	w.Add(begin(atPort))
	for i := range 30 {
		e := moment(i, in(row(7, 3*i), "net:[1]"), in(row(8, 3), "net:[2]"), gone, row(9, 1), in(row(10, 1), "net:[3]"))
		e.Moment.Services = [][]string{{"", "net:[3]"}, {"net:[1]"}, {"net:[2]"}}
		w.Add(e)
	}
	subjects := w.Subjects()
	require.Equal(t, []string{"all connections to port 80", "all connections to port 80, net:[2]", "app (7)", "app (8)", "app (9)", "app (10)"}, names(subjects))
	for i, open := range []int{2, 5, 87, 3} {
		require.Equal(t, open, subjects[i].Now(socketstats.Client).Open(), subjects[i].Name)
	}
	require.Equal(t, verdict.Healthy, observe.Judge(subjects, false)[subjects[1].ID].Kind, "the other one's leak is not its own")
	require.Equal(t, 87, w.Count(socketstats.Counts.Open))
}

func TestTheQueueOfAllTogetherIsTheFullest(t *testing.T) {
	t.Parallel()
	h := windowOf(3, byName, func(int) []series.SubjectSample {
		list := []series.SubjectSample{row(6, 1), row(7, 1), row(8, 1), row(9, 1)}
		list[1].Queue = &series.Queue{Waiting: 5, Limit: 4096}
		list[2].Queue = &series.Queue{Waiting: 3, Limit: 2}
		list[3].Queue = &series.Queue{Waiting: 100, Limit: 128}
		return list
	})
	subjects := h.Subjects()
	require.Len(t, subjects, 5)
	require.Equal(t, &series.Queue{Waiting: 3, Limit: 2}, subjects[0].Samples[2].Queue)
	require.Nil(t, subjects[1].Samples[2].Queue)
	require.Equal(t, &series.Queue{Waiting: 5, Limit: 4096}, subjects[2].Samples[2].Queue)
	require.Equal(t, verdict.AcceptQueueOverflow, observe.Judge(subjects, false)[observe.Together].Kind)
}

func TestWhereEventsAreHeardNoRowIsNoConnection(t *testing.T) {
	t.Parallel()
	w := &observe.Window{}
	w.Add(series.Event{Moment: &series.Moment{EventSource: "tracepoint"}})
	w.Add(series.Event{Moment: &series.Moment{}})
	samples := w.Subjects()[0].Samples
	require.Equal(t, &series.ConnCounts{}, samples[0].KernelConns)
	require.Nil(t, samples[1].KernelConns, "nothing reports them")
}

func TestARestartBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	// The name's process is replaced in the tenth second; for one count there is none.
	restarted := func(i int) []series.SubjectSample {
		switch {
		case i < 9:
			return []series.SubjectSample{row(7, 3*i)}
		case i == 9:
			return nil
		default:
			return []series.SubjectSample{row(8, 1)}
		}
	}
	want := []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	subjects := windowOf(22, byName, restarted).Subjects()
	require.Equal(t, []string{"all app processes together", "app (8)"}, names(subjects))
	require.Equal(t, want, epochs(subjects[0]))
	require.Equal(t, make([]int, 22), epochs(subjects[1]), "a process is not its own successor")

	// At a port clients come and go, and the server is the same. Where connections became more
	// until their process ended, it was restarted, too.
	subjects = windowOf(22, atPort, restarted).Subjects()
	require.Equal(t, want, epochs(subjects[0]))
	subjects = windowOf(22, atPort, func(i int) []series.SubjectSample { return []series.SubjectSample{row(int32(7+i/11), 1+i%2)} }).Subjects()
	require.Equal(t, make([]int, 22), epochs(subjects[0]))

	// As long as one goes on, it is the same service.
	subjects = windowOf(22, byName, func(i int) []series.SubjectSample { return append(restarted(i), row(9, 1)) }).Subjects()
	require.Equal(t, make([]int, 22), epochs(subjects[0]))

	// Replaced one after the other: each has met the next.
	subjects = windowOf(40, byName, func(i int) []series.SubjectSample {
		return []series.SubjectSample{row(int32(10+i/10), 1), row(int32(10+(i+5)/10), 1)}[:1+min(1, i%10/5)]
	}).Subjects()
	require.Equal(t, make([]int, 40), epochs(subjects[0]))
}

// A shell starts a program again that has ended. The shell itself holds nothing.
func TestARestartInATreeBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	part := func(pid int32, open int) series.SubjectSample {
		s := row(pid, open)
		s.ID, s.Identity.ID, s.Identity.Parent = "7/"+id(pid), "7/"+id(pid), "7"
		return s
	}
	every := func(k int) func(int) []series.SubjectSample {
		return func(i int) []series.SubjectSample {
			return []series.SubjectSample{row(7, i%k), part(7, 0), part(int32(100+i/k), i%k+1)}
		}
	}
	subject := windowOf(50, byPID, every(40)).Subjects()[0]
	require.Equal(t, "7", subject.ID)
	require.Equal(t, 0, epochs(subject)[39])
	require.Equal(t, 1, epochs(subject)[40])
	require.Equal(t, make([]int, 50), epochs(windowOf(50, byPID, every(10)).Subjects()[0]), "its children come and go")
	one := windowOf(50, byPID, func(i int) []series.SubjectSample { return append(every(40)(i), part(8, 1)) })
	require.Equal(t, make([]int, 50), epochs(one.Subjects()[0]), "another child goes on")
}

// A client that leaks, and is restarted every 20 seconds: that its end closes what it has left
// open heals nothing.
func TestARestartHealsNoLeak(t *testing.T) {
	t.Parallel()
	leaks := func(i int) []series.SubjectSample {
		return []series.SubjectSample{row(int32(100+(i+5)/20), 2*((i+5)%20))}
	}
	for _, target := range []series.Target{atPort, byName} {
		for n := 20; n < 100; n++ {
			require.NotEqual(t, verdict.Healthy, observe.Judge(windowOf(n, target, leaks).Subjects(), false)[observe.Together].Kind, "%d samples, %+v", n, target)
		}
		v := observe.Judge(windowOf(60, target, leaks).Subjects(), false)[observe.Together]
		require.Equal(t, verdict.ConnectionGrowth, v.Kind)
		require.Contains(t, verdict.Evidence(v), "The process was restarted 3 times. The figures are those of the one that lived longest, 19s: what takes longer does not show. In 3 of them connections became more to the end.")
	}
}

func TestProcessesThatAreReplacedAllTheTimeHaveNoEpochs(t *testing.T) {
	t.Parallel()
	every := func(k int) func(int) []series.SubjectSample {
		return func(i int) []series.SubjectSample { return []series.SubjectSample{row(int32(100+i/k), 1)} }
	}
	require.Equal(t, make([]int, 40), epochs(windowOf(40, byName, every(1)).Subjects()[0]))
	require.Equal(t, make([]int, 40), epochs(windowOf(40, byName, every(3)).Subjects()[0]))
	require.Equal(t, 3, epochs(windowOf(40, byName, every(10)).Subjects()[0])[39], "a restart now and then")
}

func TestACountIsOfTheEndThatHasMoreOrOfBoth(t *testing.T) {
	t.Parallel()
	rows := func(int) []series.SubjectSample {
		a, b, none := row(7, 3), row(8, 2), row(0, 0)
		a.Server.Counts, b.Server.Counts = in(socketstats.Established, 1), in(socketstats.Established, 5)
		none.Client.Counts, none.Server.Counts = in(socketstats.TimeWait, 9), in(socketstats.CloseWait, 1)
		return []series.SubjectSample{a, b, none}
	}
	established := func(c socketstats.Counts) int { return c.Of(socketstats.Established) }
	port, processes := windowOf(2, atPort, rows), windowOf(2, byPID, rows)
	require.Equal(t, 6, port.Count(established), "the server's, which are the same connections")
	require.Equal(t, 11, processes.Count(established))
	require.Equal(t, 7, port.Count(socketstats.Counts.Open))
	require.Equal(t, 12, processes.Count(socketstats.Counts.Open))
	require.Equal(t, 14, port.Count(socketstats.Counts.Total))
	require.Zero(t, (&observe.Window{}).Count(established))
}

func TestAnObservationHasTheProcessesThatAreThere(t *testing.T) {
	t.Parallel()
	w := &observe.Window{Most: 60}
	require.Empty(t, w.Observation().Subjects)
	w.Add(begin(atPort))
	for i := range 100 {
		rows := []series.SubjectSample{row(7, i)}
		if i >= 50 {
			rows = append(rows, row(9, 1))
		}
		if i < 99 {
			rows = append(rows, row(8, 1))
		}
		for k := range rows { // who is known is not told again
			if i != 0 && (i != 50 || rows[k].ID != "9") {
				rows[k].Identity = nil
			}
		}
		e := moment(i, rows...)
		e.Moment.Took = time.Millisecond
		w.Add(e)
	}
	o := w.Observation()
	require.Equal(t, &atPort, o.Target)
	require.Equal(t, 99*time.Second, o.Duration)
	require.Equal(t, 100, o.Cost.Samples)
	require.Equal(t, []string{"app (7)", "app (9)"}, names(o.Subjects))
	require.EqualValues(t, 9, o.Subject("9").PID)
	require.Len(t, o.Subject("7").Samples, 60)
	require.Len(t, o.Subject("9").Samples, 50)
	require.Equal(t, 99*time.Second, o.Subject("9").Last().At)
	require.Equal(t, 99, o.Subject("7").Now(socketstats.Client).Total())
	w.Add(series.Event{End: &series.Ending{Gone: true}})
	require.True(t, w.Observation().Gone)
	require.True(t, w.Observation().Over)
}
