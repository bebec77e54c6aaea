package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// quiet is a pool whose load ends after ten seconds, and what it keeps of its ten
// connections.
func quiet(n int, kept func(i int) int) *series.Subject {
	return played(n, func(i int, s *series.Sample) {
		pooled(min(i, 10), s)
		s.Client.Counts, s.Server.Counts = in(socketstats.Established, kept(i)), in(socketstats.Established, kept(i))
		set(&s.Server, socketstats.Listen, 1)
	})
}

var _ = examplesOf(verdict.IdleTimeoutMissing,
	example{name: "ten idle connections for three minutes", subject: quiet(200, upTo(10)), over: true, confidence: verdict.High, says: "10 connections are still open and idle 3 minutes after the last request."},
	example{name: "whose last responses took five seconds", over: true, says: "10 connections are still open and idle 3 minutes after the last request.", subject: played(200, func(i int, s *series.Sample) {
		*s = quiet(200, upTo(10)).Samples[i]
		if i >= 10 && i < 15 {
			s.Requests.OK, s.Requests.InFlight = s.Requests.OK-10, 10
		}
	})},
	example{name: "for one minute", subject: quiet(70, upTo(10)), over: true, instead: verdict.Healthy},
	example{name: "three idle connections", subject: quiet(200, upTo(3)), over: true, instead: verdict.Healthy},
	example{name: "ten in use, for three minutes", subject: played(200, pooled), over: true, instead: verdict.Healthy},
	example{name: "ten that are closed within two minutes", subject: quiet(200, func(i int) int { return max(0, 10-i/10) }), over: true, instead: verdict.Healthy},
)
