package series_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

func counts(of map[socketstats.State]int) (c socketstats.Counts) {
	for state, n := range of {
		for range n {
			c.Add(&socketstats.Socket{State: state})
		}
	}
	return c
}

func TestSamplesOfOneMomentAreAdded(t *testing.T) {
	t.Parallel()
	s := series.Sample{
		Client: series.End{Counts: counts(map[socketstats.State]int{socketstats.Established: 2})}, KernelConns: &series.ConnCounts{Opened: 3, Closed: 1},
		Oldest: time.Second, Upstreams: 1, Queue: &series.Queue{Waiting: 1, Limit: 10},
		ClientMetrics: series.ClientMetrics{Process: &series.Process{Descriptors: 5, Threads: 1, Kinds: map[string]int{"tcp": 2}}},
	}
	s.Add(&series.Sample{
		Client: series.End{
			Counts:   counts(map[socketstats.State]int{socketstats.Established: 1, socketstats.CloseWait: 4}),
			Activity: &socketstats.Activity{},
		},
		KernelConns: &series.ConnCounts{Opened: 10, Closed: 4, AtLeast: true}, Oldest: 3 * time.Second, Upstreams: 2,
		Queue: &series.Queue{Waiting: 4, Limit: 5}, ClientMetrics: series.ClientMetrics{Process: &series.Process{Descriptors: 9, Threads: 2, Kinds: map[string]int{"tcp": 1, "udp": 1}}},
	})
	require.Equal(t, 3, s.Client.Counts.Of(socketstats.Established))
	require.Equal(t, 4, s.Client.Counts.Of(socketstats.CloseWait))
	require.NotNil(t, s.Client.Activity)
	require.Equal(t, series.ConnCounts{Opened: 13, Closed: 5, AtLeast: true}, *s.KernelConns)
	require.Equal(t, 3*time.Second, s.Oldest)
	require.Equal(t, 3, s.Upstreams)
	require.Equal(t, series.Queue{Waiting: 4, Limit: 5}, *s.Queue, "the one with less room")
	require.Equal(t, series.Process{Descriptors: 9, Threads: 3, Processes: 2, Kinds: map[string]int{"tcp": 3, "udp": 1}}, *s.Process)

	// Two with activities are summed, and what is unknown stays so.
	s.Add(&series.Sample{Client: series.End{Activity: &socketstats.Activity{}}})
	require.NotNil(t, s.Client.Activity)
	require.Equal(t, 13, s.KernelConns.Opened)
	var unknown series.Sample
	unknown.Add(&series.Sample{})
	require.Equal(t, series.Sample{}, unknown)
	unknown.Add(&series.Sample{KernelConns: &series.ConnCounts{Opened: 1}, ClientMetrics: series.ClientMetrics{Process: &series.Process{Kinds: map[string]int{"tcp": 1}}}, Queue: &series.Queue{}})
	require.Equal(t, 1, unknown.KernelConns.Opened)
	unknown.Add(&series.Sample{ClientMetrics: series.ClientMetrics{Process: &series.Process{Kinds: map[string]int{"tcp": 1}}}})
	require.Equal(t, 2, unknown.Process.Kinds["tcp"])
	require.Equal(t, &series.Queue{}, unknown.Queue)
}

func TestRatesAreOfTheNewestTwoSamples(t *testing.T) {
	t.Parallel()
	var s series.Subject
	_, _, ok := s.Rates()
	require.False(t, ok)
	require.Nil(t, s.Last())
	require.Nil(t, s.KernelConns())
	require.Equal(t, series.ClientMetrics{}, s.Metrics())
	require.Zero(t, s.Now(socketstats.Client))
	s.Samples = []series.Sample{
		{At: 0, KernelConns: &series.ConnCounts{Opened: 100}},
		{At: time.Second, KernelConns: &series.ConnCounts{Opened: 10, Closed: 4}, Oldest: time.Second},
		{At: 3 * time.Second, KernelConns: &series.ConnCounts{Opened: 16, Closed: 4}},
	}
	opened, closed, ok := s.Rates()
	require.True(t, ok)
	require.InDelta(t, 3, opened, 0)
	require.Zero(t, closed)
	require.Equal(t, 16, s.KernelConns().Opened)
	require.Equal(t, time.Second, s.Oldest())
	s.Samples[2].At = s.Samples[1].At // no time has passed: there is no rate, and not an infinite one
	_, _, ok = s.Rates()
	require.False(t, ok)
	s.Samples[2].At, s.Samples[2].KernelConns = 3*time.Second, nil
	_, _, ok = s.Rates()
	require.False(t, ok)
	s.Final = &series.Final{KernelConns: &series.ConnCounts{Opened: 20}, ClientMetrics: series.ClientMetrics{Requests: &series.Requests{Sent: 1}}}
	require.Equal(t, 20, s.KernelConns().Opened)
	require.EqualValues(t, 1, s.Metrics().Requests.Sent)
}

