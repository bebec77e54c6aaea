package verdict_test

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// withOwn is a subject with a connection of its own.
func withOwn(s *series.Subject) *series.Subject {
	for i := range s.Samples {
		set(&s.Samples[i].Client, socketstats.Established, 1)
	}
	return s
}

var _ = examplesOf(verdict.Healthy,
	example{
		name: "children come and go beside its own connection", confidence: verdict.Low, says: "Children of the process came and went between samples, 39 times at least",
		subject: withOwn(withChildren(1)),
	},
	example{name: "children come and go, and no connection with them", subject: withChildren(0), confidence: verdict.Low},
	example{name: "an idle pool stands still", confidence: verdict.Medium, says: "40 connections were open at most, and 40 at the end.", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 40)
		s.Client.Activity.Received = silent(40, long)
	})},
	example{name: "nothing comes or goes in a short time", confidence: verdict.Medium, subject: observed(25, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 40)
		s.Client.Activity.Received = silent(40, now)
	})},
	example{name: "a connection comes and goes in a short time", confidence: verdict.Low, subject: observed(25, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 40)
		s.Client.Activity.Received = silent(40, now)
		s.KernelConns = came(min(i, 1), 0)
	})},
	example{name: "a pool is used again and again", confidence: verdict.High, subject: observed(130, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 40)
		s.Client.Activity.Received = silent(40, now)
	})},
	example{name: "connections are reused", confidence: verdict.High, says: "380 requests sent, 3 connections opened, 377 reused.", subject: counted(20, func(i int) (int, int, int, int, int) {
		return 20 * i, 20 * i, max(0, 20*i-3), min(3, i), min(3, i)
	})},
	example{name: "the server refuses every fifth request", confidence: verdict.Low, says: "No socket shows why 38 requests failed: 38 HTTP_503.", subject: played(20, pooled, func(i int, s *series.Sample) {
		s.Requests.Failed = int64(2 * i)
		s.Requests.OK -= s.Requests.Failed
		s.Requests.Errors = map[string]int64{"HTTP_503": s.Requests.Failed}
	})},
	example{name: "the server refuses every request", confidence: verdict.Low, says: "Every request failed, and no socket shows why: 190 HTTP_503.", subject: played(20, pooled, func(i int, s *series.Sample) {
		s.Requests.Failed, s.Requests.OK = s.Requests.OK, 0
		s.Requests.Errors = map[string]int64{"HTTP_503": s.Requests.Failed}
	})},
	example{name: "a run is short, and connections are reused", over: true, says: "40 requests sent", subject: played(5, pooled)},
	example{name: "requests waited, and have their responses", subject: observed(40, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 30)
		if i < 20 {
			s.Client.Activity.Sent = silent(i, 10*time.Second)
			s.Client.Activity.Received[0] = 30 - i
		} else {
			s.Client.Activity.Received = silent(30, long)
		}
	})},
	example{name: "five long polls", subject: observed(40, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 8)
		s.Client.Activity.Sent = silent(5, 10*time.Second)
		s.Client.Activity.Received[0] = 3
	})},
	example{
		name: "a server answers between samples, and its clients come and go", confidence: verdict.Low, says: "No sample shows a connection; 57 connections were opened and 57 closed between samples.",
		subject: observed(20, func(i int, s *series.Sample) {
			set(&s.Server, socketstats.Listen, 1)
			n := 3 * i
			s.KernelConns = came(n, n)
			s.KernelConns.Accepted = series.AcceptedConns{Opened: n, Closed: n, WithTCPInfo: n, ShortLived: n}
		}),
	},
	example{name: "nothing happens", says: "No connection was seen.", subject: observed(20)},
	example{
		name: "the few connections that come and go may all be its own", confidence: verdict.Low,
		says:    "3 connections opened and closed that may have been this process's: without privilege the kernel does not say. Observe by port, or as root.\nNo sample shows a connection of this process.",
		subject: observed(30, func(i int, s *series.Sample) { s.Unattributed = i / 8 }),
	},
	example{
		name: "nothing reports what comes and goes, and no sample shows a connection", confidence: verdict.Low,
		says:    "No connection was seen.\nNot seen: what waits in a pool's queue, streams inside a connection, connections and attempts to connect between two samples",
		subject: observed(30, func(i int, s *series.Sample) { s.KernelConns = nil }),
	},
	example{name: "connections come and go that may be its own", confidence: verdict.Low, says: "190 connections opened and closed that may have been this process's", subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 1)
		s.Unattributed = 10 * i
	})},
	example{name: "what looked like a leak is closed", says: "it looked like a fault; the connections were closed since.", subject: open(shape(100, func(i int) float64 { return healing(i, 80, 4) }))},
	example{name: "a slow leak would not have shown", says: "A leak slower than 6.2 per minute would not have shown in 29s.", subject: open(shape(30, func(int) float64 { return 7 }))},
)
