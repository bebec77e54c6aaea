package recording

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"socketlab/internal/series"
)

// Ring keeps the newest part of a watch, in memory: what is older than Keep, or beyond
// Bytes as lines of a recording, is dropped. A bound of 0 is none. It is for one
// goroutine.
type Ring struct {
	Keep  time.Duration
	Bytes int

	header  series.Header
	moments []series.Moment
	sizes   []int // of moments, as lines
	size    int
	end     *series.Ending
	// What the dropped moments said: who the subjects are, and what had come and gone
	// up to the first moment that is kept.
	identities                   map[string]series.Identity
	before                       map[string]series.ConnCounts
	unattributed, failedConnects int
	dropped                      bool
}

// Add enters the next event.
func (r *Ring) Add(e series.Event) error {
	switch {
	case e.Header != nil:
		r.header = *e.Header
	case e.End != nil:
		r.end = e.End
	case e.Moment != nil:
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		r.moments, r.sizes, r.size = append(r.moments, *e.Moment), append(r.sizes, len(line)+1), r.size+len(line)+1
		for len(r.moments) > 1 && (r.Keep > 0 && e.Moment.At-r.moments[0].At > r.Keep || r.Bytes > 0 && r.size > r.Bytes) {
			r.drop()
		}
	}
	return nil
}

// manyDropped is how many subjects are remembered before those are forgotten that are
// in no moment any more.
const manyDropped = 10_000

// drop drops the oldest moment.
func (r *Ring) drop() {
	if !r.dropped {
		r.dropped, r.identities, r.before = true, map[string]series.Identity{}, map[string]series.ConnCounts{}
	}
	for i, m := range r.moments[:2] {
		for j := range m.Subjects {
			s := &m.Subjects[j]
			if s.Identity != nil && i == 0 {
				r.identities[s.ID] = *s.Identity
			}
			if s.KernelConns != nil {
				r.before[s.ID] = *s.KernelConns
			}
		}
	}
	r.unattributed, r.failedConnects = r.moments[1].Unattributed, r.moments[1].FailedConnects
	r.size -= r.sizes[0]
	r.moments, r.sizes = slices.Delete(r.moments, 0, 1), slices.Delete(r.sizes, 0, 1)
	if len(r.identities) > manyDropped {
		there := map[string]bool{}
		for _, m := range r.moments {
			for i := range m.Subjects {
				there[m.Subjects[i].ID] = true
			}
		}
		maps.DeleteFunc(r.identities, func(id string, _ series.Identity) bool { return !there[id] })
		maps.DeleteFunc(r.before, func(id string, _ series.ConnCounts) bool { return !there[id] })
	}
}

// Events are what is kept, as a recording that began with its first moment: its clock
// and its counts start there. There are none before the first moment.
func (r *Ring) Events() []series.Event {
	if len(r.moments) == 0 {
		return nil
	}
	header, began := r.header, time.Duration(0)
	if r.dropped {
		began = r.moments[0].At
		header.Started, header.Length = r.moments[0].Clock, 0
	}
	events := []series.Event{{Header: &header}}
	told := map[string]bool{}
	for _, m := range r.moments {
		m.At -= began
		m.Unattributed -= r.unattributed
		m.FailedConnects -= r.failedConnects
		m.Subjects = slices.Clone(m.Subjects)
		for i := range m.Subjects {
			s := &m.Subjects[i]
			if id, known := r.identities[s.ID]; known && s.Identity == nil && !told[s.ID] {
				s.Identity = &id
			}
			told[s.ID] = true
			if s.KernelConns != nil {
				since := s.KernelConns.Since(r.before[s.ID])
				s.KernelConns = &since
			}
		}
		events = append(events, series.Event{Moment: &m})
	}
	if r.end != nil {
		end := *r.end
		end.Duration -= began
		events = append(events, series.Event{End: &end})
	}
	return events
}
