package observe

import (
	"maps"
	"slices"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// mostRows bounds what a window with a limit keeps of many processes: so many
// rows of all its samples together, but leastKept samples.
const (
	mostRows  = 50_000
	leastKept = 60
)

// limit is how many samples are kept; 0 is all.
func (w *Window) limit(next *series.Moment) int {
	if w.Most == 0 {
		return 0
	}
	return min(w.Most, max(leastKept, mostRows/max(1, len(next.Subjects))))
}

// makeRoom forgets samples for the next one, if there are as many as may be:
// first the newest, if nobody did anything since the one before it. Sockets that
// stand still say nothing, and what was seen while they did not still holds.
func (w *Window) makeRoom(next *series.Moment) {
	most, n := w.limit(next), w.Len()
	if most == 0 || n < most {
		return
	}
	if !w.OldestFirst && n == most && n > 1 && still(&w.moments[n-2], &w.moments[n-1], w.step) {
		w.moments = w.moments[:n-1]
		return
	}
	drop := n - most + 1
	if w.before == nil {
		w.before = map[string]series.ConnCounts{}
	}
	for _, m := range w.moments[:min(drop+1, n)] {
		for i := range m.Subjects {
			if s := &m.Subjects[i]; s.KernelConns != nil {
				w.before[s.ID] = *s.KernelConns
			}
		}
	}
	w.moments = slices.Delete(w.moments, 0, drop)
	w.forget()
}

// forget forgets who is in no sample any more, once they are many.
func (w *Window) forget() {
	if len(w.before) <= w.remembered && len(w.identities) <= w.remembered {
		return
	}
	kept := map[string]bool{}
	for i := range w.moments {
		for j := range w.moments[i].Subjects {
			kept[w.moments[i].Subjects[j].ID] = true
		}
	}
	w.remembered = min(mostRows, 2*len(kept)+1000)
	maps.DeleteFunc(w.before, func(id string, _ series.ConnCounts) bool { return !kept[id] })
	maps.DeleteFunc(w.identities, func(id string, _ series.Identity) bool { return !kept[id] })
}

// still reports whether no process did anything between two samples, as far as
// they show. step is how long before the second one there was another, which may
// be forgotten.
func still(before, now *series.Moment, step time.Duration) bool {
	return before.Unattributed == now.Unattributed && before.FailedConnects == now.FailedConnects && sameQueue(before.Queue, now.Queue) &&
		slices.EqualFunc(before.Subjects, now.Subjects, func(a, b series.SubjectSample) bool {
			return a.ID == b.ID && a.Client.Counts == b.Client.Counts && a.Server.Counts == b.Server.Counts &&
				sameConns(a.KernelConns, b.KernelConns) && sameQueue(a.Queue, b.Queue) &&
				silent(a.Client.Activity, b.Client.Activity, step) && silent(a.Server.Activity, b.Server.Activity, step)
		})
}

func sameConns(a, b *series.ConnCounts) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Opened == b.Opened && a.Closed == b.Closed && a.Refused == b.Refused
}

func sameQueue(a, b *series.Queue) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// silent reports whether no connection has said anything for as long as a step,
// and false if that is not known.
func silent(before, now *socketstats.Activity, step time.Duration) bool {
	if before == nil || now == nil {
		return false
	}
	for _, s := range []socketstats.Silence{now.Fresh, now.Sent, now.Received} {
		if s.AtLeast(step) != s.Total() {
			return false
		}
	}
	return before.Unread == now.Unread && before.UnreadHeld == now.UnreadHeld &&
		before.CloseWaitHeld == now.CloseWaitHeld && before.Dead == now.Dead && before.Resent == now.Resent
}
