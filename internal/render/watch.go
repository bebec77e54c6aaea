package render

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"socketlab/internal/observe"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// Watched is a watch at one moment: any number of processes with one scale.
type Watched struct {
	At        time.Time `json:"at"`
	Port      uint16    `json:"port,omitempty"`
	Listeners []string  `json:"listeners"`
	// End is which end's sockets are shown.
	End string `json:"end"`
	// Scale is the top of every process's chart, in sockets.
	Scale int `json:"scale"`
	// From and To are the times of the first sample shown and of the last.
	From time.Duration `json:"from_ns"`
	To   time.Duration `json:"to_ns"`
	// Now is one sentence that says what is happening.
	Now       string           `json:"now"`
	Processes []WatchedProcess `json:"processes"`
}

// WatchedProcess is one process of a watch.
type WatchedProcess struct {
	Label  string  `json:"label"`
	Held   int     `json:"held"`
	Growth float64 `json:"growth_per_second"`
	Trend  string  `json:"trend"`
	// Flow is what came and went; nil where nothing tells.
	Flow *observe.Flow `json:"flow,omitempty"`
	// Verdict is what the snapshots so far show of this process; it has no Kind in
	// the row of no process.
	Verdict verdict.Verdict `json:"verdict"`
	States  []State         `json:"states"`
	Points  []Point         `json:"points"`
	// leaking is how many it holds at the end that has more: a leak need not be at
	// the end that is shown.
	leaking int
}

// trendSamples is over how many of the newest samples a watched process's trend
// is measured: a watch has no end, and its trend is that of now.
const trendSamples = 15

// OfWatch draws the snapshot of a watch by its newest snapshots, with the sockets
// at one end, and what was found so far; see [Verdicts]. There must be a snapshot.
// The processes are those of the last.
func OfWatch(snapshots []observe.Snapshot, end socketstats.End, found []observe.SubjectVerdict) Watched {
	last := snapshots[len(snapshots)-1]
	w := Watched{At: last.At, Port: last.Port, Listeners: last.Listeners, End: end.String(), From: snapshots[0].After, To: last.After}
	shown := watchedStates(snapshots, end)
	for _, p := range last.Processes {
		process := watchedProcess(snapshots, p, end, shown)
		process.Verdict = verdictOn(p.PID, found)
		for _, point := range process.Points {
			w.Scale = max(w.Scale, point.Total())
		}
		w.Processes = append(w.Processes, process)
	}
	w.Scale = roundUp(headroom(w.Scale))
	w.Now = watchSentence(w.Processes, found)
	return w
}

