package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

// timingOut is a pool of whose requests so many time out, with so many connections
// opened.
func timingOut(timedOut, opened func(i int) int) *series.Subject {
	return played(20, pooled, func(i int, s *series.Sample) {
		fail(s, int64(timedOut(i)))
		s.Requests.TimedOut, s.Connections.Opened = int64(timedOut(i)), int64(opened(i))
	})
}

var _ = examplesOf(verdict.TimeoutTooShort,
	example{name: "most requests time out while others get a response", over: true, confidence: verdict.High, says: "133 requests timed out", subject: timingOut(times(7), times(7))},
	example{name: "few requests do", over: true, instead: verdict.Healthy, subject: played(20, func(i int, s *series.Sample) {
		n := int64(min(i, 9))
		s.Requests.Sent, s.Requests.OK, s.Requests.Failed, s.Requests.TimedOut = 2*n, n, n, n
		s.Connections.Opened = n
	})},
	example{name: "one in five does", over: true, instead: verdict.Healthy, subject: timingOut(times(2), times(2))},
	example{name: "the connections survive it", over: true, instead: verdict.Healthy, subject: timingOut(times(7), most(1))},
	example{name: "only two get a response", over: true, instead: verdict.Healthy, subject: played(20, func(i int, s *series.Sample) {
		n := int64(min(i, 2))
		s.Requests.Sent, s.Requests.OK, s.Requests.Failed, s.Requests.TimedOut = 11*n, n, 10*n, 10*n
		s.Connections.Opened = 10 * n
	})},
	example{name: "no request gets a response", over: true, instead: verdict.Healthy, subject: played(20, pooled, func(i int, s *series.Sample) {
		fail(s, s.Requests.OK)
		s.Requests.TimedOut, s.Connections.Opened = int64(10*i), int64(10*i)
		s.Requests.Sent, s.Requests.InFlight = int64(10*i+10), 10
		setReused(s, 0)
	})},
	example{name: "none gets one any more", over: true, instead: verdict.Healthy, subject: played(20, pooled, func(i int, s *series.Sample) {
		n := int64(max(0, 10*(i-5)))
		fail(s, n)
		s.Requests.TimedOut = n
		s.Connections.Opened += n
	})},
)
