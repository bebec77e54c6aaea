package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// unacknowledged is a server of whose eight clients so many do not acknowledge.
func unacknowledged(dead func(i int) int) *series.Subject {
	return observed(30, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, 8)
		s.Server.Activity.Dead = dead(i)
	})
}

var _ = examplesOf(verdict.HalfOpenConnections,
	example{name: "ever more viewers are gone", severity: verdict.Leak, confidence: verdict.High, subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, 2*i)
		s.Server.Activity.Dead = 2 * max(0, i-3)
	})},
	example{name: "a timeout ends them", instead: verdict.Healthy, subject: observed(70, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, 20)
		s.Server.Activity.Dead = 12
		s.KernelConns.Opened, s.KernelConns.Closed = 2*i, 2*i
		s.KernelConns.Accepted = series.AcceptedConns{Opened: 2 * i, Closed: 2 * i}
	})},
	example{name: "clients are gone", subject: unacknowledged(func(int) int { return 5 }), confidence: verdict.High, says: "5 connections have sent data again and got no acknowledgement, for 9.7s or longer."},
	example{name: "packets are lost now and then", subject: unacknowledged(func(i int) int { return i % 3 * 4 }), instead: verdict.Healthy},
	example{name: "two clients are gone", subject: unacknowledged(func(int) int { return 2 }), instead: verdict.Healthy},
)
