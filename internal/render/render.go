// Package render is what every face shows of a run: the terminal, the page and the
// report take their numbers and words from one snapshot, so that they agree.
//
// A snapshot is a pure function of the run, as far as it has come.
package render

import (
	"math"
	"slices"
	"time"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// Snapshot is a run at one moment.
type Snapshot struct {
	Scenario string  `json:"scenario"`
	Title    string  `json:"title"`
	Speed    float64 `json:"speed"`
	Seed     uint64  `json:"seed"`
	// At is the time of the last sample, and Length that of the whole load.
	At     time.Duration `json:"at_ns"`
	Length time.Duration `json:"length_ns"`
	// Over says that the run has come to its end, and Stopped why it ended before
	// its time.
	Over    bool   `json:"over,omitempty"`
	Stopped string `json:"stopped,omitempty"`
	// End is which end's sockets are shown.
	End string `json:"end"`
	// Scale is the top of both sides' charts, in sockets: the same for both.
	Scale int `json:"scale"`
	// Now is one sentence that says what is happening.
	Now    string `json:"now"`
	Faulty Side   `json:"faulty"`
	Fixed  Side   `json:"fixed"`
}

// Side is one side of a snapshot.
type Side struct {
	Side scenario.Side `json:"side"`
	// Held is the sockets that hold a descriptor now: all but TIME_WAIT and
	// LISTEN.
	Held int `json:"held"`
	// Most is the largest total that any sample shows, TIME_WAIT included: the
	// highest point of the side's chart.
	Most int `json:"most"`
	// Growth is how many more there are each second, by the newest samples; of a
	// run that is over, while requests were sent. It is 0 where it may be chance.
	// Trend is the same in a word or two.
	Growth float64 `json:"growth_per_second"`
	Trend  string  `json:"trend"`
	// Opened and Reused, and the requests, are by the client's own count. Unknown
	// names what it did not tell, as metrics or groups of them; these are 0.
	Opened   int64    `json:"opened"`
	Reused   int64    `json:"reused"`
	Sent     int64    `json:"sent"`
	OK       int64    `json:"ok"`
	Failed   int64    `json:"failed"`
	InFlight int64    `json:"in_flight"`
	Errors   string   `json:"errors,omitempty"`
	P50MS    float64  `json:"p50_ms"`
	P99MS    float64  `json:"p99_ms"`
	Unknown  []string `json:"unknown,omitempty"`
	// States are those that any sample of either side has shown, in the order in
	// which they are stacked, from below.
	States []State `json:"states"`
	// Verdict is what the samples so far show.
	Verdict verdict.Verdict `json:"verdict"`
	// Points has a count for each sample and each of States.
	Points []Point `json:"points"`
}

// State is the sockets in one state.
type State struct {
	Name string `json:"name"`
	Now  int    `json:"now"`
	Peak int    `json:"peak"`
}

// Point is a side's sockets at one time, in the order of Side.States.
type Point struct {
	At     time.Duration `json:"at_ns"`
	Counts []int         `json:"counts"`
}

// Total is all sockets of a point.
func (p Point) Total() int {
	sum := 0
	for _, n := range p.Counts {
		sum += n
	}
	return sum
}

// Of returns one side.
func (p *Snapshot) Of(side scenario.Side) *Side {
	if side == scenario.Faulty {
		return &p.Faulty
	}
	return &p.Fixed
}

// Of draws the snapshot of a run, with the sockets at one end. over says that the
// run has ended.
func Of(run *lab.Run, end socketstats.End, over bool) Snapshot {
	return draw(run, expect.Judge(run), end, over)
}

// Ends draws the snapshots of both ends, for less than each by itself: the verdict
// is that of both.
func Ends(run *lab.Run, over bool) (client, server Snapshot) {
	j := expect.Judge(run)
	return draw(run, j, socketstats.Client, over), draw(run, j, socketstats.Server, over)
}

func draw(run *lab.Run, j expect.Outcome, end socketstats.End, over bool) Snapshot {
	p := Snapshot{
		Scenario: run.Scenario, Title: run.Title, Speed: run.Speed, Seed: run.Seed,
		At: run.Duration, Length: max(run.Script.Length(), run.Duration), Over: over, Stopped: run.Stopped, End: end.String(),
	}
	shown := statesOf(run, end)
	for _, side := range scenario.Sides() {
		s := sideOf(run.Of(side), end, shown)
		s.Side, s.Verdict = side, j.Of(side)
		s.Growth, s.Trend = growthOf(run.Of(side), end, over, p.Length)
		*p.Of(side) = s
		p.Scale = max(p.Scale, p.Of(side).Most)
	}
	p.Scale = roundUp(headroom(p.Scale))
	told := ""
	if run.Commands == nil { // what commands do no script tells
		told = run.Script.Now(run.Duration)
	}
	p.Now = sentence(&p, told)
	return p
}

// stacking is the order of states in a chart, from below: what lives, what one
// end has closed, what only lingers. LISTEN is no connection.
var stacking = []socketstats.State{
	socketstats.Established, socketstats.CloseWait, socketstats.SynSent, socketstats.SynRecv,
	socketstats.FinWait1, socketstats.FinWait2, socketstats.Closing, socketstats.LastAck,
	socketstats.Close, socketstats.TimeWait,
}

// statesOf are the states that either side has shown, and ESTABLISHED.
func statesOf(run *lab.Run, end socketstats.End) []socketstats.State {
	return slices.DeleteFunc(slices.Clone(stacking), func(s socketstats.State) bool {
		peak := endOf(&run.Faulty, end).Peak.Of(s) + endOf(&run.Fixed, end).Peak.Of(s)
		return peak == 0 && s != socketstats.Established
	})
}

func endOf(side *lab.Side, end socketstats.End) lab.End {
	if end == socketstats.Client {
		return side.Client
	}
	return side.Server
}

// The growth of a run under way is measured over the newest samples, and as many as
// are in one part of it if that is more.
const (
	newest = 10
	parts  = 5
)

func growthOf(side *lab.Side, end socketstats.End, over bool, length time.Duration) (perSecond float64, words string) {
	if over {
		perSecond = expect.Change(side)
		return perSecond, climbed(perSecond)
	}
	series := endOf(side, end).Series
	from := max(len(series)-newest, 0)
	for from > 0 && series[len(series)-1].At-series[from-1].At <= length/parts {
		from--
	}
	series = series[from:]
	var at []time.Duration
	var held []float64
	for _, p := range series {
		at, held = append(at, p.At), append(held, float64(p.Counts.Open()))
	}
	perSecond = growth(at, held)
	return perSecond, trend(perSecond)
}

func sideOf(side *lab.Side, end socketstats.End, shown []socketstats.State) Side {
	of, r := endOf(side, end), side.Report
	s := Side{
		Held: of.Final.Open(), Opened: r.Connections.Opened, Reused: r.Connections.Reused,
		Sent: r.Requests.Sent, OK: r.Requests.OK, Failed: r.Requests.Failed, InFlight: r.Requests.InFlight,
		Errors: r.Requests.ErrorList(), P50MS: r.Latency.P50, P99MS: r.Latency.P99, Unknown: r.Unknown,
	}
	for _, state := range shown {
		s.States = append(s.States, State{Name: state.String(), Now: of.Final.Of(state), Peak: of.Peak.Of(state)})
	}
	for _, at := range of.Series {
		point := Point{At: at.At, Counts: make([]int, len(shown))}
		for i, state := range shown {
			point.Counts[i] = at.Counts.Of(state)
		}
		s.Points = append(s.Points, point)
		s.Most = max(s.Most, point.Total())
	}
	return s
}

// headroom is a little more than the highest point, so that its top can be seen.
func headroom(n int) int { return n + n/20 + min(n, 1) }

// roundUp is the next number that a scale may end with: 10, 20, 50, 100 and so
// on, and what lies between in fifths.
func roundUp(n int) int {
	if n <= 10 {
		return 10
	}
	step := int(math.Pow10(int(math.Log10(float64(n)))))
	for _, part := range []int{5, 2, 1} {
		if s := step / part; s > 0 {
			if top := (n + s - 1) / s * s; top-n < step/2 {
				return top
			}
		}
	}
	return n
}
