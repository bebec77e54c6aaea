package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

var _ = examplesOf(verdict.TimeoutTooShort,
	example{name: "most requests time out while others get a response", over: true, confidence: verdict.High, says: "133 requests timed out", subject: played(20, pooled, func(i int, s *series.Sample) {
		n := int64(7 * i)
		fail(s, n)
		s.Requests.TimedOut, s.Connections.Opened = n, n
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
