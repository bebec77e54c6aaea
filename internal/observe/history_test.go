package observe_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func in(state socketstats.State, n int) socketstats.Counts {
	var c socketstats.Counts
	for range n {
		c.Add(state)
	}
	return c
}

// row is a process with some established client connections.
func row(pid int32, open int) observe.Process {
	return observe.Process{PID: pid, Name: map[bool]string{true: "no process", false: "app"}[pid == 0], Client: in(socketstats.Established, open)}
}

// historyOf is a history with a snapshot a second, each with rows.
func historyOf(n int, port uint16, rows func(i int) []observe.Process) *observe.History {
	h := &observe.History{}
	for i := range n {
		h.Add(observe.Snapshot{After: time.Duration(i) * time.Second, Port: port, Processes: rows(i)})
	}
	return h
}

func names(subjects []observe.Subject) (list []string) {
	for _, s := range subjects {
		list = append(list, s.Name)
	}
	return list
}

// epochs are those of a subject's samples.
func epochs(s observe.Subject) (list []int) {
	for _, sample := range s.Series.Samples {
		list = append(list, sample.Epoch)
	}
	return list
}

func TestSubjectsAreTheProcessesAndAllTogether(t *testing.T) {
	t.Parallel()
	both := func(int) []observe.Process { return []observe.Process{row(7, 2), row(8, 3)} }
	for _, test := range []struct {
		name string
		port uint16
		n    int
		rows func(i int) []observe.Process
		want []string
	}{
		{"none", 0, 0, nil, nil},
		{"one process", 0, 10, func(int) []observe.Process { return []observe.Process{row(7, 2)} }, []string{"app (7)"}},
		{"one count", 0, 1, func(int) []observe.Process { return []observe.Process{row(7, 2)} }, []string{"app (7)"}},
		{"several", 0, 10, both, []string{"all app processes together", "app (7)", "app (8)"}},
		{"several at a port", 80, 10, both, []string{"all connections to port 80", "app (7)", "app (8)"}},
		{"nothing at a port", 80, 10, func(int) []observe.Process { return nil }, []string{"all connections to port 80"}},
		{"no process at a port", 80, 10, func(int) []observe.Process { return []observe.Process{row(0, 2)} }, []string{"all connections to port 80"}},
		{"one and what is left of others", 80, 10, func(int) []observe.Process { return []observe.Process{row(7, 2), row(0, 1)} },
			[]string{"all connections to port 80", "app (7)"}},
		{"one that has just come", 80, 10, func(i int) []observe.Process { return both(i)[:1+i/6] }, []string{"all connections to port 80", "app (7)"}},
		{"one that has gone", 80, 10, func(i int) []observe.Process { return both(i)[:2-i/9] }, []string{"all connections to port 80", "app (7)"}},
		{"clients that come and go", 80, 30, func(i int) []observe.Process {
			return []observe.Process{row(7, 2), row(int32(100+i), 1), row(int32(101+i), 1)}
		}, []string{"all connections to port 80", "app (7)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := historyOf(test.n, test.port, test.rows)
			subjects := h.Subjects()
			require.Equal(t, test.want, names(subjects))
			require.Len(t, h.Judge(false), len(subjects))
			for _, s := range subjects {
				require.Len(t, s.Series.Samples, test.n, "a count without it is one of nothing")
				require.Equal(t, test.port != 0, s.Series.Paired)
			}
		})
	}
}

// What a process leaves behind stays in its row: it is no subject for that.
func TestAProcessThatHasEndedIsNoSubject(t *testing.T) {
	t.Parallel()
	h := historyOf(40, 80, func(i int) []observe.Process {
		stays, left := row(7, 0), row(8, 0)
		stays.Flow, left.Flow = &observe.Flow{Opened: 1}, &observe.Flow{Opened: 3}
		stays.Descriptors = 5 // it has no connection now
		left.Client = in(socketstats.TimeWait, 3)
		if i == 0 {
			left.Flow.OpenedPerSecond = 3
		}
		busy := row(9, 0) // what is known of it is what came and went
		busy.Flow = &observe.Flow{Opened: i, Closed: i, OpenedPerSecond: 1, ClosedPerSecond: 1}
		return []observe.Process{stays, left, busy}
	})
	require.Equal(t, []string{"all connections to port 80", "app (7)", "app (9)"}, names(h.Subjects()))
	require.Equal(t, 40, h.Subjects()[0].Series.Samples[39].Flow.Opened-3, "all of them together have it all")
}

