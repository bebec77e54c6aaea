package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// accepted makes what is open at the client's end be at the server's.
func accepted(s *series.Subject) *series.Subject {
	for i := range s.Samples {
		s.Samples[i].Client, s.Samples[i].Server = series.End{}, s.Samples[i].Client
	}
	return s
}

var _ = examplesOf(verdict.ConnectionGrowth,
	example{name: "open connections grow", subject: open(shape(60, func(i int) float64 { return float64(2 * i) })), confidence: verdict.Medium, says: "118 connections are open, 118 more than at first, growing by 2 per second; none is closed."},
	example{name: "accepted connections grow", subject: accepted(open(shape(60, func(i int) float64 { return float64(2 * i) }))), confidence: verdict.Medium, says: "118 accepted connections are open"},
	example{name: "they have not grown for long", subject: open(shape(10, func(i int) float64 { return float64(2 * i) })), confidence: verdict.Low},
	example{name: "a sawtooth", subject: open(shape(120, func(i int) float64 { return float64(4 * (i % 60)) })), instead: verdict.Healthy},
	example{name: "a pool in use grows, and that is known", instead: verdict.Healthy, subject: observed(60, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, now)
	})},
)
