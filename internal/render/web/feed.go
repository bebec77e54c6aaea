package web

import (
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"
)

// feed is what viewers are sent, already written. It keeps each sample once for
// all of them.
type feed struct {
	mu sync.Mutex
	// name tells this feed from that of a server before, at the same address.
	name string
	now  position
	// begin and snapshot are the newest of their kind, and points are those of
	// the run from the first-th on.
	begin, snapshot []byte
	points          []point
	first           int
	// before and step are the last change: where it led from, and what it says.
	before position
	step   []byte
	// whole is all that there is, for those who come before the next change; nil until the
	// first of them. It is long: many viewers at once must not have one each.
	whole []byte
	// changed is closed by the next change.
	changed chan struct{}
}

// position is how far a viewer has come.
type position struct{ run, points, snapshots int }

func newFeed() *feed { return &feed{name: rand.Text()[:8], changed: make(chan struct{})} }

// open begins another run.
func (f *feed) open(begin []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begin, f.snapshot, f.points, f.first, f.step, f.whole = begin, []byte("null"), nil, 0, nil, nil
	f.now = position{run: f.now.run + 1}
	f.notify()
}

// extend adds points, forgets those before from, and puts a snapshot in place of
// the one before.
func (f *feed) extend(snapshot []byte, points []point, from time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = f.now
	f.snapshot, f.whole = snapshot, nil
	f.points = append(f.points, points...)
	f.now.points += len(points)
	f.now.snapshots++
	f.step = f.more(points)
	drop := slices.IndexFunc(f.points, func(p point) bool { return p.at >= from })
	if drop > 0 {
		clear(f.points[:drop]) // what is behind a slice's beginning is not collected
		f.points = f.points[drop:]
		f.first += drop
	}
	f.notify()
}

func (f *feed) notify() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// since is what a viewer at a position has not had, where it is then, and what
// is closed when there is more. The text is nil if there is nothing yet.
func (f *feed) since(at position) (text []byte, now position, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case at == f.now:
		return nil, f.now, f.changed
	case f.step != nil && at == f.before:
		return f.step, f.now, f.changed
	}
	if at.run != f.now.run || at.points > f.now.points || at.points < f.first {
		if f.whole == nil {
			f.whole = append(f.event("begin", position{run: f.now.run}, f.begin), f.more(f.points)...)
		}
		return f.whole, f.now, f.changed
	}
	return f.more(f.points[at.points-f.first:]), f.now, f.changed
}

// more is the event that says what is new.
func (f *feed) more(points []point) []byte {
	data := []byte(`{"snapshot":`)
	data = append(data, f.snapshot...)
	data = append(data, `,"points":[`...)
	for i, p := range points {
		if i > 0 {
			data = append(data, ',')
		}
		data = append(data, p.data...)
	}
	return f.event("more", f.now, append(data, "]}"...))
}

func (f *feed) event(kind string, at position, data []byte) []byte {
	return fmt.Appendf(nil, "event: %s\nid: %s.%d.%d.%d\ndata: %s\n\n", kind, f.name, at.run, at.points, at.snapshots, data)
}

// position reads an event's id; an id of another feed is the very beginning.
func (f *feed) position(id string) position {
	var p position
	if n, err := fmt.Sscanf(id, f.name+".%d.%d.%d", &p.run, &p.points, &p.snapshots); n != 3 || err != nil || p.points < 0 {
		return position{}
	}
	return p
}
