package verdict_test

import (
	"slices"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// stalls makes a socket be in SYN_SENT that has sent its SYN twice, or none.
func stalls(s *series.Sample, does bool) {
	if does {
		set(&s.Client, socketstats.SynSent, 1)
		s.Client.Activity.Resent = 1
	}
}

var _ = examplesOf(verdict.ConnectStalled,
	example{name: "nobody answers a SYN", confidence: verdict.High, says: "4 sockets have been in SYN_SENT for 3s or longer", subject: observed(10, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.SynSent, min(i, 4))
		s.Client.Activity.Resent = min(i, 4)
	})},
	example{name: "nobody answers, by counts alone", says: "3 sockets have been in SYN_SENT", subject: observed(10, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.SynSent, 3)
		s.Client.Activity, s.Server.Activity = nil, nil
	})},
	example{name: "a dialer times out after three seconds, and backs off", confidence: verdict.Medium, says: "4 attempts to connect in 28s got no answer until the dialer gave up. 0 connections were opened meanwhile.", subject: observed(29, func(i int, s *series.Sample) {
		stalls(s, slices.Contains([]int{1, 2, 5, 6, 10, 11, 16, 17}, i))
	})},
	example{name: "a dialer times out after half a second, and backs off", confidence: verdict.High, says: "5 attempts to connect in 29s got no answer", subject: observed(30, func(i int, s *series.Sample) {
		s.KernelConns.GivenUp = by(i, 1, 2, 5, 10, 18)
	})},
	example{name: "it does not back off", subject: observed(20, func(i int, s *series.Sample) {
		s.KernelConns.GivenUp = 2 * i
	})},
	example{name: "the faster of two addresses is taken each time", instead: verdict.ConnectionChurn, subject: observed(60, func(i int, s *series.Sample) {
		s.KernelConns.GivenUp = i / 2
		s.KernelConns.Opened, s.KernelConns.Closed = i/2, i/2
	})},
	example{name: "it has got an answer since", instead: verdict.Healthy, subject: observed(30, func(i int, s *series.Sample) {
		s.KernelConns.GivenUp = by(i, 1, 2, 5)
		s.KernelConns.Opened = by(i, 9)
		set(&s.Client, socketstats.Established, s.KernelConns.Opened)
	})},
	example{name: "it has got an answer in the same second as no answer, and no other attempt since", instead: verdict.Healthy, subject: observed(30, func(i int, s *series.Sample) {
		s.KernelConns.GivenUp = 5 * by(i, 14, 18, 22)
		s.KernelConns.Opened = by(i, 22)
		set(&s.Client, socketstats.Established, s.KernelConns.Opened)
	})},
	example{name: "one of six attempts gets an answer", confidence: verdict.High, says: "145 attempts to connect in 29s got no answer until the dialer gave up. 29 connections were opened meanwhile.", subject: observed(30, func(i int, s *series.Sample) {
		s.KernelConns.GivenUp = 5 * i
		s.KernelConns.Opened, s.KernelConns.Closed = i, i
	})},
	example{name: "attempts were given up before, at the start", instead: verdict.Healthy, subject: observed(60, func(i int, s *series.Sample) {
		s.KernelConns.GivenUp = by(i, 1, 2, 4, 6)
	})},
	example{name: "packets are lost now and then", instead: verdict.ConnectionChurn, subject: observed(60, func(i int, s *series.Sample) {
		stalls(s, i%12 == 3)
		s.KernelConns.Opened = i / 3
		s.KernelConns.Closed = i / 3
	})},
	example{name: "a server has started meanwhile", instead: verdict.Healthy, subject: observed(60, func(i int, s *series.Sample) {
		stalls(s, i < 16 && i%5 < 2)
	})},
	example{name: "to a far destination, some are always under way", instead: verdict.Healthy, subject: observed(20, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.SynSent, 6)
	})},
	example{name: "two, by counts alone", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.SynSent, 2)
		s.Client.Activity, s.Server.Activity = nil, nil
	})},
)

// by is how many of these samples were until sample i.
func by(i int, at ...int) int {
	n := 0
	for _, a := range at {
		if a <= i {
			n++
		}
	}
	return n
}
