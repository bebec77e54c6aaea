package observe

import (
	"slices"
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// mostRows bounds what a history with a limit keeps of many processes: so many
// rows of all its snapshots together, but leastKept snapshots.
const (
	mostRows  = 50_000
	leastKept = 60
)

// limit is how many snapshots are kept; 0 is all.
func (h *History) limit(next Snapshot) int {
	if h.Most == 0 {
		return 0
	}
	return min(h.Most, max(leastKept, mostRows/max(1, len(next.Processes))))
}

// makeRoom forgets snapshots for the next one, if there are as many as may be:
// first the newest, if nobody did anything since the one before it. Sockets that
// stand still say nothing, and what was seen while they did not still holds.
func (h *History) makeRoom(next Snapshot) {
	most := h.limit(next)
	n := len(h.snapshots)
	if most == 0 || n < most {
		return
	}
	if n == most && n > 1 && still(h.snapshots[n-2], h.snapshots[n-1], h.step) {
		h.snapshots = h.snapshots[:n-1]
		return
	}
	drop := n - most + 1
	if h.before == nil {
		h.before = map[int32]Flow{}
	}
	for _, s := range h.snapshots[:min(drop+1, n)] {
		for _, p := range s.Processes {
			if p.Flow != nil {
				h.before[p.PID] = *p.Flow
			}
		}
	}
	h.snapshots = slices.Delete(h.snapshots, 0, drop)
}

// still reports whether no process did anything between two snapshots, as far as
// they show. step is how long before the second one there was another, which may
// be forgotten.
func still(before, now Snapshot, step time.Duration) bool {
	return len(before.Processes) == len(now.Processes) && before.Unknown == now.Unknown &&
		slices.EqualFunc(before.Processes, now.Processes, func(a, b Process) bool {
			return a.PID == b.PID && a.Client == b.Client && a.Server == b.Server && sameFlow(a.Flow, b.Flow) &&
				sameQueue(a.Queue, b.Queue) && silent(a.ClientActivity, b.ClientActivity, step) && silent(a.ServerActivity, b.ServerActivity, step)
		}) && sameQueue(before.Queue, now.Queue)
}

func sameFlow(a, b *Flow) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Opened == b.Opened && a.Closed == b.Closed
}

func sameQueue(a, b *Queue) bool {
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
	return before.Unread == now.Unread && before.Dead == now.Dead && before.Resent == now.Resent
}

// rebase takes from a subject's series what came and went before its first
// sample: a verdict is on what the samples show, and the watch counts on from its
// own beginning. pid is 0 for all together.
func (h *History) rebase(series *verdict.Series, pid int32) {
	if h.before == nil {
		return
	}
	first := series.Samples[0]
	var base verdict.Flow
	if first.Flow != nil {
		base = *first.Flow
	}
	if f, ok := h.before[pid]; ok && pid != 0 { // it may have no row in the first
		base = verdict.Flow{Opened: f.Opened, Closed: f.Closed, WithTCPInfo: f.WithTCPInfo, ShortLived: f.ShortLived, Inferred: f.Inferred}
	}
	for i := range series.Samples {
		s := &series.Samples[i]
		s.Unknown -= first.Unknown
		if f := s.Flow; f != nil {
			*f = verdict.Flow{
				Opened: max(0, f.Opened-base.Opened), Closed: max(0, f.Closed-base.Closed),
				WithTCPInfo: max(0, f.WithTCPInfo-base.WithTCPInfo), ShortLived: max(0, f.ShortLived-base.ShortLived), Inferred: max(0, f.Inferred-base.Inferred),
			}
		}
	}
}
