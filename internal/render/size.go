package render

import (
	"fmt"
	"math"
	"time"

	"socketlab/internal/metric"
	"socketlab/internal/sizing"
	"socketlab/internal/words"
)

// sizeSchema names the form of a size in JSON. Names are only ever added.
const sizeSchema = "sockwatch.size/v1"

// Size compares pools of several sizes for a load.
type Size struct {
	sizing.Load
	// Taken is the time of the load and the pause after it.
	Taken time.Duration
	Pools []SizePool
}

// SizePool is one size. Measured is nil where it was not played; LateMS is then how
// late the requests were sent, by the p99.
type SizePool struct {
	sizing.Pool
	Predicted sizing.Result
	Measured  *sizing.Result
	LateMS    float64
}

// Document is the size as a command's answer.
func (s *Size) Document() *Document {
	connections := words.Plural(s.Connections(), "connection")
	d := &Document{
		Title:   fmt.Sprintf("A pool of %s", connections),
		Records: [][]string{{"pool", "connections", "source", "latency_ms_p50", "latency_ms_p99", "sockets", "answered", "in_flight"}},
	}
	t := Table{Name: "the pools", Columns: []Column{
		{Title: "pool"},
		{Title: "source"},
		{Title: "p50", Number: true},
		{Title: "p99", Number: true},
		{Title: "sockets", Number: true},
		{Title: "answered", Number: true},
		{Title: "in flight", Number: true},
	}}
	pools := []Object{}
	for _, p := range s.Pools {
		g := Group{}
		o := Object{{"name", p.Name}, {"connections", p.Connections}}
		add := func(source string, r sizing.Result) {
			g.Rows = append(g.Rows, Row{Cells: []Cell{
				cell(fmt.Sprintf("%d, %s", p.Connections, p.Name)), cell(source), millisCell(r, r.P50MS), millisCell(r, r.P99MS), count(uint32(r.Sockets)), count(uint32(r.Answered)), count(uint32(r.InFlight)),
			}})
			d.Records = append(d.Records, []string{
				p.Name, fmt.Sprint(p.Connections), source, number(r.P50MS), number(r.P99MS), fmt.Sprint(r.Sockets), fmt.Sprint(r.Answered), fmt.Sprint(r.InFlight),
			})
			o.add(source, Object{{"latency_ms", Object{{"p50", r.P50MS}, {"p99", r.P99MS}}}, {"sockets", r.Sockets}, {"answered", r.Answered}, {"in_flight", r.InFlight}})
		}
		add("predicted", p.Predicted)
		if p.Measured != nil {
			add("measured", *p.Measured)
			o.add("schedule_late_ms", Object{{"p99", p.LateMS}})
		}
		t.Groups = append(t.Groups, g)
		pools = append(pools, o)
	}
	d.Data = Object{
		{"schema", sizeSchema},
		{"requests_per_second", s.PerSecond},
		{"latency_ms", millis(s.Latency)},
		{"burst", s.Burst},
		{"spare", s.Spare},
		{"under_way", s.UnderWay()},
		{"connections", s.Connections()},
		{"duration_ms", s.Taken.Milliseconds()},
		{"pools", pools},
	}
	d.Blocks = []Block{Part{d.Title}, List{Items: s.arithmetic()}, t, List{Items: s.notes()}}
	return d
}

func millisCell(r sizing.Result, ms float64) Cell {
	if r.Answered == 0 {
		return cell("no response")
	}
	return Cell{{Text: latencyText(ms), Value: number(ms)}}
}

// latencyText writes a latency as runs do, and one below a millisecond in microseconds.
func latencyText(ms float64) string {
	if ms < 1 {
		d := time.Duration(ms*float64(time.Millisecond) + 0.5)
		if d >= time.Microsecond {
			d = d.Round(time.Microsecond)
		}
		return d.String()
	}
	return metric.MustLookup("latency_ms.p99").Format(ms)
}

// arithmetic says how the number of connections comes about.
func (s *Size) arithmetic() []Item {
	sum := digits(s.UnderWay(), 4)
	list := []Item{{"under way", fmt.Sprintf("%s requests a second x %s = %s at a time (Little's law)", digits(s.PerSecond, 4), s.Latency, sum)}}
	if s.Burst > 0 {
		list = append(list, Item{"burst", fmt.Sprintf("%d more at one moment", s.Burst)})
		sum = fmt.Sprintf("(%s + %d)", sum, s.Burst)
	}
	return append(list, Item{"connections", fmt.Sprintf("%s + %g%% spare = %d", sum, math.Round(s.Spare*1000)/10, s.Connections())})
}

// notes say what the figures mean, and where they do not hold.
func (s *Size) notes() []Item {
	var list []Item
	for _, p := range s.Pools {
		can := s.PerSecondOf(p.Connections)
		if can < s.PerSecond {
			list = append(list, Item{p.Name, fmt.Sprintf("%s can serve %s requests a second: the queue grows by %s each second.",
				words.Plural(p.Connections, "connection"), digits(can, 4), digits(s.PerSecond-can, 4))})
		}
		if m := p.Measured; m != nil && m.InFlight > 0 && m.Answered > 0 {
			took := float64(p.Connections) * millis(s.Taken) / float64(m.Answered)
			list = append(list, Item{"", fmt.Sprintf("Measured: always busy, it served a request in %s (%d x %s / %d). So %s would be under way here.",
				latencyText(took), p.Connections, s.Taken, m.Answered, digits(s.PerSecond*took/1000, 3))})
		}
		if p.Measured != nil && p.LateMS > millis(s.Latency)/2 {
			list = append(list, Item{p.Name, fmt.Sprintf("This machine sent requests up to %s late (p99): what was measured includes that.",
				latencyText(p.LateMS))})
		}
	}
	return append(list,
		Item{"latency", "is how long a request keeps its connection, with its time on the network. Measure it under load: where it doubles, so do the connections."},
		Item{"sockets", "are the connections that are opened. A limit above that costs nothing by itself, and no longer protects a server that becomes slow."},
		Item{"clients", "share the number: four processes have a quarter of it each."},
	)
}