func TestASubjectsSamplesAreItsOwnRows(t *testing.T) {
	t.Parallel()
	h := historyOf(10, 0, func(i int) []observe.Process {
		a, b := row(7, i), row(8, 2*i)
		a.Server, b.Server = in(socketstats.CloseWait, 1), in(socketstats.CloseWait, 2)
		a.Descriptors, a.Limits = 5, &socketstats.Limits{Descriptors: 100}
		b.Descriptors, b.Limits = 6, &socketstats.Limits{Descriptors: 200}
		a.Flow, b.Flow = &observe.Flow{Opened: i, Closed: 1, WithTCPInfo: 3, ShortLived: 1}, &observe.Flow{Opened: 2 * i, Closed: 2, WithTCPInfo: 4, ShortLived: 2}
		a.ClientActivity, b.ClientActivity = &socketstats.Activity{Unread: 1, MaxPerDestination: 4}, &socketstats.Activity{Unread: 2, MaxPerDestination: 3}
		return []observe.Process{a, b}
	})
	subjects := h.Subjects()
	require.Equal(t, []string{"all app processes together", "app (7)", "app (8)"}, names(subjects))
	for i, want := range []verdict.Sample{
		{
			Client:      verdict.End{Counts: in(socketstats.Established, 27), Activity: &socketstats.Activity{Unread: 3, MaxPerDestination: 4}},
			Server:      verdict.End{Counts: in(socketstats.CloseWait, 3)},
			Flow:        &verdict.Flow{Opened: 27, Closed: 3, WithTCPInfo: 7, ShortLived: 3},
			Descriptors: 6,
		},
		{
			Client:      verdict.End{Counts: in(socketstats.Established, 9), Activity: &socketstats.Activity{Unread: 1, MaxPerDestination: 4}},
			Server:      verdict.End{Counts: in(socketstats.CloseWait, 1)},
			Flow:        &verdict.Flow{Opened: 9, Closed: 1, WithTCPInfo: 3, ShortLived: 1},
			Descriptors: 5,
		},
	} {
		want.At = 9 * time.Second
		require.Equal(t, want, subjects[i].Series.Samples[9])
	}
	// What is nearest to its end is the process with the most descriptors.
	require.Equal(t, 200, subjects[0].Series.Limits.Descriptors)
	require.Equal(t, 100, subjects[1].Series.Limits.Descriptors)
	require.EqualValues(t, 7, subjects[1].PID)
	require.Zero(t, subjects[0].PID)
}

func TestTheQueueOfAllTogetherIsTheFullest(t *testing.T) {
	t.Parallel()
	h := historyOf(3, 0, func(int) []observe.Process {
		list := []observe.Process{row(6, 1), row(7, 1), row(8, 1), row(9, 1)}
		list[1].Queue = &observe.Queue{Waiting: 5, Limit: 4096}
		list[2].Queue = &observe.Queue{Waiting: 3, Limit: 2}
		list[3].Queue = &observe.Queue{Waiting: 100, Limit: 128}
		return list
	})
	subjects := h.Subjects()
	require.Len(t, subjects, 5)
	require.Equal(t, &verdict.Queue{Waiting: 3, Limit: 2}, subjects[0].Series.Samples[2].Queue)
	require.Nil(t, subjects[1].Series.Samples[2].Queue)
	require.Equal(t, &verdict.Queue{Waiting: 5, Limit: 4096}, subjects[2].Series.Samples[2].Queue)
	require.Equal(t, verdict.AcceptQueueOverflow, h.Judge(false)[0].Verdict.Kind)
}

func TestWithASourceOfFlowsNoRowIsNoFlow(t *testing.T) {
	t.Parallel()
	h := &observe.History{}
	h.Add(observe.Snapshot{FlowSource: "tracepoint"})
	h.Add(observe.Snapshot{})
	samples := h.Subjects()[0].Series.Samples
	require.Equal(t, &verdict.Flow{}, samples[0].Flow)
	require.Nil(t, samples[1].Flow, "nothing tells")
}

func TestARestartBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	// The name's process is replaced in the tenth second; for one count there is none.
	restarted := func(i int) []observe.Process {
		switch {
		case i < 9:
			return []observe.Process{row(7, 3*i)}
		case i == 9:
			return nil
		default:
			return []observe.Process{row(8, 1)}
		}
	}
	want := []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	subjects := historyOf(22, 0, restarted).Subjects()
	require.Equal(t, []string{"all app processes together", "app (8)"}, names(subjects))
	require.Equal(t, want, epochs(subjects[0]))
	require.Equal(t, make([]int, 22), epochs(subjects[1]), "a process is not its own successor")

	// At a port clients come and go, and the server is the same.
	subjects = historyOf(22, 80, restarted).Subjects()
	require.Equal(t, make([]int, 22), epochs(subjects[0]))

	// As long as one goes on, it is the same service.
	subjects = historyOf(22, 0, func(i int) []observe.Process { return append(restarted(i), row(9, 1)) }).Subjects()
	require.Equal(t, make([]int, 22), epochs(subjects[0]))

	// Replaced one after the other: each has met the next.
	subjects = historyOf(40, 0, func(i int) []observe.Process {
		return []observe.Process{row(int32(10+i/10), 1), row(int32(10+(i+5)/10), 1)}[:1+min(1, i%10/5)]
	}).Subjects()
	require.Equal(t, make([]int, 40), epochs(subjects[0]))
}

