package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// stops is a server that stops after five samples, when fifty requests are in
// flight: cut of them get no response. Beside it, the stop may come between the list
// of sockets and the client's counters.
func stops(cut int64, beside bool) *series.Subject {
	subject := counted(20, func(i int) (int, int, int, int, int) {
		if i < 5 {
			return 50, 0, 0, 50, 50
		}
		return 50, 50, 0, 50, 0
	})
	for i := range subject.Samples {
		s := &subject.Samples[i]
		if i >= 5 {
			s.Server.Counts = socketstats.Counts{}
		}
		if i >= 5 || (beside && i == 4) {
			s.Requests = &series.Requests{Sent: 50, OK: 50 - cut, Failed: cut, CutOff: cut}
		}
	}
	return subject
}

// stopsIdle is a server that stops while two requests are in flight.
func stopsIdle() *series.Subject {
	subject := stops(0, false)
	for i := range subject.Samples {
		s := &subject.Samples[i]
		s.Requests = &series.Requests{Sent: 50, OK: 48, InFlight: 2}
		if i >= 5 {
			s.Requests = &series.Requests{Sent: 50, OK: 48, Failed: 2, CutOff: 2}
		}
	}
	return subject
}

var _ = examplesOf(verdict.UngracefulShutdown,
	example{name: "no request gets its response", subject: stops(50, false), over: true, confidence: verdict.High, says: "Of 50 requests that ended since, 50 got no response."},
	example{name: "most get none", subject: stops(30, false), over: true, says: "Of 50 requests that ended since, 30 got no response."},
	example{name: "no request gets its response, between list and counters", subject: stops(50, true), over: true},
	example{name: "most get none, between list and counters", subject: stops(30, true), over: true},
	example{name: "a few get none", subject: stops(10, false), over: true, instead: verdict.Healthy},
	example{name: "two of two get none", subject: stopsIdle(), over: true, instead: verdict.Healthy},
	example{name: "all get one", subject: stops(0, false), over: true, instead: verdict.Healthy},
	example{name: "all get one, between list and counters", subject: stops(0, true), over: true, instead: verdict.Healthy},
)
