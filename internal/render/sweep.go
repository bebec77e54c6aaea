package render

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"socketlab/internal/metric"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// sweepSchema names the form of a sweep in JSON. Names are only ever added.
const sweepSchema = "sockwatch.sweep/v2"

// Sweep is what the fixed code of a scenario showed at several values of one
// client setting.
type Sweep struct {
	Scenario, Title, Setting string
	// Show are two metrics to compare; empty for latency and connections, with the
	// knee.
	Show  []string
	Speed float64
	Seed  uint64
	// PerSecond is the script's highest rate, and LatencyMS the time that its
	// server takes for a request, at the speed that was played; UnderWay is the
	// one times the other (Little's law): how many requests are under way at a
	// time. 0 where the load has no rate.
	PerSecond, LatencyMS, UnderWay float64
	// Points are in the order of their values.
	Points []SweepPoint
}

// SweepPoint is one value, and the side of a run that showed what it does.
type SweepPoint struct {
	Value   scenario.SweepValue
	Run     *Observed
	Subject *series.Subject
}

// near is how many times the least p99 one may be that is still called as good.
const near = 2

// predicted is the least value by Little's law, and false where that says nothing.
func (s *Sweep) predicted() (int, bool) {
	return int(math.Ceil(s.UnderWay - 1e-6)), s.UnderWay > 0
}

// measured is the least value from which on every one leaves no request in flight
// and has a p99 of at most twice the least of all; false if there is none.
func (s *Sweep) measured() (int, bool) {
	least := math.Inf(1)
	for _, p := range s.Points {
		if p99, ok := p.answered(); ok {
			least = min(least, p99)
		}
	}
	knee, found := 0, false
	for i := len(s.Points) - 1; i >= 0; i-- {
		if p99, ok := s.Points[i].answered(); !ok || p99 > near*least {
			break
		}
		knee, found = s.Points[i].Value.Number, true
	}
	return knee, found
}

// answered is the p99 of a value that leaves no request in flight.
func (p *SweepPoint) answered() (p99 float64, ok bool) {
	p99, known := metric.MustLookup("latency_ms.p99").Get(p.Subject)
	left, _ := metric.MustLookup("requests.in_flight").Get(p.Subject)
	return p99, known && p99 > 0 && left == 0
}

// Document is the sweep as a command's answer.
func (s *Sweep) Document() *Document {
	t := Table{Name: "the values", Columns: []Column{{s.Setting, true, false}}, Groups: []Group{{}}}
	names := []string{"latency_ms.p50", "latency_ms.p99", "requests.ok", "requests.failed", "requests.in_flight", "connections.opened"}
	for _, title := range []string{"p50", "p99", "ok", "failed", "in flight", "opened"} {
		t.Columns = append(t.Columns, Column{title, true, false})
	}
	for _, name := range s.Show {
		if !slices.Contains(names, name) {
			names = append(names, name)
			t.Columns = append(t.Columns, Column{metric.MustLookup(name).Title, true, false})
		}
	}
	t.Columns = append(t.Columns, Column{Title: "verdict"})
	d := &Document{Title: s.Scenario + ": " + s.Title, Records: [][]string{recordsHeader}}
	points := []Object{}
	for _, p := range s.Points {
		row := Row{Cells: []Cell{{{Text: p.Value.String(), Value: p.Value.String()}}}}
		for _, name := range names {
			row.Cells = append(row.Cells, Cell{datum(metric.MustLookup(name), p.Subject)})
		}
		v := p.Run.Result.Verdicts[p.Subject.ID]
		row.Cells = append(row.Cells, cell(Label(v)))
		t.Groups[0].Rows = append(t.Groups[0].Rows, row)
		points = append(points, append(p.value(), p.Run.subject(p.Subject)...))
		for _, m := range metric.Of(p.Subject) {
			d.Records = append(d.Records, []string{s.Scenario, fmt.Sprintf("%s %s", s.Setting, p.Value), m.Name, number(m.Value), string(m.Unit)})
		}
	}
	data := Object{
		{"schema", sweepSchema},
		{"scenario", s.Scenario},
		{"title", s.Title},
		{"setting", s.Setting},
		{"speed", s.Speed},
		{"seed", s.Seed},
		{"requests_per_second", s.PerSecond},
		{"server_latency_ms", s.LatencyMS},
		{"under_way", s.UnderWay},
		{"points", points},
	}
	data.add("shown", s.Show, len(s.Show) == 0)
	if len(s.Show) == 0 {
		predicted, isPredicted := s.predicted()
		data.add("predicted_knee", predicted, !isPredicted)
		measured, isMeasured := s.measured()
		data.add("measured_knee", measured, !isMeasured)
	}
	d.Data = data
	d.Blocks = []Block{
		Part{d.Title},
		Text{Text: fmt.Sprintf("the fixed code at %d values of %s, speed %g, seed %d", len(s.Points), s.Setting, s.Speed, s.Seed), Note: true},
		t,
	}
	if len(s.Show) > 0 {
		d.Blocks = append(d.Blocks, Code{Text: s.compared()})
	} else {
		d.Blocks = append(d.Blocks, Code{Text: s.chart()}, List{Items: s.knees()})
	}
	return d
}

