package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// halfClosed makes n sockets be in FIN_WAIT2 with a descriptor.
func halfClosed(s *series.Sample, n int) {
	set(&s.Client, socketstats.FinWait2, n)
	s.FinWait2Held = n
}

var _ = examplesOf(verdict.HalfClosedConnections,
	example{name: "half-closed connections grow", confidence: verdict.High, says: "38 connections are half closed by this program and still held: FIN_WAIT2, growing by 2 per second.", subject: observed(20, func(i int, s *series.Sample) {
		halfClosed(s, 2*i)
	})},
	example{name: "they stay", confidence: verdict.Medium, says: "6 connections are half closed by this program and still held: FIN_WAIT2, for 9.5s or longer.", subject: observed(20, func(_ int, s *series.Sample) {
		halfClosed(s, 6)
	})},
	example{name: "they grew until a moment ago", confidence: verdict.High, subject: observed(20, func(i int, s *series.Sample) {
		halfClosed(s, min(26, 2*i))
	})},
	example{name: "as many are closed as come", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		halfClosed(s, 10)
		s.KernelConns = &series.ConnCounts{Opened: 10 + 2*i, Closed: 2 * i}
	})},
	example{name: "they become as many as are waited for under a deadline", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		halfClosed(s, min(10, 2*i))
		s.KernelConns = &series.ConnCounts{Opened: 2 * i, Closed: max(0, 2*i-10)}
	})},
	example{name: "they grow beside connections that are closed", confidence: verdict.High, subject: observed(20, func(i int, s *series.Sample) {
		halfClosed(s, 2*i)
		s.KernelConns = &series.ConnCounts{Opened: 4 * i, Closed: 2 * i}
	})},
	example{name: "they grow beside many connections that are closed", confidence: verdict.High, subject: observed(20, func(i int, s *series.Sample) {
		halfClosed(s, i)
		s.KernelConns = &series.ConnCounts{Opened: 21 * i, Closed: 20 * i}
	})},
	example{name: "a proxy passes the FIN on", instead: verdict.Healthy, says: "38 connections that it accepted wait in CLOSE_WAIT beside as many in FIN_WAIT2", subject: observed(20, func(i int, s *series.Sample) {
		halfClosed(s, 2*i)
		set(&s.Server, socketstats.CloseWait, 2*i)
	})},
	example{name: "the kernel has them alone", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.FinWait2, 30)
	})},
	example{name: "a few are on their way", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		halfClosed(s, i%4)
	})},
)
