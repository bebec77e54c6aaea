package observe

import (
	"math/rand/v2"

	"socketlab/internal/socketstats"
)

// mostThin bounds the rows of all samples together in a window that is [Window.Thin]: a
// day of one process, a sample a second, is judged by one of four samples.
const mostThin = 25_000

// thin makes room in a window that is [Window.Thin], once it has mostThin rows.
func (w *Window) thin() {
	w.rows += len(w.Last().Subjects)
	w.numbers = append(w.numbers, w.seen)
	w.seen++
	if w.rows <= mostThin {
		return
	}
	const enough = mostThin / 4 * 3
	for w.settle(); w.rows > enough && w.Len() > leastKept; w.settle() {
		w.halvings++
	}
}

// settle forgets the samples that are not to stay, so that those which stay lie evenly:
// one of every two, or of every four and so on, the first and the newest, and those that
// have the most of something.
func (w *Window) settle() {
	if w.halvings == 0 {
		return
	}
	most, kept := w.holdingMost(), 0
	w.rows = 0
	for i, m := range w.moments {
		if i == 0 || i == w.Len()-1 || most[i] || chosen(w.numbers[i], w.halvings) {
			w.moments[kept], w.numbers[kept] = m, w.numbers[i]
			w.rows += len(m.Subjects)
			kept++
		}
	}
	clear(w.moments[kept:])
	w.moments, w.numbers = w.moments[:kept], w.numbers[:kept]
}

// chosen reports whether the sample with a number is the one that stays of its group of
// two, or of four after two halvings, and so on. Which of a group it is looks like chance:
// what happens every minute would be missed by every second, or found each time.
func chosen(number, halvings int) bool {
	for h := range halvings {
		group := number / 2
		if rand.New(rand.NewPCG(uint64(group), uint64(h))).IntN(2) != number%2 {
			return false
		}
		number = group
	}
	return true
}

// holdingMost are the samples, by their index, that are the first to have the most of
// something: sockets of a subject by end and state, descriptors, or waiting connections.
func (w *Window) holdingMost() map[int]bool {
	type figure struct {
		id, of string
		end    socketstats.End
		state  socketstats.State
	}
	type peak struct{ n, index int }
	peaks, states := map[figure]peak{}, socketstats.States()
	for i := range w.moments {
		see := func(f figure, n int) {
			if n > peaks[f].n {
				peaks[f] = peak{n, i}
			}
		}
		m := &w.moments[i]
		if m.Queue != nil {
			see(figure{of: "queue"}, m.Queue.Waiting)
		}
		for j := range m.Subjects {
			s := &m.Subjects[j]
			for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
				counts := &s.Of(end).Counts
				see(figure{s.ID, "open", end, 0}, counts.Open())
				for _, state := range states {
					if n := counts.Of(state); n > 0 {
						see(figure{s.ID, "", end, state}, n)
					}
				}
			}
			if s.Queue != nil {
				see(figure{id: s.ID, of: "queue"}, s.Queue.Waiting)
			}
			if s.Process == nil {
				continue
			}
			see(figure{id: s.ID, of: "descriptors"}, s.Process.Descriptors)
			for kind, n := range s.Process.Kinds {
				see(figure{id: s.ID, of: kind}, n)
			}
		}
	}
	held := make(map[int]bool, len(peaks))
	for _, p := range peaks {
		held[p.index] = true
	}
	return held
}
