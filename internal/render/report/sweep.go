package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"socketlab/internal/loadgen"
	"socketlab/internal/verdict"
)

// sweepSchema names the form of a sweep in JSON. Names are only ever added.
const sweepSchema = "sockwatch.sweep/v1"

// Sweep is what the fixed code of a scenario showed at several values of one
// client setting.
type Sweep struct {
	Scenario string  `json:"scenario"`
	Title    string  `json:"title"`
	Setting  string  `json:"setting"`
	Speed    float64 `json:"speed"`
	Seed     uint64  `json:"seed"`
	// PerSecond is the script's highest rate, and LatencyMS the time that its
	// server takes for a request, at the speed that was played; UnderWay is the
	// one times the other (Little's law): how many requests are under way at a
	// time. 0 where the load has no rate.
	PerSecond float64 `json:"requests_per_second"`
	LatencyMS float64 `json:"server_latency_ms"`
	UnderWay  float64 `json:"under_way"`
	// Points are in the order of their values.
	Points []SweepPoint `json:"points"`
}

// SweepPoint is one value, and what it showed.
type SweepPoint struct {
	Value       int                 `json:"value"`
	Requests    loadgen.Requests    `json:"requests"`
	Connections loadgen.Connections `json:"connections"`
	LatencyMS   loadgen.Latency     `json:"latency_ms"`
	Verdict     verdict.Kind        `json:"verdict"`
}

// near is how many times the least p99 one may be that is still called as good.
const near = 2

// Predicted is the least value by Little's law, and false where that says
// nothing.
func (s Sweep) Predicted() (int, bool) {
	return int(math.Ceil(s.UnderWay - 1e-6)), s.UnderWay > 0
}

// Measured is the least value from which on every one leaves no request waiting
// and has a p99 of at most twice the least of all; false if there is none.
func (s Sweep) Measured() (int, bool) {
	least := math.Inf(1)
	for _, p := range s.Points {
		if p.Requests.InFlight == 0 && p.LatencyMS.P99 > 0 {
			least = min(least, p.LatencyMS.P99)
		}
	}
	knee, found := 0, false
	for i := len(s.Points) - 1; i >= 0; i-- {
		p := s.Points[i]
		if p.Requests.InFlight > 0 || p.LatencyMS.P99 == 0 || p.LatencyMS.P99 > near*least {
			break
		}
		knee, found = p.Value, true
	}
	return knee, found
}

// WriteSweep writes a sweep as a table or as JSON.
func WriteSweep(w io.Writer, format string, s Sweep) error {
	if format == "json" {
		return writeSweepJSON(w, s)
	}
	out := &sink{w: w}
	out.printf("%s: %s\n", s.Scenario, s.Title)
	out.printf("the fixed code at %d values of %s, speed %g, seed %d\n", len(s.Points), s.Setting, s.Speed, s.Seed)
	table := tablewriter.NewTable(out, headerAsIs,
		tablewriter.WithHeaderAlignment(tw.AlignLeft), tablewriter.WithRowAlignment(tw.AlignRight))
	table.Header([]string{s.Setting, "p50", "p99", "ok", "failed", "waiting", "opened", "verdict"})
	for _, p := range s.Points {
		r := p.Requests
		if err := table.Append([]string{
			strconv.Itoa(p.Value), sweepTime(p, p.LatencyMS.P50), sweepTime(p, p.LatencyMS.P99), fmt.Sprint(r.OK), fmt.Sprint(r.Failed),
			fmt.Sprint(r.InFlight), fmt.Sprint(p.Connections.Opened), string(p.Verdict),
		}); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	writeChart(out, s)
	writeKnees(out, s)
	return out.err
}

// sweepTime is a latency, or says that there was none.
func sweepTime(p SweepPoint, v float64) string {
	if p.Requests.OK+p.Requests.Failed == 0 {
		return "-"
	}
	return ms(v)
}

// writeChart draws p99 on a logarithmic scale, and the connections beside it.
func writeChart(out *sink, s Sweep) {
	const width, narrow = 32, 16
	low, high, most := math.Inf(1), 0.0, int64(1)
	for _, p := range s.Points {
		if v := p.LatencyMS.P99; v > 0 {
			low, high = min(low, v), max(high, v)
		}
		most = max(most, p.Connections.Opened)
	}
	predicted, isPredicted := s.Predicted()
	measured, isMeasured := s.Measured()
	at := -1 // the first value that is enough by the law
	for i, p := range s.Points {
		if at < 0 && isPredicted && p.Value >= predicted {
			at = i
		}
	}
	out.printf("\n%*s  %-*s  %s\n", len(s.Setting), s.Setting, width+9, "p99, logarithmic", "connections")
	for i, p := range s.Points {
		bar := 0
		if v := p.LatencyMS.P99; v > 0 {
			bar = 1 // the least has a sixth of the scale, so that it can be seen
			if high > low {
				bar = int(math.Round(width/6 + (width-width/6)*math.Log(v/low)/math.Log(high/low)))
			}
		}
		beside := strings.Repeat("o", int(math.Ceil(float64(narrow)*float64(p.Connections.Opened)/float64(most))))
		var marks []string
		if i == at {
			marks = append(marks, "predicted")
		}
		if isMeasured && p.Value == measured {
			marks = append(marks, "measured")
		}
		mark := ""
		if len(marks) > 0 {
			mark = "  <- " + strings.Join(marks, ", ")
		}
		left := fmt.Sprintf("%s %s", strings.Repeat("#", bar), sweepTime(p, p.LatencyMS.P99))
		right := fmt.Sprintf("%s %d", beside, p.Connections.Opened)
		out.printf("%s\n", strings.TrimRight(fmt.Sprintf("%*d  %-*s  %-*s%s", len(s.Setting), p.Value, width+9, left, narrow+4, right, mark), " "))
	}
}

func writeKnees(out *sink, s Sweep) {
	out.printf("\n")
	if knee, ok := s.Predicted(); ok {
		out.printf("predicted knee  %d: %g requests a second x %s = %.3g under way (Little's law)\n", knee,
			math.Round(s.PerSecond*100)/100, ms(s.LatencyMS), s.UnderWay)
	} else {
		out.printf("predicted knee  none: the load has no rate, or the server no delay\n")
	}
	if knee, ok := s.Measured(); ok {
		out.printf("measured knee   %d: from here on p99 is at most %d times the least, and no request waits at the end\n", knee, near)
	} else {
		out.printf("measured knee   none: requests wait, or p99 still falls, at the largest value\n")
	}
}

func writeSweepJSON(w io.Writer, s Sweep) error {
	type knees struct {
		Predicted *int `json:"predicted_knee,omitempty"`
		Measured  *int `json:"measured_knee,omitempty"`
	}
	var k knees
	if knee, ok := s.Predicted(); ok {
		k.Predicted = &knee
	}
	if knee, ok := s.Measured(); ok {
		k.Measured = &knee
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(struct {
		Schema string `json:"schema"`
		Sweep
		knees
	}{sweepSchema, s, k})
}
