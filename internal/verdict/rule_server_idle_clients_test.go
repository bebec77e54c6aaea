package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// paired says that the client's end, where it is here, is that of the same
// connections.
func paired(s *series.Subject) *series.Subject {
	s.Paired = true
	return s
}

var _ = examplesOf(verdict.ServerIdleClients,
	example{name: "clients connect and stay silent", confidence: verdict.High, says: "29 accepted connections have been silent for 3s or longer, growing by 1 per second; none is closed; 29 never sent anything.", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Fresh = silent(i, long)
	})},
	example{name: "clients go silent after a response", says: "growing by 1 per second; none is closed.", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Sent = silent(i, long)
	})},
	example{name: "the clients are elsewhere", says: "29 accepted connections", subject: paired(observed(30, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Sent = silent(i, long)
	}))},
	example{name: "the clients are here, and busy", instead: verdict.NotEnoughData, subject: paired(observed(60, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Sent = silent(i, long)
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Received = silent(i, now)
	}))},
	example{name: "as many clients are silent as before", instead: verdict.Healthy, subject: observed(30, func(_ int, s *series.Sample) {
		set(&s.Server, socketstats.Established, 30)
		s.Server.Activity.Sent = silent(30, long)
	})},
)