func TestProcessesThatAreReplacedAllTheTimeHaveNoEpochs(t *testing.T) {
	t.Parallel()
	every := func(k int) func(int) []observe.Process {
		return func(i int) []observe.Process { return []observe.Process{row(int32(100+i/k), 1)} }
	}
	require.Equal(t, make([]int, 40), epochs(historyOf(40, 0, every(1)).Subjects()[0]))
	require.Equal(t, make([]int, 40), epochs(historyOf(40, 0, every(3)).Subjects()[0]))
	require.Equal(t, 3, epochs(historyOf(40, 0, every(10)).Subjects()[0])[39], "a restart now and then")
}

func TestACountIsOfTheEndThatHasMoreOrOfBoth(t *testing.T) {
	t.Parallel()
	processes := []observe.Process{
		{PID: 7, Client: in(socketstats.Established, 3), Server: in(socketstats.Established, 1)},
		{PID: 8, Client: in(socketstats.Established, 2), Server: in(socketstats.Established, 5)},
		{PID: 0, Client: in(socketstats.TimeWait, 9), Server: in(socketstats.CloseWait, 1)},
	}
	established := func(c socketstats.Counts) int { return c.Of(socketstats.Established) }
	atPort, ofProcesses := observe.Snapshot{Port: 80, Processes: processes}, observe.Snapshot{Processes: processes}
	require.Equal(t, 6, atPort.Count(established), "the server's, which are the same connections")
	require.Equal(t, 11, ofProcesses.Count(established))
	require.Equal(t, 7, atPort.Count(socketstats.Counts.Open))
	require.Equal(t, 12, ofProcesses.Count(socketstats.Counts.Open))
	require.Equal(t, 14, atPort.Count(socketstats.Counts.Total))
	require.Zero(t, observe.Snapshot{Port: 80}.Count(established))
}

func judgement(name string, pid int32, kind verdict.Kind, sure verdict.Confidence) observe.SubjectVerdict {
	leak := kind != verdict.Healthy && kind != verdict.NotEnoughData
	return observe.SubjectVerdict{Subject: observe.Subject{Name: name, PID: pid}, Verdict: verdict.Verdict{Leak: leak, Kind: kind, Confidence: sure}}
}

func TestTheWorstIsALeakThatIsSureOfAProcess(t *testing.T) {
	t.Parallel()
	// From the worst to the best.
	order := []observe.SubjectVerdict{
		judgement("a (1)", 1, verdict.RequestStalled, verdict.High),
		judgement("b (2)", 2, verdict.RequestStalled, verdict.High),
		judgement("all", 0, verdict.ConnectionChurn, verdict.High),
		judgement("a (1)", 1, verdict.ConnectionChurn, verdict.Medium),
		judgement("all", 0, verdict.ConnectionChurn, verdict.Medium),
		judgement("a (1)", 1, verdict.ConnectionChurn, verdict.Low),
		judgement("all", 0, verdict.ConnectionChurn, verdict.Low),
		judgement("a (1)", 1, verdict.NotEnoughData, ""),
		judgement("all", 0, verdict.NotEnoughData, ""),
		judgement("a (1)", 1, verdict.Healthy, verdict.High),
		judgement("all", 0, verdict.Healthy, verdict.High),
	}
	for i, a := range order {
		for _, b := range order[i:] {
			require.Equal(t, a, observe.Worst([]observe.SubjectVerdict{a, b}))
			require.Equal(t, a, observe.Worst([]observe.SubjectVerdict{b, a}), "%v and %v", b.Verdict, a.Verdict)
		}
	}
}

func TestEndedIsToldToTheVerdict(t *testing.T) {
	t.Parallel()
	h := historyOf(3, 0, func(int) []observe.Process { return []observe.Process{row(7, 1)} })
	require.False(t, h.Judge(false)[0].Series.Ended)
	require.True(t, h.Judge(true)[0].Series.Ended)
}

// fill sets all that a value has, so that what JSON forgets is seen.
func fill(v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
		return
	case *socketstats.Counts:
		p.Add(socketstats.Established)
		p.Add(socketstats.TimeWait)
		return
	case *socketstats.State:
		*p = socketstats.Closing
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.String:
		v.SetString("a \"<name>\" & more\n")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1.0 / 3)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1<<31 - 1)
	case reflect.Uint16:
		v.SetUint(1<<16 - 1)
	default:
		panic("the test cannot fill in a " + v.Type().String())
	}
}

// A recording must give the same history again: all of a snapshot is in its JSON.
func TestASnapshotIsTheSameAfterJSON(t *testing.T) {
	t.Parallel()
	var want, got observe.Snapshot
	fill(reflect.ValueOf(&want).Elem())
	require.NotZero(t, want.Processes[1].ServerActivity.Received[11])
	data, err := json.Marshal(want)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, want, got)
}
