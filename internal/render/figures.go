package render

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"socketlab/internal/metric"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/words"
)

// noResponse stands for how long responses took where there was none.
const noResponse = "no response"

// figures is what was measured: a column for each subject, and a row for each
// socket state that was seen, each metric that is known of any, each feature, and
// the verdict. A comparison of faulty with fixed has a column for the difference.
func (o *Observed) figures() Table {
	t := Table{Name: "what was measured", Columns: []Column{{Title: "sockets: peak / final"}}}
	for _, s := range o.Observation.Subjects {
		t.Columns = append(t.Columns, Column{Title: s.Name, Number: true})
	}
	_, _, pair := o.pair()
	if pair {
		t.Columns = append(t.Columns, Column{Title: "Δ", Number: true, Wide: true})
	}
	t.Columns = append(t.Columns, Column{Title: "why it matters", Wide: true})
	t.Groups = append(t.Groups, Group{Wide: true, Rows: []Row{
		o.row("client sockets, peak", "the highest point of the client's chart, TIME_WAIT included", "client.peak.total"),
		o.row("client sockets open, final", "each is a file descriptor; TIME_WAIT holds none", "client.final.open"),
		o.row("server sockets open, peak", "each is a descriptor of the server", "server.peak.open"),
	}})
	for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
		t.Groups = append(t.Groups, Group{Charted: true, Rows: o.stateRows(end)})
	}
	t.Groups = append(t.Groups, o.metricGroups()...)
	t.Groups = append(t.Groups, Group{Rows: o.kindRows()}, Group{Rows: o.wordRows()})
	t.Groups = slices.DeleteFunc(t.Groups, func(g Group) bool { return len(g.Rows) == 0 })
	return t
}

// row is a row of metrics, with the value of each for every subject.
func (o *Observed) row(title, why string, names ...string) Row {
	r := Row{Metrics: names, Cells: []Cell{cell(title)}}
	for _, s := range o.Observation.Subjects {
		var c Cell
		for _, name := range names {
			c = append(c, datum(metric.MustLookup(name), s))
		}
		r.Cells = append(r.Cells, c)
	}
	if faulty, fixed, pair := o.pair(); pair {
		m := metric.MustLookup(names[0])
		a, knownA := m.Get(faulty)
		b, knownB := m.Get(fixed)
		text := ""
		if knownA && knownB {
			text = difference(m, a, b)
		}
		r.Cells = append(r.Cells, cell(text))
	}
	r.Cells = append(r.Cells, cell(why))
	return r
}

// datum is the value of one metric.
func datum(m metric.Metric, s *series.Subject) Datum {
	v, known := m.Get(s)
	requests := s.Metrics().Requests
	switch {
	case known && m.Name == "requests.failed" && v > 0:
		return Datum{Text: fmt.Sprintf("%s (%s)", m.Format(v), requests.ErrorList()), Value: number(v)}
	case known && m.Name == "max_age_ms" && s.Endpoints == nil && s.Oldest() >= s.Last().At-s.Samples[0].At:
		return Datum{Text: m.Format(v) + " or more", Value: number(v)} // it was there when the watch began
	case known:
		return Datum{Text: m.Format(v), Value: number(v)}
	case strings.HasPrefix(m.Name, "latency_ms.") && requests != nil && requests.OK == 0:
		return Datum{Text: noResponse}
	}
	return Datum{Text: NotKnown}
}

// briefly is the value of a metric without the names of errors.
func briefly(name string, s *series.Subject) Datum {
	d := datum(metric.MustLookup(name), s)
	d.Text, _, _ = strings.Cut(d.Text, " (")
	return d
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// digits writes a number with so many digits that count, and none as a power of ten.
func digits(v float64, n int) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', n, 64), 64)
	if err != nil || math.Abs(rounded) < 1000 {
		return number(rounded)
	}
	return words.Count(int(rounded))
}

// stateRows has a row for each state that any subject ever had at an end.
func (o *Observed) stateRows(end socketstats.End) []Row {
	row := func(which string) Row {
		return o.row(end.String()+" "+which, "", end.String()+".peak."+which, end.String()+".final."+which)
	}
	var rows []Row
	for _, state := range socketstats.States() {
		if slices.ContainsFunc(o.Observation.Subjects, func(s *series.Subject) bool { return s.Peak(end).Of(state) > 0 }) {
			rows = append(rows, row(state.String()))
		}
	}
	return append(rows, row("open"), row("total"))
}

