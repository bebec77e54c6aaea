package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// refusing is a client of which so many attempts were refused until each sample, and so
// many succeeded.
func refusing(samples int, refused, opened func(i int) int) *series.Subject {
	return observed(samples, func(i int, s *series.Sample) {
		s.KernelConns = &series.ConnCounts{Opened: opened(i), Closed: opened(i), Refused: refused(i), RefusedAt: "192.0.2.1:80"}
	})
}

func none(int) int { return 0 }

// afterSample is n from the sample after sample i on.
func afterSample(i, n int) func(int) int {
	return func(at int) int {
		if at > i {
			return n
		}
		return 0
	}
}

var _ = examplesOf(verdict.ConnectRefused,
	example{name: "each attempt", confidence: verdict.High, says: "330 attempts to connect were refused in 10s, the last at 192.0.2.1:80", subject: refusing(11, func(i int) int { return 33 * i }, none)},
	example{name: "a retry every five seconds", confidence: verdict.Medium, says: "5 attempts to connect were refused in 29s", subject: refusing(30, func(i int) int { return i / 5 }, none)},
	example{name: "for less time than a server takes to start", confidence: verdict.Low, subject: refusing(9, func(i int) int { return 33 * i }, none)},
	example{name: "one of three succeeds", confidence: verdict.High, subject: refusing(40, func(i int) int { return 5 * i }, func(i int) int { return 2 * i })},
	example{name: "until the server has started", instead: verdict.Healthy, says: "99 attempts to connect were refused, the last at 192.0.2.1:80, and 1 connection was opened.", subject: refusing(40, func(i int) int { return 33 * min(i, 3) }, func(i int) int { return min(i/4, 1) })},
	example{name: "while its server was restarted", instead: verdict.NotEnoughData, subject: refusing(11, func(i int) int { return 12 * max(0, min(i-6, 2)) }, afterSample(7, 6))},
	example{name: "by a server that is restarted again and again", instead: verdict.Healthy, says: "the last at 192.0.2.1:80, and 30 connections were opened.", subject: observed(58, func(i int, s *series.Sample) {
		n := (i + 4) / 11 // restarts so far
		set(&s.Client, socketstats.Established, 6)
		s.Client.Activity.Received = silent(6, now)
		s.KernelConns = &series.ConnCounts{Opened: 6 * n, Closed: 6 * n, WithTCPInfo: 6 * n, Refused: 24 * n, RefusedAt: "192.0.2.1:80"}
	})},
	example{name: "in the moment of a restart", confidence: verdict.Low, subject: refusing(9, func(i int) int { return 12 * max(0, min(i-6, 2)) }, afterSample(7, 6))},
	example{name: "since its server has ended", confidence: verdict.High, subject: refusing(60, func(i int) int { return 5 * max(0, i-40) }, afterSample(2, 6))},
	example{name: "one of three in fifteen seconds succeeds", confidence: verdict.High, subject: refusing(90, func(i int) int { return i/5 - i/15 }, func(i int) int { return i / 15 })},
	example{name: "the first of two addresses", instead: verdict.ConnectionChurn, subject: refusing(40, func(i int) int { return 5 * i }, func(i int) int { return 5 * i })},
	example{name: "two in a minute", instead: verdict.Healthy, subject: refusing(60, func(i int) int { return i / 25 }, none)},
	example{name: "without privilege it may be another's", instead: verdict.Healthy, confidence: verdict.Low, says: "990 attempts to connect that failed or were given up may have been this process's", subject: observed(100, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 1)
		s.FailedConnects = 10 * i
	})},
	example{name: "without privilege, of a process without a connection", instead: verdict.NotEnoughData, says: "990 attempts to connect that failed or were given up may have been this process's", subject: observed(100, func(i int, s *series.Sample) {
		s.FailedConnects = 10 * i
	})},
	example{name: "without privilege, of a process without a connection, and not any more", instead: verdict.Healthy, confidence: verdict.Low, subject: observed(100, func(i int, s *series.Sample) {
		s.FailedConnects = 10 * min(i, 20)
	})},
)
