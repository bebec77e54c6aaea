package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

func holding(descriptors int) *series.Subject {
	return observed(20, func(_ int, s *series.Sample) { s.Process = &series.Process{Descriptors: descriptors} })
}

func serverHeld(peak int) *series.Subject {
	return played(20, pooled, func(_ int, s *series.Sample) {
		s.ServerProcess = &series.Process{Descriptors: 10, DescriptorsPeak: peak, DescriptorLimit: 64}
	})
}

func stoppedLoad() *series.Subject {
	s := played(20, pooled)
	s.Final = &series.Final{Stopped: "holds 900 descriptors"}
	return s
}

var _ = examplesOf(verdict.FDExhaustion,
	example{name: "most descriptors are open", subject: holding(1000), confidence: verdict.High, says: "1000 of the 1024 descriptors"},
	example{name: "the load was stopped for them", subject: stoppedLoad(), confidence: verdict.High, says: "The load was stopped: the process holds 900 descriptors."},
	example{name: "the server had opened most of its own", subject: serverHeld(64), confidence: verdict.High, says: "64 of the 64 descriptors that the server's process"},
	example{name: "the server had opened eight in ten", subject: serverHeld(51), instead: verdict.Healthy},
	example{name: "it lowered its limit below what it had", subject: holding(1030), instead: verdict.Healthy},
	example{name: "eight in ten are open", subject: holding(820), instead: verdict.Healthy},
)
