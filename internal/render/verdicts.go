package render

import (
	"slices"
	"time"

	"socketlab/internal/observe"
)

// Verdicts judges a watch while it goes on. A watch may have no end, so the newest
// snapshots are judged, and seldom enough that judging takes at most one part in
// [Share] of the time. The zero Verdicts is of a watch that begins. It is for one
// goroutine.
type Verdicts struct {
	history  observe.History
	found    []observe.SubjectVerdict
	fresh    bool          // a snapshot came since
	due      time.Duration // when it may be judged again, on the watch's clock
	throttle Throttle
}

const (
	// Share is what judging may take of the time: one part in so many.
	Share = 100
	// judged is how many snapshots are judged.
	judged = 600
)

// Add enters the next snapshot.
func (v *Verdicts) Add(s observe.Snapshot) {
	v.history.Most = judged
	v.history.Add(s)
	v.fresh = true
}

// Found is what the snapshots show, or did when they were judged last. With over
// all of them are judged, as there are no more. It is nil of no snapshot.
func (v *Verdicts) Found(over bool) []observe.SubjectVerdict {
	if !v.fresh || (!over && v.history.Last().After < v.due) {
		return v.found
	}
	began := time.Now()
	v.found = v.history.Judge(false)
	v.throttle.Share, v.throttle.Most = Share, time.Minute
	v.fresh, v.due = false, v.history.Last().After+v.throttle.Rest(time.Since(began))
	return v.found
}

// Drawn is what a snapshot needs of a snapshot, without what a verdict does: a face
// remembers many.
func Drawn(s observe.Snapshot) observe.Snapshot {
	s.Processes = slices.Clone(s.Processes)
	for i := range s.Processes {
		p := &s.Processes[i]
		p.ClientActivity, p.ServerActivity, p.Limits, p.Queue = nil, nil, nil, nil
	}
	return s
}