// value is the setting in JSON: a number, or a duration in milliseconds.
func (p *SweepPoint) value() Object {
	if p.Value.Time != 0 {
		return Object{{"value_ms", float64(p.Value.Time) / float64(time.Millisecond)}}
	}
	return Object{{"value", p.Value.Number}}
}

// compared draws the two metrics that the script names beside each other, each on a
// scale of its own that begins at 0.
func (s *Sweep) compared() string {
	const width = 28
	a, b := metric.MustLookup(s.Show[0]), metric.MustLookup(s.Show[1])
	most := func(m metric.Metric) float64 {
		top := 1.0
		for _, p := range s.Points {
			v, _ := m.Get(p.Subject)
			top = max(top, v)
		}
		return top
	}
	bar := func(m metric.Metric, of *series.Subject, sign string, most float64) string {
		v, known := m.Get(of)
		if !known {
			return "-"
		}
		return strings.Repeat(sign, int(math.Ceil(width*v/most))) + " " + datum(m, of).Text
	}
	mostA, mostB := most(a), most(b)
	var out strings.Builder
	fmt.Fprintf(&out, "%*s  %-*s  %s\n", len(s.Setting), s.Setting, width+9, a.Title, b.Title)
	for _, p := range s.Points {
		fmt.Fprintf(&out, "%*s  %-*s  %s\n", len(s.Setting), p.Value, width+9, bar(a, p.Subject, "#", mostA), bar(b, p.Subject, "o", mostB))
	}
	return out.String()
}

// chart draws p99 on a logarithmic scale, and the connections beside it.
func (s *Sweep) chart() string {
	const width, narrow = 32, 16
	low, high, most := math.Inf(1), 0.0, 1.0
	p99, opened := metric.MustLookup("latency_ms.p99"), metric.MustLookup("connections.opened")
	for _, p := range s.Points {
		if v, known := p99.Get(p.Subject); known && v > 0 {
			low, high = min(low, v), max(high, v)
		}
		n, _ := opened.Get(p.Subject)
		most = max(most, n)
	}
	predicted, isPredicted := s.predicted()
	measured, isMeasured := s.measured()
	enough := false // by the law
	var out strings.Builder
	fmt.Fprintf(&out, "%*s  %-*s  %s\n", len(s.Setting), s.Setting, width+9, "p99, logarithmic", "connections")
	for _, p := range s.Points {
		bar := 0
		if v, known := p99.Get(p.Subject); known && v > 0 {
			bar = 1 // the least has a sixth of the scale, so that it can be seen
			if high > low {
				bar = int(math.Round(width/6 + (width-width/6)*math.Log(v/low)/math.Log(high/low)))
			}
		}
		n, _ := opened.Get(p.Subject)
		beside := strings.Repeat("o", int(math.Ceil(narrow*n/most)))
		var marks []string
		if isPredicted && !enough && p.Value.Number >= predicted {
			enough = true
			marks = append(marks, "predicted")
		}
		if isMeasured && p.Value.Number == measured {
			marks = append(marks, "measured")
		}
		mark := ""
		if len(marks) > 0 {
			mark = "  <- " + strings.Join(marks, ", ")
		}
		left := strings.Repeat("#", bar) + " " + datum(p99, p.Subject).Text
		right := fmt.Sprintf("%s %.0f", beside, n)
		line := fmt.Sprintf("%*s  %-*s  %-*s%s", len(s.Setting), p.Value, width+9, left, narrow+4, right, mark)
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

// knees say from which value on latency stays low.
func (s *Sweep) knees() []Item {
	list := []Item{
		{"predicted knee", "none: the load has no rate, or the server no delay"},
		{"measured knee", "none: requests are left in flight, or p99 still falls, at the largest value"},
	}
	if knee, ok := s.predicted(); ok {
		list[0].Text = fmt.Sprintf("%d: %g requests a second x %s = %.3g under way (Little's law)", knee,
			math.Round(s.PerSecond*100)/100, metric.MustLookup("latency_ms.p99").Format(s.LatencyMS), s.UnderWay)
	}
	if knee, ok := s.measured(); ok {
		list[1].Text = fmt.Sprintf("%d: from here on p99 is at most %d times the least, and no request is left in flight", knee, near)
	}
	return list
}
