package verdict_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// withChildren is a shell that holds nothing itself, and whose children come and go:
// each second one of a few connections ends that may have been theirs.
func withChildren(unattributed int) *series.Subject {
	return observed(40, func(i int, s *series.Sample) {
		s.Process = &series.Process{Descriptors: 4, UnseenChildren: i}
		s.Unattributed = unattributed * i / 4
	})
}

var _ = examplesOf(verdict.NotEnoughData,
	example{
		name: "children come and go unseen", subject: withChildren(1),
		says: "Children of the process came and went between samples, 39 times at least, and 9 connections ended that may have been theirs",
	},
	example{name: "there is no sample", subject: &series.Subject{}, says: "There is no sample."},
	example{name: "the program ended at once", subject: observed(2, func(_ int, s *series.Sample) { s.Ended = true }), says: "The program ended before a sample showed it at work."},
	example{name: "too few samples", subject: open([]int{0, 10, 20}), says: "3 samples of at least 8."},
	example{name: "too few samples to call it healthy", subject: observed(19), says: "19 samples of at least 20."},
	example{
		name: "closed sockets are kept, and may be closed yet", says: "16 TCP sockets without a connection are open: whether they stay shows in 9s.",
		subject: observed(11, func(_ int, s *series.Sample) { heldBeside(s, "tcp_closed", 16) }),
	},
	example{
		name: "twenty samples in two seconds, of sockets in CLOSE_WAIT", says: "6 sockets are in CLOSE_WAIT: whether they stay shows in 13s.",
		subject: observed(25, func(i int, s *series.Sample) {
			s.At = time.Duration(i) * 100 * time.Millisecond
			set(&s.Client, socketstats.CloseWait, 6)
		}),
	},
	example{name: "no request", subject: played(20), over: true, says: "No request was sent."},
	example{
		name: "every request fails, and nothing is ever connected", over: true, says: "No request got through, and no connection was opened: 20 ENETUNREACH.",
		subject: played(21, func(i int, s *series.Sample) {
			s.Requests.Sent, s.Requests.Failed = int64(i), int64(i)
			s.Requests.Errors = map[string]int64{"ENETUNREACH": int64(i)}
		}),
	},
	example{name: "responses are slow", says: "19 requests wait for a response.", subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Sent = silent(i, 10*time.Second)
	})},
	example{name: "the first responses are slow", says: "22 requests wait for a response.", subject: counted(12, func(i int) (int, int, int, int, int) {
		return 2 * i, 0, 0, 2 * i, 2 * i
	})},
	example{name: "more and more of a pool waits", says: "19 requests wait for a response.", subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 30)
		s.Client.Activity.Sent = silent(i, 10*time.Second)
		s.Client.Activity.Received[0] = 30 - i
	})},
)

func TestTooFewSamplesAreNoVerdict(t *testing.T) {
	t.Parallel()
	for n := range 8 {
		v := judge(open(shape(n, func(i int) float64 { return 10 * float64(i) })))
		require.Equal(t, verdict.NotEnoughData, v.Kind, "%d samples", n)
		require.False(t, v.IsFault())
	}
}

// Three transports for every two seconds, each with a response after 20 s: before
// the responses nothing is said, and healthy is never said.
func TestSlowResponsesAreNeitherFaultNorHealthy(t *testing.T) {
	t.Parallel()
	all := observed(70, func(i int, s *series.Sample) {
		opened := 3 * i / 2
		answered := max(0, 3*(i-20)/2)
		idle := max(0, 3*(i-23)/2)
		set(&s.Client, socketstats.Established, opened)
		s.Client.Activity.Sent, s.Client.Activity.Once = silent(opened-answered, 10*time.Second), opened
		s.Client.Activity.Received = silent(idle, 3*time.Second)
		s.Client.Activity.Received[0] = answered - idle
		s.KernelConns.Opened = opened
	})
	first := 0
	for n := 1; n <= len(all.Samples); n++ {
		v := judge(&series.Subject{Samples: all.Samples[:n]})
		switch {
		case first > 0:
			require.Equal(t, verdict.IdleConnectionsNotReused, v.Kind, "sample %d, after %d", n, first)
		case v.IsFault():
			require.Equal(t, verdict.IdleConnectionsNotReused, v.Kind)
			first = n
		default:
			require.Contains(t, []verdict.Kind{verdict.NotEnoughData, verdict.Growing}, v.Kind, "sample %d: %+v", n, v)
		}
	}
	require.Positive(t, first)
	require.Less(t, first, 50)
}

// What a process that ended would have closed is not known.
func TestCloseWaitAtTheEndOfAProcessIsNotHealthy(t *testing.T) {
	t.Parallel()
	s := observed(10, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.CloseWait, 7)
	})
	require.Equal(t, verdict.NotEnoughData, verdict.Judge(s, verdict.Conditions{}).Kind)
	v := verdict.Judge(s, verdict.Conditions{Ended: true})
	require.Equal(t, verdict.NotEnoughData, v.Kind)
	require.Contains(t, verdict.Evidence(v), "The process ended before that.")
	calm := observed(10, func(i int, s *series.Sample) { set(&s.Client, socketstats.Established, 7) })
	require.Equal(t, verdict.Healthy, verdict.Judge(calm, verdict.Conditions{Ended: true}).Kind)
}
