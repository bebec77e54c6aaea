package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

// twoServers is a pool whose requests go to a and b, so many a second.
func twoServers(a, b func(i int) int64, bDue bool) *series.Subject {
	return played(20, pooled, func(i int, s *series.Sample) {
		s.Servers = []series.ServerCount{{Name: "a", Requests: a(i), Due: true}, {Name: "b", Requests: b(i), Due: bDue}}
	})
}

func every(n int64) func(int) int64 { return func(i int) int64 { return n * int64(i) } }

var _ = examplesOf(verdict.LoadImbalance,
	example{name: "one of two servers gets nothing", subject: twoServers(every(10), every(0), true), over: true, confidence: verdict.High, says: "Of the last 90 requests, 90 went to a and none to b."},
	example{name: "it got something at first", subject: twoServers(every(10), func(i int) int64 { return min(int64(i), 5) }, true), over: true},
	example{name: "both get some", subject: twoServers(every(9), every(1), true), over: true, instead: verdict.Healthy},
	example{name: "one should get nothing", subject: twoServers(every(10), every(0), false), over: true, instead: verdict.Healthy},
	example{name: "too few requests", subject: twoServers(every(1), every(0), true), over: true, instead: verdict.Healthy},
)
