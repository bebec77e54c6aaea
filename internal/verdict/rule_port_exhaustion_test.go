package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

func portsInUse(n int) *series.Subject {
	return observed(10, func(_ int, s *series.Sample) { s.Client.Activity.MaxPerDestination = n })
}

var _ = examplesOf(verdict.PortExhaustion,
	example{name: "most ports are in use", subject: portsInUse(25_000), confidence: verdict.High, says: "25,000 of 28,232 local ports to one destination are in use."},
	example{name: "three in four are", subject: portsInUse(21_000), instead: verdict.Healthy},
)
