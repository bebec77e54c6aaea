package verdict_test

import (
	"testing"

	"socketlab/internal/verdict"
)

// BenchmarkDiagnose is of five minutes, a sample a second, of a process that
// leaks and of one that does not.
func BenchmarkDiagnose(b *testing.B) {
	for name, series := range map[string]verdict.Series{
		"leak":    open(shape(300, func(i int) float64 { return float64(3*i + i%5) })),
		"healthy": open(shape(300, func(i int) float64 { return float64(40 + i%7) })),
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				verdict.Diagnose(series)
			}
		})
	}
}
