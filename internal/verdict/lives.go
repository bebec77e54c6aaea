package verdict

import (
	"slices"
	"time"

	"socketlab/internal/series"
)

// lives says of a subject that is restarted again and again how it lives. What is judged
// then is the life that lasted longest: the newest one never gets as old as it should.
type lives struct {
	restarts int
	// longest is how long the longest of them lasted, as far as the samples show.
	longest time.Duration
	// grew is in how many of those that have ended connections became more to the end.
	grew int
}

// shortLife is a life too short for what takes long to show in it.
const shortLife = 2 * time.Minute

// workOf is what is judged of a subject: its samples since the last restart. But where the
// lives before that were short, two of them at least from their start to their end, the newest
// is waited for in vain.
func workOf(s *series.Subject) (*series.Work, *lives) {
	all := s.Lives()
	if len(all) < 4 || len(all[len(all)-1]) >= samplesOfChange {
		return s.Work(), nil
	}
	for i, life := range all {
		all[i] = untilEnd(life)
	}
	judged := all[len(all)-1]
	l := &lives{restarts: len(all) - 1, longest: judged[len(judged)-1].At - judged[0].At}
	for i, life := range slices.Backward(all[:len(all)-1]) {
		lasted := life[len(life)-1].At - life[0].At
		if lasted >= shortLife {
			if i >= len(all)-3 {
				return s.Work(), nil
			}
			break // how it lived before is long ago
		}
		l.longest = max(l.longest, lasted)
		if grewToEnd(life) {
			l.grew++
		}
		if len(life) > len(judged) {
			judged = life
		}
	}
	w := s.WorkIn(judged)
	w.Restarted = true
	return w, l
}

// untilEnd leaves out of a life the samples at its end in which nothing is open: the process was
// gone and the next was not there yet, or it was about to end, which closes everything.
func untilEnd(life []series.Sample) []series.Sample {
	n := len(life)
	for n > 1 && clientOpen(&life[n-1])+serverOpen(&life[n-1]) == 0 {
		n--
	}
	return life[:n]
}

// grewToEnd reports whether a few connections more were open at one end in the middle of a
// life than at first, and a few more than that at its end.
func grewToEnd(life []series.Sample) bool {
	first, middle, last := &life[0], &life[len(life)/2], &life[len(life)-1]
	return slices.ContainsFunc([]figure{clientOpen, serverOpen}, func(open figure) bool {
		return open(middle)-open(first) >= few && open(last)-open(middle) >= few
	})
}

// fact says that the subject is restarted.
func (l *lives) fact() Fact {
	return fact("restarts", count("restarts", l.restarts), millis("longest_ms", l.longest), some("grew", l.grew))
}
