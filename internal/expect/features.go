package expect

import (
	"fmt"
	"slices"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// Feature is one row of the original incident's comparison, in words, each
// derived from what was measured.
type Feature struct {
	Name string
	// Of is what each subject shows, by its id.
	Of map[string]string
}

func features(o *series.Observation) []Feature {
	list := []Feature{}
	for _, f := range []struct {
		name string
		say  func(*series.Subject) string
	}{
		{"persistent connections", persistent},
		{"idle handling", idleHandling},
		{"closes on error", closesOnError},
		{"socket trend", trend},
	} {
		row := Feature{Name: f.name, Of: map[string]string{}}
		for _, s := range o.Subjects {
			row.Of[s.ID] = f.say(s)
		}
		list = append(list, row)
	}
	return list
}

// notKnown is said where nobody counted what a feature is about.
const notKnown = "not known"

func persistent(s *series.Subject) string {
	m := s.Metrics()
	if m.Requests == nil || m.Connections == nil || m.Connections.Reused == nil {
		return notKnown
	}
	answer := "yes"
	if *m.Connections.Reused == 0 {
		answer = "no"
	}
	return fmt.Sprintf("%s, %d of %d reused", answer, *m.Connections.Reused, m.Requests.Sent)
}

// idle is how many connections were idle at a time, and how many requests had
// failed by then.
type idle struct {
	count  int
	failed int64
}

// idleAt returns the samples at which the client had no request in flight, so
// that the connections that it has are just its idle ones, also those that the server
// has closed since (CLOSE_WAIT). The client is asked
// right after the sockets were listed; so that no request ended in between, the
// sample before must show that none was in flight or begun since.
func idleAt(s *series.Subject) []idle {
	var list []idle
	var before series.Requests
	for _, sample := range s.AtWork() { // the end of a program closes what it kept
		now := sample.Requests
		if now == nil {
			continue
		}
		if now.InFlight == 0 && before.InFlight == 0 && now.Sent == before.Sent {
			counts := sample.Client.Counts
			list = append(list, idle{count: counts.Of(socketstats.Established) + counts.Of(socketstats.CloseWait), failed: now.Failed})
		}
		before = *now
	}
	return list
}

func idleHandling(s *series.Subject) string {
	list := idleAt(s)
	switch {
	case s.Metrics().Requests == nil:
		return notKnown
	case len(list) == 0:
		return "n/a: never idle"
	}
	most := slices.MaxFunc(list, func(a, b idle) int { return a.count - b.count }).count
	return fmt.Sprintf("%d kept, %d at the end", most, list[len(list)-1].count)
}

// closesOnError compares the idle connections before the first failure that
// found any with those after the last.
func closesOnError(s *series.Subject) string {
	requests := s.Metrics().Requests
	switch {
	case requests == nil:
		return notKnown
	case requests.Failed == 0:
		return "n/a: no request failed"
	}
	before, after := -1, -1
	for _, at := range idleAt(s) {
		switch at.failed {
		case 0:
			before = at.count
		case requests.Failed:
			after = at.count
		}
	}
	switch {
	case after < 0:
		return "n/a: never idle"
	case before <= 0 && after == 0:
		return "n/a: no idle connections"
	case after == 0:
		return fmt.Sprintf("yes, %d idle to 0", before)
	default:
		return fmt.Sprintf("no, %d idle stay open", after)
	}
}

// trend keeps connections that are open apart from those that only linger in
// TIME_WAIT: the first hold descriptors, the second local ports.
func trend(s *series.Subject) string {
	w := s.Work()
	text := w.Growth().String()
	timeWait := func(end socketstats.End) series.Growth {
		return w.GrowthOf(func(s *series.Sample) int { return s.Of(end).Counts.Of(socketstats.TimeWait) })
	}
	waiting := max(timeWait(socketstats.Client), timeWait(socketstats.Server))
	if !waiting.Flat() {
		text += "; TIME_WAIT " + waiting.String()
	}
	return text
}
