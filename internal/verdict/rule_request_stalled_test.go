package verdict_test

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// sentLast is a client without counters whose connections wait for d.
func sentLast(d time.Duration) *series.Subject {
	return observed(40, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Sent = silent(max(0, i-30), d)
	})
}

var _ = examplesOf(verdict.RequestStalled,
	example{name: "connections sent last, long ago", subject: sentLast(30 * time.Second), confidence: verdict.Medium, says: "9 connections sent last and got no response for 30s or longer."},
	example{name: "one response in two does not come", confidence: verdict.High, says: "29 requests wait for a response, the oldest for 14s or longer.", subject: counted(30, func(i int) (int, int, int, int, int) {
		return 2 * i, i, max(0, i-1), i + 1, i + 1
	})},
	example{name: "no response comes", over: true, says: "No request got a response.", subject: counted(30, func(i int) (int, int, int, int, int) {
		return 2 * i, 0, 0, 2 * i, 2 * i
	})},
	example{name: "connections sent last, ten seconds ago", subject: sentLast(10 * time.Second), instead: verdict.NotEnoughData},
	example{name: "two requests wait for a minute", instead: verdict.Healthy, subject: counted(80, func(i int) (int, int, int, int, int) {
		return 10 * i, max(0, 10*i-2), max(0, 10*i-12), min(10, 10*i), min(10, 10*i)
	}), over: true},
	example{name: "two requests wait for a minute, and others begin", instead: verdict.Healthy, over: true, subject: counted(80, func(i int) (int, int, int, int, int) {
		if i == 79 {
			return 105, 98, 90, 10, 10
		}
		return min(100, 10*i), min(98, 10*i), min(90, 10*i), min(10, 10*i), min(10, 10*i)
	})},
	example{name: "requests are always in flight", instead: verdict.Healthy, subject: counted(30, func(i int) (int, int, int, int, int) {
		return 10 * i, max(0, 10*i-5), max(0, 10*i-10), min(5, 10*i), min(5, 10*i)
	})},
)