func TestASubjectThatNeverGotThroughIsUnreached(t *testing.T) {
	t.Parallel()
	failed := func(errors map[string]int64, opened int64) *series.Subject {
		return &series.Subject{Final: &series.Final{ClientMetrics: series.ClientMetrics{
			Requests: &series.Requests{Sent: 3, Failed: 3, Errors: errors}, Connections: &series.ClientConns{Opened: opened},
		}}}
	}
	require.True(t, failed(map[string]int64{"ENETUNREACH": 2, "EADDRNOTAVAIL": 1}, 0).Unreached())
	require.False(t, failed(map[string]int64{"ENETUNREACH": 2, "ECONNREFUSED": 1}, 0).Unreached())
	require.False(t, failed(map[string]int64{"ENETUNREACH": 3}, 1).Unreached(), "a connection was opened")
	require.False(t, (&series.Subject{}).Unreached())
	require.Equal(t, "1 EOF, 3 timeout", (&series.Requests{Errors: map[string]int64{"timeout": 3, "EOF": 1}}).ErrorList())
	require.EqualValues(t, 5, (&series.Requests{OK: 2, Failed: 3}).Finished())
}

func TestTheMostThatWasOpenAtOneTime(t *testing.T) {
	t.Parallel()
	s := series.Subject{Samples: []series.Sample{
		{Client: series.End{Counts: counts(map[socketstats.State]int{socketstats.Established: 3, socketstats.TimeWait: 9})}},
		{Client: series.End{Counts: counts(map[socketstats.State]int{socketstats.Established: 1, socketstats.CloseWait: 1})}},
	}}
	require.Equal(t, 3, s.PeakOpen(socketstats.Client))
	require.Zero(t, s.PeakOpen(socketstats.Server))
	require.Equal(t, 1, s.Now(socketstats.Client).Of(socketstats.CloseWait))
}

func TestPartsAndProgramsOfAnObservation(t *testing.T) {
	t.Parallel()
	var o series.Observation
	part := func(id, parent string) series.SubjectSample {
		return series.SubjectSample{ID: id, Identity: &series.Identity{ID: id, Parent: parent}}
	}
	o.Add(series.Event{Moment: &series.Moment{Subjects: []series.SubjectSample{part("1", ""), part("2", "1"), part("3", "1")}}})
	require.Len(t, o.Subjects, 1)
	require.Len(t, o.PartsOf("1"), 2)
	require.Empty(t, o.PartsOf("2"))
	require.False(t, (*series.Scenario)(nil).OwnPrograms())
	require.True(t, (&series.Scenario{Commands: map[string]string{"fixed": "true"}}).OwnPrograms())
	require.Equal(t, "2 times in SYN_SENT, mean 0.5 ms, max 2s", series.StateDuration{State: socketstats.SynSent, Count: 2, MeanMS: 0.5, MaxMS: 2000}.String())
}

func TestWhatIsCalledAnsweredWhileNothingCame(t *testing.T) {
	t.Parallel()
	of := func(ok int64, received *int64, opened int64, others ...series.ServerCount) *series.Subject {
		sample := series.Sample{ClientMetrics: series.ClientMetrics{
			Requests: &series.Requests{Sent: ok, OK: ok, Received: received}, Connections: &series.ClientConns{Opened: opened},
		}, Servers: others}
		return &series.Subject{Samples: []series.Sample{sample, sample}}
	}
	none, one := int64(0), int64(1)
	require.EqualValues(t, 5, of(5, &none, 0).Unsent())
	require.EqualValues(t, 5, of(5, &none, 0, series.ServerCount{}).Unsent())
	for what, s := range map[string]*series.Subject{
		"one subscription serves all calls": of(5, &one, 1),
		"a call only connects":              of(5, &none, 5),
		"nothing is called answered":        of(0, &none, 0),
		"the server does not say":           of(5, nil, 0),
		"another server of the side":        of(5, &none, 0, series.ServerCount{}, series.ServerCount{Requests: 5}),
		"no sample":                         {},
	} {
		require.Zero(t, s.Unsent(), what)
	}
	uncounted := of(5, &none, 0) // by a server whose code listens by itself
	uncounted.Samples[0].Client.Counts = counts(map[socketstats.State]int{socketstats.Established: 1})
	require.Zero(t, uncounted.Unsent())
	uncounted = of(5, &none, 0)
	uncounted.Samples[1].KernelConns = &series.ConnCounts{Opened: 5}
	require.Zero(t, uncounted.Unsent())
	late := of(0, &none, 0) // it said ok after the server was asked
	late.Samples[1].Requests = &series.Requests{OK: 5, Received: &none}
	require.Zero(t, late.Unsent())
}
