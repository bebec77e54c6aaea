package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/view"
	"socketlab/internal/watch"
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
	snapshots []watch.Snapshot
	end       socketstats.End
	sent      int // how many of the snapshots are shown
}

func beginOfWatch(s watch.Snapshot) begin {
	title := "Processes under watch"
	if s.Port != 0 {
		title = fmt.Sprintf("Connections to port %d", s.Port)
	}
	return begin{Run: s.At.Format(time.RFC3339Nano), Title: title, About: "watch", Meanings: meanings()}
}

// add enters a count, and reports whether all of them are to be shown anew, as
// another end has the sockets.
func (w *watching) add(s watch.Snapshot) (anew bool) {
	w.snapshots = append(w.snapshots, s)
	if most := kept(len(s.Processes)); len(w.snapshots) > most {
		drop := max(len(w.snapshots)-most, most/4)
		w.snapshots = slices.Delete(w.snapshots, 0, drop)
		w.sent = max(0, w.sent-drop)
	}
	if end := fullerEnd(s); end != w.end || len(w.snapshots) == 1 {
		w.end, w.sent = end, 0
		return true
	}
	return false
}

// kept is how many counts of so many processes are kept.
func kept(processes int) int { return max(300, min(mostWatched, mostRows/max(1, processes))) }

// fullerEnd is the end to show. With a port both ends are of the same
// connections, and the client's is the one that the processes are listed for.
func fullerEnd(s watch.Snapshot) socketstats.End {
	client, server := 0, 0
	for _, p := range s.Processes {
		client += p.Client.Open()
		server += p.Server.Open()
	}
	if s.Port == 0 && server > client {
		return socketstats.Server
	}
	return socketstats.Client
}

// take is the picture, and the points that nobody was shown.
func (w *watching) take(over bool) (picture, [][]byte) {
	v := view.OfWatch(w.snapshots, w.end)
	p := picture{From: v.From, At: v.To, Length: v.To, End: v.End, Over: over, Scale: v.Scale, Now: v.Now, Panels: []panel{}}
	slices.SortStableFunc(v.Processes, func(a, b view.WatchedProcess) int { return cmp.Compare(b.Held, a.Held) })
	if len(v.Processes) > mostPanels {
		p.Now += fmt.Sprintf(" Shown are the %d that hold most.", mostPanels)
		v.Processes = v.Processes[:mostPanels]
	}
	for _, of := range v.Processes {
		p.Panels = append(p.Panels, panel{Key: of.Label, Name: of.Label, Side: view.Side{
			Held: of.Held, Growth: of.Growth, Trend: of.Trend, States: of.States,
		}})
	}
	var points [][]byte
	for _, s := range w.snapshots[w.sent:] {
		at := point{At: s.After, Counts: map[string]map[string]int{}}
		for _, process := range s.Processes {
			counts := process.Client
			if w.end == socketstats.Server {
				counts = process.Server
			}
			at.Counts[process.Label()] = above0(counts)
		}
		points = append(points, encode(at))
	}
	w.sent = len(w.snapshots)
	return p, points
}

func above0(c socketstats.Counts) map[string]int {
	counts := map[string]int{}
	for _, s := range view.Stacking() {
		if n := c.Of(s); n > 0 {
			counts[s.String()] = n
		}
	}
	return counts
}
