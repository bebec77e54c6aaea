package bench

import (
	"fmt"
	"slices"
	"time"
)

// figures is one figure over the repetitions, in their order.
type figures []float64

func (s figures) median() float64 {
	v := slices.Sorted(slices.Values(s))
	if len(v)%2 == 1 {
		return v[len(v)/2]
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2
}

// over divides run by run: each repetition has its own peer, which met the
// same neighbours.
func (s figures) over(peer figures) figures {
	r := make(figures, len(s))
	for i := range s {
		r[i] = s[i] / peer[i]
	}
	return r
}

// text is the median with the range, as "1.02 (1.00..1.05)".
func (s figures) text(digits int) string {
	if len(s) == 0 {
		return ""
	}
	return fmt.Sprintf("%.*f (%.*f..%.*f)", digits, s.median(), digits, slices.Min(s), digits, slices.Max(s))
}

// p99 is the value that one in a hundred exceeds. It sorts d.
func p99(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[(len(d)*99+99)/100-1]
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
