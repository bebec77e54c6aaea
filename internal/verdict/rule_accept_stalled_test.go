package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

var _ = examplesOf(verdict.AcceptStalled,
	example{name: "connections wait and nobody accepts", confidence: verdict.High, says: "14 connections wait to be accepted, for 4.7s or longer.", subject: observed(15, func(i int, s *series.Sample) {
		s.Queue = &series.Queue{Waiting: i, Limit: 128}
		set(&s.Server, socketstats.Listen, 1)
	})},
	example{name: "their clients have left", says: "3 of them were closed by their clients.", subject: observed(15, func(i int, s *series.Sample) {
		s.Queue = &series.Queue{Waiting: 3, Limit: 128, Dead: 3}
	})},
	example{name: "what waits in CLOSE_WAIT was not accepted", says: "29 of them were closed by their clients.", subject: observed(30, func(i int, s *series.Sample) {
		s.Queue = &series.Queue{Waiting: i, Limit: 128, Dead: i}
		set(&s.Server, socketstats.CloseWait, i)
	})},
	example{name: "some in CLOSE_WAIT were accepted, too", instead: verdict.CloseWaitLeak, subject: observed(30, func(i int, s *series.Sample) {
		s.Queue = &series.Queue{Waiting: 4, Limit: 128, Dead: 4}
		leftOpen(&s.Server, 4+i, 1)
	})},
	example{name: "the queue becomes shorter", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		s.Queue = &series.Queue{Waiting: 20 - i, Limit: 128}
	})},
	example{name: "connections are accepted meanwhile", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		s.Queue = &series.Queue{Waiting: 5, Limit: 128}
		set(&s.Server, socketstats.Established, 10+i%2)
	})},
)