// FullerEnd is the end of a watch to show where nobody has chosen: the one that has
// more. With a port both ends are of the same connections, and the client's is the
// one that the processes are listed for.
func FullerEnd(s observe.Snapshot) socketstats.End {
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

func endOfProcess(p observe.Process, end socketstats.End) socketstats.Counts {
	if end == socketstats.Client {
		return p.Client
	}
	return p.Server
}

func watchedStates(snapshots []observe.Snapshot, end socketstats.End) []socketstats.State {
	var peak socketstats.Counts
	for _, s := range snapshots {
		for _, p := range s.Processes {
			peak = peak.Max(endOfProcess(p, end))
		}
	}
	return slices.DeleteFunc(slices.Clone(stacking), func(s socketstats.State) bool {
		return peak.Of(s) == 0 && s != socketstats.Established
	})
}

func watchedProcess(snapshots []observe.Snapshot, now observe.Process, end socketstats.End, shown []socketstats.State) WatchedProcess {
	counts := endOfProcess(now, end)
	w := WatchedProcess{Label: now.Label(), Held: counts.Open(), Flow: now.Flow, leaking: max(now.Client.Open(), now.Server.Open())}
	var at []time.Duration
	var held []float64
	peak := make([]int, len(shown))
	for _, s := range snapshots {
		i := slices.IndexFunc(s.Processes, func(p observe.Process) bool { return p.PID == now.PID })
		if i < 0 {
			continue
		}
		c := endOfProcess(s.Processes[i], end)
		point := Point{At: s.After, Counts: make([]int, len(shown))}
		for i, state := range shown {
			point.Counts[i] = c.Of(state)
			peak[i] = max(peak[i], c.Of(state))
		}
		w.Points = append(w.Points, point)
		at, held = append(at, s.After), append(held, float64(c.Open()))
	}
	for i, state := range shown {
		w.States = append(w.States, State{Name: state.String(), Now: counts.Of(state), Peak: peak[i]})
	}
	if n := len(at); n >= 3 {
		from := max(n-trendSamples, 0)
		w.Growth = math.Round(verdict.Slope(at[from:], held[from:])*100) / 100
	}
	w.Trend = trend(w.Growth)
	return w
}

// verdictOn is that on a process. One that was not there for long enough has not
// shown enough.
func verdictOn(pid int32, found []observe.SubjectVerdict) verdict.Verdict {
	if pid == 0 {
		return verdict.Verdict{}
	}
	for _, j := range found {
		if j.PID == pid {
			return j.Verdict
		}
	}
	return verdict.Verdict{Kind: verdict.NotEnoughData}
}

// watchSentence says who leaks, who holds how much, and who grows the fastest.
func watchSentence(processes []WatchedProcess, found []observe.SubjectVerdict) string {
	if len(processes) == 0 {
		return "No connections."
	}
	sum, fastest := 0, processes[0]
	for _, p := range processes {
		sum += p.Held
		if p.Growth > fastest.Growth {
			fastest = p
		}
	}
	if text := leakSentence(processes, sum, found); text != "" {
		return text
	}
	text := hold(len(processes)) + " " + sockets(sum)
	if fastest.Growth >= leastGrowth {
		return fmt.Sprintf("%s; %s grows the fastest: %s.", text, fastest.Label, fastest.Trend)
	}
	return text + "; none grows."
}

func hold(processes int) string {
	if processes == 1 {
		return "1 process holds"
	}
	return fmt.Sprintf("%d processes hold", processes)
}

// leakSentence names the worst leak among those that are there, and of several
// that are as sure the one that holds most; "" if there is none. Of all processes
// together it says why: no process's own row does.
func leakSentence(processes []WatchedProcess, sum int, found []observe.SubjectVerdict) string {
	leaks := slices.DeleteFunc(slices.Clone(found), func(j observe.SubjectVerdict) bool {
		return !j.Verdict.Leak || (j.PID != 0 && labelled(processes, j.Name) == nil)
	})
	if len(leaks) == 0 {
		return ""
	}
	worst := observe.Worst(leaks)
	if worst.PID == 0 {
		text := fmt.Sprintf("%s: %s; %s %s.", worst.Name, worst.Verdict.Kind, hold(len(processes)), sockets(sum))
		return strings.Join(append([]string{text}, worst.Verdict.Evidence[:min(1, len(worst.Verdict.Evidence))]...), " ")
	}
	leaks = slices.DeleteFunc(leaks, func(j observe.SubjectVerdict) bool { return j.PID == 0 })
	held := labelled(processes, worst.Name).leaking
	for _, j := range leaks {
		if n := labelled(processes, j.Name).leaking; n > held && j.Verdict.Confidence == worst.Verdict.Confidence {
			worst, held = j, n
		}
	}
	text := fmt.Sprintf("%s: %s, holds %s", worst.Name, worst.Verdict.Kind, sockets(held))
	switch n := len(leaks) - 1; {
	case n == 1:
		text += "; 1 other leaks"
	case n > 1:
		text += fmt.Sprintf("; %d others leak", n)
	}
	if len(processes) > 1 {
		text += fmt.Sprintf("; %s %d", hold(len(processes)), sum)
	}
	return text + "."
}

// labelled is the process with a label; nil if it is not there.
func labelled(processes []WatchedProcess, label string) *WatchedProcess {
	for i := range processes {
		if processes[i].Label == label {
			return &processes[i]
		}
	}
	return nil
}
