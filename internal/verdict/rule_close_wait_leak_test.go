package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// waiting makes n sockets be in CLOSE_WAIT that have said nothing for long.
func waiting(end *series.End, n int) {
	set(end, socketstats.CloseWait, n)
	end.Activity.CloseWaitHeld = n
}

// leftOpen makes so many sockets be in CLOSE_WAIT at each sample, as many more as come
// in a second: those that came ten seconds ago are held.
func leftOpen(end *series.End, n, perSecond int) {
	set(end, socketstats.CloseWait, n)
	end.Activity.CloseWaitHeld = max(0, n-10*perSecond)
}

var _ = examplesOf(verdict.CloseWaitLeak,
	example{name: "CLOSE_WAIT grows", confidence: verdict.High, says: "The other end has closed 29 connections that this process has not: CLOSE_WAIT, growing by 1 per second.", subject: observed(30, func(i int, s *series.Sample) {
		leftOpen(&s.Client, i, 1)
	})},
	example{name: "CLOSE_WAIT stays", confidence: verdict.Medium, says: "closed 7 connections that this process has not: CLOSE_WAIT, for 2.3s or longer.", subject: observed(10, func(_ int, s *series.Sample) {
		waiting(&s.Client, 7)
	})},
	example{name: "CLOSE_WAIT at a server", confidence: verdict.High, says: "growing by 1 per second", subject: observed(30, func(i int, s *series.Sample) {
		leftOpen(&s.Server, i, 1)
	})},
	example{name: "connections were reused before the server closed", says: "CLOSE_WAIT", subject: played(30, pooled, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.CloseWait, 7)
	})},
	example{name: "unread data beside it", says: "CLOSE_WAIT", subject: observed(30, func(i int, s *series.Sample) {
		leftOpen(&s.Client, i, 1)
		s.Client.Activity.Unread = i
	})},
	example{name: "CLOSE_WAIT stays for a few samples", instead: verdict.NotEnoughData, subject: observed(5, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.CloseWait, 7)
	})},
	example{name: "CLOSE_WAIT comes and goes", instead: verdict.Healthy, subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.CloseWait, i%3*4)
	})},
	example{name: "requests end with a FIN, and the server needs five seconds for each", instead: verdict.Healthy, subject: observed(60, func(_ int, s *series.Sample) {
		set(&s.Server, socketstats.CloseWait, 10)
	})},
	example{name: "a server has just started, and takes ten seconds for each last answer", instead: verdict.Growing, subject: observed(11, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.CloseWait, i)
	})},
	example{name: "some of them are answered", confidence: verdict.High, subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.CloseWait, min(i, 10)+i/3)
		s.Server.Activity.CloseWaitHeld = i / 3
	})},
	example{name: "a server keeps as many as before", confidence: verdict.Medium, subject: observed(20, func(_ int, s *series.Sample) {
		waiting(&s.Server, 10)
	})},
	example{name: "a pool that checks late", instead: verdict.Healthy, says: "The other end has closed 2 connections that this process has not. A pool", subject: observed(30, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.CloseWait, 2)
	})},
)
