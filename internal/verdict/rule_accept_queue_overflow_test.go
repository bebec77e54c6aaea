package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

var _ = examplesOf(verdict.AcceptQueueOverflow,
	example{name: "the accept queue is full", confidence: verdict.High, says: "5 connections wait to be accepted where the backlog is 4, in 10 of 10 samples.", subject: observed(10, func(_ int, s *series.Sample) {
		s.Queue = &series.Queue{Waiting: 5, Limit: 4}
	})},
	example{name: "the kernel dropped connections, too", says: "in 10 of 10 samples; the kernel counted 9 overflows.", subject: observed(10, func(i int, s *series.Sample) {
		s.Queue = &series.Queue{Waiting: 5, Limit: 4}
		s.Kernel = socketstats.Counters{"ListenOverflows": int64(i)}
	})},
	example{name: "only the kernel saw it", confidence: verdict.High, says: "The kernel counted 9 connections that found the accept queue full.", subject: observed(10, func(i int, s *series.Sample) {
		s.Kernel = socketstats.Counters{"ListenOverflows": int64(i)}
	})},
	example{name: "the accept queue is busy", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		s.Queue = &series.Queue{Waiting: 4, Limit: 4}
		s.KernelConns.Accepted.Closed = i
	})},
)
