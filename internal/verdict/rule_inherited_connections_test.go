package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

var _ = examplesOf(verdict.InheritedConnections,
	example{name: "children hold ever more", confidence: verdict.High, says: "19 connections are held by children only, which did not open them, growing by 1 per second.", subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Received, s.Client.Activity.Once = silent(i, long), i
		s.Inherited = i
	})},
	example{name: "children hold them all the time", confidence: verdict.Medium, says: "8 connections are held by children only, which did not open them, for 4.8s or longer.", subject: observed(20, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 8)
		s.Inherited = 8
	})},
	example{name: "a child closes what it inherited", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2)
		s.Inherited = i % 3
	})},
)
