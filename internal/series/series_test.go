package series

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func established(n int) End {
	var e End
	for range n {
		e.Counts.Add(&socketstats.Socket{State: socketstats.Established})
	}
	return e
}

// watched is one process whose client end has the given counts, one a second.
func watched(counts ...int) *Subject {
	s := &Subject{}
	for i, n := range counts {
		s.Samples = append(s.Samples, Sample{At: time.Duration(i) * time.Second, Client: established(n)})
	}
	return s
}

func TestAnObservationIsTheSumOfItsEvents(t *testing.T) {
	t.Parallel()
	moment := func(at time.Duration, faulty, fixed int) Event {
		return Event{Moment: &Moment{At: at, Took: at + 1, CPU: 1, Subjects: []SubjectSample{
			{ID: "faulty", Sample: Sample{Client: established(faulty)}},
			{ID: "fixed", Sample: Sample{Client: established(fixed)}},
		}}}
	}
	late := moment(3, 30, 1)
	late.Moment.Subjects = append(late.Moment.Subjects, SubjectSample{ID: "77", Identity: &Identity{ID: "77", Name: "late (77)", PID: 77}})
	events := []Event{
		{Header: &Header{Schema: Schema, Subjects: []Identity{{ID: "faulty", Name: "faulty", Paired: true}, {ID: "fixed", Name: "fixed"}}}},
		moment(1, 10, 2), moment(2, 40, 3), late,
		{End: &Ending{Duration: 9, Stopped: "interrupted", Subjects: []SubjectFinal{{ID: "fixed", Final: Final{Failure: "exit status 1"}}}}},
	}
	var direct, read Observation
	for _, e := range events {
		direct.Add(e)
		line, err := json.Marshal(e)
		require.NoError(t, err)
		var again Event
		require.NoError(t, json.Unmarshal(line, &again))
		read.Add(again)
	}
	require.Equal(t, direct, read, "a recording gives the same observation")

	require.Equal(t, Cost{Samples: 3, Took: 9, CPU: 3, Longest: 4}, direct.Cost)
	require.Equal(t, time.Duration(9), direct.Duration)
	require.True(t, direct.Over)
	require.Equal(t, "interrupted", direct.Stopped)
	faulty := direct.Subject("faulty")
	require.True(t, faulty.Paired)
	require.Len(t, faulty.Samples, 3)
	require.Equal(t, time.Duration(2), faulty.Samples[1].At)
	require.Equal(t, 40, faulty.Peak(socketstats.Client).Total())
	require.Equal(t, 30, faulty.Now(socketstats.Client).Total())
	require.Zero(t, faulty.Peak(socketstats.Server).Total())
	require.Equal(t, "exit status 1", direct.Subject("fixed").Final.Failure)
	require.Equal(t, int32(77), direct.Subject("77").PID)
	require.Len(t, direct.Subject("77").Samples, 1)
	require.Nil(t, direct.Subject("nobody"))
}

func TestWhatIsNotKnownIsAbsent(t *testing.T) {
	t.Parallel()
	line, err := json.Marshal(Event{Moment: &Moment{Subjects: []SubjectSample{{ID: "1"}}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"moment":{"at_ns":0,"took_ns":0,"subjects":[{"id":"1","client":{"counts":{"total":0}},"server":{"counts":{"total":0}}}]}}`, string(line))
}

func TestSamplesOfAnEndedProgramAreNotAtWork(t *testing.T) {
	t.Parallel()
	s := watched(1, 2, 3, 0, 0)
	require.Len(t, s.AtWork(), 5)
	s.Samples[3].Ended, s.Samples[4].Ended = true, true
	require.Len(t, s.AtWork(), 2, "the third may have been taken while it ended")
}

func TestGrowthIsThatOfTheTimeAtWork(t *testing.T) {
	t.Parallel()
	climbing := watched(2, 4, 6, 8, 10, 12, 14, 16, 18, 20)
	require.Equal(t, Growth(2), climbing.Growth())
	require.Equal(t, "+2.0/s", climbing.Growth().String())
	still := watched(2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20)
	for i := range still.Samples {
		still.Samples[i].Requests = &Requests{Sent: int64(min(i, 9))}
	}
	require.Equal(t, Growth(2), still.Growth(), "what happens after the load says nothing")
	require.Equal(t, "-2.0/s", watched(40, 38, 36, 34, 32, 30, 28, 26, 24).Growth().String())
}

func TestGrowthThatMayBeChanceIsNone(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*Subject{
		"no sample":               {},
		"two samples":             watched(1, 100),
		"a socket or two":         watched(30, 30, 30, 30, 31, 31, 32, 32, 32),
		"a small part":            watched(900, 909, 901, 911, 902, 908, 903, 914, 905),
		"a ramp and a plateau":    watched(1, 5, 10, 15, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20),
		"one that comes and goes": watched(5, 9, 5, 9, 5, 9, 5, 9, 5, 9, 5, 9),
	} {
		require.Zero(t, s.Growth(), name)
		require.Equal(t, "flat", s.Growth().String(), name)
	}
}

func TestWorkIsOfTheNewestStartOnAClockThatGoesForward(t *testing.T) {
	t.Parallel()
	s := watched(9, 9, 9, 1, 2, 3)
	for i := 3; i < 6; i++ {
		s.Samples[i].Epoch = 1
	}
	s.Samples[5].At = s.Samples[4].At - time.Hour
	w := s.Work()
	require.True(t, w.Restarted)
	require.Equal(t, []time.Duration{0, time.Second, 2 * time.Second}, w.At)
	require.Equal(t, time.Second, w.Interval)
	require.Equal(t, []int{0, 1, 2}, w.Busy)
}

func TestTheLastReportIsOfTheLastSample(t *testing.T) {
	t.Parallel()
	s := watched(1, 1)
	for i := range s.Samples {
		s.Samples[i].Requests = &Requests{Sent: 1}
	}
	require.EqualValues(t, 1, s.Metrics().Requests.Sent)
	s.Final = &Final{ClientMetrics: ClientMetrics{Requests: &Requests{Sent: 2}}}
	require.EqualValues(t, 2, s.Metrics().Requests.Sent)
	require.EqualValues(t, 2, s.Work().Samples[1].Requests.Sent)
	require.EqualValues(t, 1, s.Samples[1].Requests.Sent, "the subject keeps its own")
}
