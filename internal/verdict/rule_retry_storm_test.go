package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

var _ = examplesOf(verdict.RetryStorm,
	example{name: "each request is attempted four times", over: true, confidence: verdict.High, says: "190 requests led to 760 attempts: 4 for each.", subject: played(20, pooled, func(i int, s *series.Sample) {
		setAttempts(s, 40*i)
	})},
	example{name: "connects are attempted again and again", over: true, says: "950 attempts to connect failed.", subject: played(20, pooled, func(i int, s *series.Sample) {
		fail(s, s.Requests.OK)
		s.Connections.Failed = pointer(50 * i)
	})},
	example{name: "some are attempted again", over: true, instead: verdict.Healthy, subject: played(20, pooled, func(i int, s *series.Sample) {
		setAttempts(s, 11*i)
	})},
	example{name: "a few requests, each attempted again", over: true, instead: verdict.Healthy, subject: played(20, func(i int, s *series.Sample) {
		pooled(min(i, 4), s)
		s.Requests.Sent, s.Requests.OK = int64(min(i, 4)), int64(min(i, 4))
		setReused(s, 0)
		setAttempts(s, 3*min(i, 4))
		s.Connections.Opened = 1
	})},
	example{name: "attempts are not counted", over: true, instead: verdict.Healthy, subject: played(20, pooled, func(i int, s *series.Sample) {
		s.Requests.Attempts = nil
	})},
)
