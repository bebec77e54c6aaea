package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/socketstats"
)

const (
	// mostWatched is how many counts of a watch are kept for late visitors; a
	// watch may go on for ever.
	mostWatched = 7200
	// mostRows bounds how many processes' counts are kept, of all counts together.
	mostRows = 50_000
	// mostPanels is how many processes have a panel: those that hold most.
	mostPanels = 6
)

// watching is a watch in progress.
type watching struct {
	snapshots []observe.Snapshot
	verdicts  render.Verdicts
	sent      int // how many of the snapshots are shown
}

func beginOfWatch(s observe.Snapshot) begin {
	title := "Processes under watch"
	if s.Port != 0 {
		title = fmt.Sprintf("Connections to port %d", s.Port)
	}
	return begin{Run: s.At.Format(time.RFC3339Nano), Title: title, Meanings: meanings()}
}

// add enters a count.
func (w *watching) add(s observe.Snapshot) {
	w.verdicts.Add(s)
	w.snapshots = append(w.snapshots, render.Drawn(s))
	if most := kept(len(s.Processes)); len(w.snapshots) > most {
		drop := max(len(w.snapshots)-most, most/4)
		w.snapshots = slices.Delete(w.snapshots, 0, drop)
		w.sent = max(0, w.sent-drop)
	}
}

// kept is how many counts of so many processes are kept.
func kept(processes int) int { return max(300, min(mostWatched, mostRows/max(1, processes))) }

// take is the snapshot, and the points that nobody was shown.
func (w *watching) take(over bool) (snapshot, [][]byte) {
	found := w.verdicts.Found(over)
	last := w.snapshots[len(w.snapshots)-1]
	p := snapshot{
		From: w.snapshots[0].After, At: last.After, Length: last.After, Over: over,
		End: render.FullerEnd(last).String(), Ends: map[string]ofEnd{},
	}
	for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
		v := render.OfWatch(w.snapshots, end, found)
		p.Ends[v.End] = ofWatched(&v)
	}
	var points [][]byte
	for _, s := range w.snapshots[w.sent:] {
		client, server := map[string]map[string]int{}, map[string]map[string]int{}
		for _, process := range s.Processes {
			client[process.Label()], server[process.Label()] = above0(process.Client), above0(process.Server)
		}
		points = append(points, encode(point{At: s.After, Counts: map[string]map[string]map[string]int{
			socketstats.Client.String(): client, socketstats.Server.String(): server,
		}}))
	}
	w.sent = len(w.snapshots)
	return p, points
}

// ofWatched is one end's view of a watch, of those processes that hold most.
func ofWatched(v *render.Watched) ofEnd {
	of := ofEnd{Scale: v.Scale, Now: v.Now, Panels: []panel{}}
	slices.SortStableFunc(v.Processes, func(a, b render.WatchedProcess) int { return cmp.Compare(b.Held, a.Held) })
	if len(v.Processes) > mostPanels {
		of.Now += fmt.Sprintf(" Shown are the %d that hold most.", mostPanels)
		v.Processes = v.Processes[:mostPanels]
	}
	for _, p := range v.Processes {
		of.Panels = append(of.Panels, panel{Key: p.Label, Name: p.Label, Side: render.Side{
			Held: p.Held, Growth: p.Growth, Trend: p.Trend, States: p.States, Verdict: p.Verdict,
		}})
	}
	return of
}

func above0(c socketstats.Counts) map[string]int {
	counts := map[string]int{}
	for _, s := range render.Stacking() {
		if n := c.Of(s); n > 0 {
			counts[s.String()] = n
		}
	}
	return counts
}
