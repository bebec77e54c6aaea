package profile

import (
	"cmp"
	"maps"
	"strings"
	"time"
)

// Difference is a question to which two profiles have different answers. A value that one
// of them does not have is nil.
type Difference struct {
	Question Question
	Old, New *Value
}

// Compare returns what differs between two profiles of a kind, in the order of the
// questions. Counts and choices differ if they are not equal; durations by more than 5 %
// and 0.1 s, and where one was measured several times, by more than twice of what these
// differ by in one of the profiles: a program that looks at intervals for what is to be closed
// closes it by when it looks, which begins with its start, and the times of one start show about
// half of an interval.
func Compare(old, new *Profile) []Difference {
	var all []Difference
	for _, q := range Questions(new.Kind) {
		a, had := old.Values[q.ID]
		b, has := new.Values[q.ID]
		d := Difference{Question: q}
		if had {
			d.Old = &a
		}
		if has {
			d.New = &b
		}
		if had != has || had && !agree(a, b, 2*max(spread(old, q.ID), spread(new, q.ID))) {
			all = append(all, d)
		}
	}
	return all
}

// Agree reports whether two values of a question are the same as far as measurements
// are. Of durations that had not ended, one that was waited for longer agrees with all
// that are not shorter.
func Agree(a, b Value) bool { return agree(a, b, 0) }

// shortestOf ends the id of the question for the shortest of several times.
const shortestOf = "_shortest"

// spread is by how much several measurements of a duration differ in a profile; 0 where it
// was measured once, or has not ended.
func spread(p *Profile, id string) time.Duration {
	id = strings.TrimSuffix(id, shortestOf)
	longest, measured := p.Values[id]
	shortest, several := p.Values[id+shortestOf]
	if !measured || !several || longest.Bound != Exact || shortest.Bound != Exact {
		return 0
	}
	return longest.Time - shortest.Time
}

// agree is [Agree] for durations that may differ by apart.
func agree(a, b Value, apart time.Duration) bool {
	if a.Unit != Duration {
		return a == b
	}
	switch {
	case a.Bound == Never || b.Bound == Never:
		return a.Bound == b.Bound
	case a.Bound == Over && b.Bound == Over:
		return true
	case a.Bound == Over:
		return b.Time >= a.Time-tolerance(a.Time)
	case b.Bound == Over:
		return a.Time >= b.Time-tolerance(b.Time)
	}
	return (a.Time - b.Time).Abs() <= max(apart, tolerance(max(a.Time, b.Time)))
}

func tolerance(d time.Duration) time.Duration { return max(d/20, atOnce) }

// String says what a question's answer was and is.
func (d Difference) String() string {
	text := func(v *Value) string {
		if v == nil {
			return "not measured"
		}
		return v.String()
	}
	return d.Question.ID + ": " + text(d.New) + ", was " + text(d.Old)
}

// Keep takes over what an older profile of the same program says of it: its names, its
// command, and what was waited for longer there than here, with what belongs to it: how
// it ended, and the shortest time.
func (p *Profile) Keep(old *Profile) {
	p.ID, p.Ecosystem, p.Program, p.Command, p.Adapter = old.ID, old.Ecosystem, old.Program, old.Command, old.Adapter
	p.IdleSetting, p.BackendIdleSetting = old.IdleSetting, old.BackendIdleSetting
	p.Name, p.Version = old.Name, cmp.Or(p.Version, old.Version)
	for id, v := range maps.Clone(p.Values) {
		before, ok := old.Values[id]
		if ok && v.Unit == Duration && v.Bound == Over && before.Bound != Never && before.Time > v.Time {
			p.Values[id] = before
			for other, v := range old.Values {
				if strings.HasPrefix(other, id) {
					p.Values[other] = v
				}
			}
		}
	}
}
