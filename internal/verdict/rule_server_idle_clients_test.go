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

// ofRun says that the server is the subject's own, as in a run.
func ofRun(s *series.Subject) *series.Subject {
	s.Endpoints = &series.Endpoints{}
	return paired(s)
}

// servingPort is the server of a port that is watched, of whose clients so many in a hundred
// are seen on this machine.
func servingPort(here int) *series.Subject {
	s := observed(130, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Sent, s.PeersHere = silent(i, long), i*here/100
	})
	s.Serves = true
	return s
}

var _ = examplesOf(verdict.ServerIdleClients,
	example{name: "clients connect and stay silent", confidence: verdict.High, says: "129 accepted connections have been silent for 3s or longer, growing by 1 per second; 129 never sent anything.", subject: observed(130, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Fresh = silent(i, long)
	})},
	example{name: "clients go silent after a response", says: "growing by 1 per second.", subject: observed(130, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Sent = silent(i, long)
	})},
	example{name: "the clients are elsewhere", says: "129 accepted connections", subject: ofRun(observed(130, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Sent = silent(i, long)
	}))},
	example{name: "the server of a port, whose clients are elsewhere", says: "129 accepted connections", subject: servingPort(0)},
	example{name: "the server of a port, and most of its clients, are here", instead: verdict.Growing, says: "Their clients are on this machine, and are subjects of their own.", subject: servingPort(100)},
	example{name: "the clients are here, and busy", instead: verdict.Growing, subject: ofRun(observed(60, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Sent = silent(i, long)
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Received = silent(i, now)
	}))},
	example{name: "they have connected for a minute", instead: verdict.Growing, subject: observed(60, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Fresh = silent(i, long)
	})},
	example{name: "the server is another subject", instead: verdict.Healthy, subject: paired(observed(130, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, i)
		s.Server.Activity.Fresh = silent(i, long)
	}))},
	example{name: "as many clients are silent as before", instead: verdict.Healthy, subject: observed(30, func(_ int, s *series.Sample) {
		set(&s.Server, socketstats.Established, 30)
		s.Server.Activity.Sent = silent(30, long)
	})},
)