// metricGroups are the metrics that are known of any subject. Those whose names
// have the first word in common are a group; what stands alone joins the group
// before.
func (o *Observed) metricGroups() []Group {
	var groups []Group
	relayed := slices.ContainsFunc(o.Observation.Subjects, func(s *series.Subject) bool { return s.Relayed })
	before := ""
	for _, m := range o.metrics() {
		r := o.row(m.Title, m.Why, m.Name)
		r.Wide = m.Detail && (!relayed || m.Name != "kernel_connections.opened") // what clients count is a part of it
		word, _, many := strings.Cut(m.Name, ".")
		if word != before && (many && word != "schedule_late_ms") || len(groups) == 0 {
			groups = append(groups, Group{})
		}
		before = word
		last := &groups[len(groups)-1]
		last.Rows = append(last.Rows, r)
	}
	return groups
}

// metrics lists those of the table, and of each server where there are several,
// that are known of any subject; rare ones only where they are not 0.
func (o *Observed) metrics() []metric.Metric {
	list := metric.All()
	seen := map[string]bool{}
	for _, s := range o.Observation.Subjects {
		for _, v := range metric.Of(s) {
			if strings.HasPrefix(v.Name, metric.ServersPrefix) && !seen[v.Name] {
				seen[v.Name] = true
				list = append(list, v.Metric)
			}
		}
	}
	return slices.DeleteFunc(list, func(m metric.Metric) bool {
		return !slices.ContainsFunc(o.Observation.Subjects, func(s *series.Subject) bool {
			v, known := m.Get(s)
			return known && (v != 0 || !m.Rare) || datum(m, s).Text == noResponse
		})
	})
}

// kindRows has a row for each kind of descriptors that any subject has now.
func (o *Observed) kindRows() (rows []Row) {
	for _, kind := range socketstats.Kinds() {
		m := metric.MustLookup(metric.KindsPrefix + kind)
		if slices.ContainsFunc(o.Observation.Subjects, func(s *series.Subject) bool { n, _ := m.Get(s); return n > 0 }) {
			rows = append(rows, o.row("descriptors "+kind, "", m.Name))
		}
	}
	return rows
}

// whyFeature says why a feature matters.
var whyFeature = map[string]string{
	"persistent connections": "whether a connection serves more than one request",
	"idle handling":          "what becomes of connections that nobody uses",
	"closes on error":        "a failed request must not leave its connection behind",
	"socket trend":           "what grows reaches a limit one day",
}

// wordRows are the rows that have words for values: features and verdicts.
func (o *Observed) wordRows() []Row {
	row := func(title, why string, of func(*series.Subject) string) Row {
		r := Row{Cells: []Cell{cell(title)}}
		for _, s := range o.Observation.Subjects {
			r.Cells = append(r.Cells, cell(of(s)))
		}
		if _, _, pair := o.pair(); pair {
			r.Cells = append(r.Cells, cell(""))
		}
		r.Cells = append(r.Cells, cell(why))
		return r
	}
	var rows []Row
	for _, f := range o.Result.Features {
		rows = append(rows, row(f.Name, whyFeature[f.Name], func(s *series.Subject) string { return f.Of[s.ID] }))
	}
	if o.Worst().Kind != "" {
		rows = append(rows, row("verdict", "", func(s *series.Subject) string { return Label(o.Result.Verdicts[s.ID]) }))
	}
	return rows
}

// difference says how far the faulty side is from the fixed one: as a factor
// where that says more, as a difference otherwise.
func difference(m metric.Metric, faulty, fixed float64) string {
	factor := func(sign string, f float64) string {
		if f >= 10 {
			return fmt.Sprintf("%s%.0f", sign, f)
		}
		return fmt.Sprintf("%s%.1f", sign, f)
	}
	by := func(sign string, v float64) string { return sign + strings.TrimPrefix(m.Format(v), "+") }
	switch {
	case faulty == fixed:
		return "="
	case fixed > 0 && faulty >= 1.5*fixed:
		return factor("×", faulty/fixed)
	case faulty > 0 && fixed >= 1.5*faulty:
		return factor("÷", fixed/faulty)
	case math.Abs(faulty-fixed) <= 0.05*math.Max(faulty, fixed):
		return "≈"
	case faulty > fixed:
		return by("+", faulty-fixed)
	default:
		return by("−", fixed-faulty)
	}
}
