package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

var _ = examplesOf(verdict.ConnectStalled,
	example{name: "nobody answers a SYN", confidence: verdict.High, says: "4 sockets have been in SYN_SENT for 3s or longer", subject: observed(10, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.SynSent, min(i, 4))
		s.Client.Activity.Resent = min(i, 4)
	})},
	example{name: "nobody answers, by counts alone", says: "3 sockets have been in SYN_SENT", subject: observed(10, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.SynSent, 3)
		s.Client.Activity, s.Server.Activity = nil, nil
	})},
	example{name: "to a far destination, some are always under way", instead: verdict.Healthy, subject: observed(20, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.SynSent, 6)
	})},
	example{name: "two, by counts alone", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.SynSent, 2)
		s.Client.Activity, s.Server.Activity = nil, nil
	})},
)
