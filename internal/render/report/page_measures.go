package report

import (
	"fmt"
	"math"
	"strings"

	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
)

// measure is one row of the table of a page.
type measure struct {
	// Metric is the row's name in the JSON of a run, where it has one.
	Metric        string
	Name          string
	Faulty, Fixed value
	Difference    string
	Why           string
}

// value is a figure as it is shown, and as programs read it; Data is "" where
// there is no figure.
type value struct{ Text, Data string }

// measured are the figures of the table, top to bottom. The states have a table
// of their own.
var measured = []struct{ metric, name, why string }{
	{"connections.opened", "connections opened", "each costs a handshake, a port and two descriptors"},
	{"connections.reused", "connections reused", "a connection that is used again costs nothing new"},
	{"max_age_ms", "oldest socket", "how long it was open, as far as the samples show"},
	{"process.fds_peak", "descriptors, peak", "at the limit nothing can be opened any more, not even a log"},
	{"process.goroutines_peak", "goroutines, peak", "an open HTTP connection has two"},
	{"process.rss_peak_bytes", "memory, peak", "buffers of connections that are kept for nothing"},
	{"process.gc_cycles", "garbage collections", "one closes connections that a program merely forgot"},
	{"requests.sent", "requests sent", "both sides get the same work"},
	{"requests.ok", "requests ok", "what the users got"},
	{"requests.failed", "requests failed", "what the users did not get"},
	{"requests.attempts", "attempts", "the first of each request over HTTP, and every one after it"},
	{"requests.in_flight", "requests waiting", "neither answered nor given up"},
	{"latency_ms.p50", "latency p50", "from the moment that a request was due"},
	{"latency_ms.p99", "latency p99", "what the unlucky ones wait"},
	{"latency_ms.max", "latency max", "what the unluckiest one waits"},
}

// whyFeature says why a feature of a judgement matters.
var whyFeature = map[string]string{
	"persistent connections": "whether a connection serves more than one request",
	"idle handling":          "what becomes of connections that nobody uses",
	"closes on error":        "a failed request must not leave its connection behind",
	"socket trend":           "what climbs reaches a limit one day",
}

// measures are the rows of a run.
func measures(e Entry, client, server *render.Snapshot) []measure {
	count := func(name, metric, why string, faulty, fixed int) measure {
		return measure{metric, name, plain(faulty), plain(fixed), difference("", float64(faulty), float64(fixed)), why}
	}
	rows := []measure{
		count("client sockets, peak", "client.peak.total", "the highest point of the client's chart, TIME_WAIT included", client.Faulty.Most, client.Fixed.Most),
		count("client sockets held, final", "", "each is a file descriptor; TIME_WAIT holds none", client.Faulty.Held, client.Fixed.Held),
		count("server sockets, peak", "", "the same of the server's chart", server.Faulty.Most, server.Fixed.Most),
	}
	for _, m := range measured {
		if m.metric == "requests.attempts" && e.Run.Faulty.Report.Requests.Attempts+e.Run.Fixed.Report.Requests.Attempts == 0 {
			continue // nobody counted them: the requests are not HTTP
		}
		rows = append(rows, measureOf(e.Run, m.metric, m.name, m.why))
	}
	for _, r := range rare(e.Run) {
		rows = append(rows, measure{Name: r.name, Faulty: value{Text: r.faulty}, Fixed: value{Text: r.fixed}})
	}
	for _, f := range features(e) {
		rows = append(rows, measure{Name: f.Name, Faulty: value{Text: f.Faulty}, Fixed: value{Text: f.Fixed}, Why: whyFeature[f.Name]})
	}
	return rows
}

func plain(n int) value { return value{fmt.Sprint(n), fmt.Sprint(n)} }

// measureOf is the row of one metric of a run.
func measureOf(run *lab.Run, metric, name, why string) measure {
	row := measure{Metric: metric, Name: name, Why: why}
	var figures []float64
	for _, side := range scenario.Sides() {
		s := run.Of(side)
		v := value{Text: notKnown}
		f, ok := s.Metric(metric)
		switch {
		case !ok || !s.Report.Knows(metric):
		case unanswered(metric, s.Report):
			v.Text = noAnswer
		default:
			v = value{figure(metric, f), fmt.Sprint(f)}
			figures = append(figures, f)
		}
		if metric == "requests.failed" && s.Report.Requests.Failed > 0 {
			v.Text = failures(s.Report)
		}
		if side == scenario.Faulty {
			row.Faulty = v
		} else {
			row.Fixed = v
		}
	}
	if len(figures) == 2 {
		row.Difference = difference(metric, figures[0], figures[1])
	}
	return row
}

// unanswered reports whether a metric is how long answers took, and there was
// none.
func unanswered(metric string, r loadgen.Report) bool {
	return strings.HasPrefix(metric, "latency_ms.") && r.Requests.OK+r.Requests.Failed == 0
}

// noAnswer stands for how long answers took where there was none.
const noAnswer = "no answer"

// figure writes a figure for people.
func figure(metric string, v float64) string {
	switch {
	case metric == "process.rss_peak_bytes":
		return fmt.Sprintf("%.1f MiB", v/(1<<20))
	case scenario.IsTime(metric):
		return ms(v)
	default:
		return lab.Format(metric, v)
	}
}

// difference says how far the faulty side is from the fixed one: as a factor
// where that says more, as a difference otherwise.
func difference(metric string, faulty, fixed float64) string {
	factor := func(sign string, f float64) string {
		if f >= 10 {
			return fmt.Sprintf("%s%.0f", sign, f)
		}
		return fmt.Sprintf("%s%.1f", sign, f)
	}
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
		return "+" + figure(metric, faulty-fixed)
	default:
		return "−" + figure(metric, fixed-faulty)
	}
}
