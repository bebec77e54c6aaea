package report

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/provenance"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// runSchema names the form of a run in JSON. Names are only ever added.
const runSchema = "sockwatch.run/v1"

type runJSON struct {
	Schema       string           `json:"schema"`
	Scenario     string           `json:"scenario"`
	Title        string           `json:"title"`
	Commands     *lab.Commands    `json:"commands,omitempty"`
	Speed        float64          `json:"speed"`
	Seed         uint64           `json:"seed"`
	GoVersion    string           `json:"go_version"`
	Source       string           `json:"source"`
	Isolated     bool             `json:"isolated"`
	Faulty       sideJSON         `json:"faulty"`
	Fixed        sideJSON         `json:"fixed"`
	Features     []expect.Feature `json:"features"`
	Expectations []expect.Result  `json:"expectations"`
	OK           bool             `json:"ok"`
	Stopped      string           `json:"stopped,omitempty"`
	DurationMS   int64            `json:"duration_ms"`
	Sampler      samplerJSON      `json:"sampler"`
	Provenance   *provenance.Info `json:"provenance,omitempty"`
}

// samplerJSON is what watching cost.
type samplerJSON struct {
	Samples    int     `json:"samples"`
	IntervalMS float64 `json:"interval_ms"`
	// TookMS is the mean time that a sample took, and LongestMS the most.
	TookMS    float64 `json:"took_ms"`
	LongestMS float64 `json:"longest_ms"`
	// CPUMS is the mean CPU time that a sample took.
	CPUMS float64 `json:"cpu_ms"`
}

func toSamplerJSON(run *lab.Run) samplerJSON {
	c, n := run.Sampling, max(run.Sampling.Samples, 1)
	millis := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return samplerJSON{
		Samples: c.Samples, IntervalMS: millis(run.Script.SampleInterval.D()), LongestMS: millis(c.Longest),
		TookMS: millis(c.Took / time.Duration(n)), CPUMS: millis(c.CPU / time.Duration(n)),
	}
}

type sideJSON struct {
	Requests     loadgen.Requests    `json:"requests"`
	Connections  loadgen.Connections `json:"connections"`
	Client       lab.End             `json:"client"`
	Server       lab.End             `json:"server"`
	Process      loadgen.Process     `json:"process"`
	LatencyMS    loadgen.Latency     `json:"latency_ms"`
	MaxAgeMS     float64             `json:"max_age_ms"`
	ScheduleLate loadgen.Latency     `json:"schedule_late_ms"`
	Samples      int                 `json:"samples"`
	// Servers is what each of several servers has done.
	Servers map[string]lab.ServerCount `json:"servers,omitempty"`
	// KernelConnections is what the kernel saw of the side's connections.
	KernelConnections *lab.ConnCounts `json:"kernel_connections,omitempty"`
	// Kernel is what the kernel counted in an isolated side's namespace.
	Kernel  socketstats.Counters `json:"kernel,omitempty"`
	Verdict verdict.Verdict      `json:"verdict"`
	// Failure says how a command failed, and Unknown which figures are 0 only
	// because nothing is known of them.
	Failure string   `json:"failure,omitempty"`
	Unknown []string `json:"unknown,omitempty"`
}

func writeJSON(w io.Writer, entries []Entry, list bool) error {
	objects := make([]runJSON, 0, len(entries))
	for _, e := range entries {
		objects = append(objects, toJSON(e))
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if len(objects) == 1 && !list {
		return out.Encode(objects[0])
	}
	return out.Encode(objects)
}

func toJSON(e Entry) runJSON {
	side := func(s scenario.Side) sideJSON {
		m := e.Run.Of(s)
		j := sideJSON{
			Requests: m.Report.Requests, Connections: m.Report.Connections,
			Client: m.Client, Server: m.Server,
			Process: m.Report.Process, LatencyMS: m.Report.Latency, ScheduleLate: m.Report.ScheduleLate,
			Samples: len(m.Client.Series), Kernel: m.Kernel, KernelConnections: m.Connections, Verdict: e.Outcome.Of(s),
			Failure: m.Report.Failure, Unknown: m.Report.Unknown,
			MaxAgeMS: float64(m.Oldest().Microseconds()) / 1000,
		}
		if n := len(m.Samples); n > 0 {
			j.Servers = m.Samples[n-1].Servers
		}
		if j.Requests.Errors == nil {
			j.Requests.Errors = map[string]int64{}
		}
		return j
	}
	return runJSON{
		Schema: runSchema, Scenario: e.Run.Scenario, Title: e.Run.Title, Commands: e.Run.Commands,
		Speed: e.Run.Speed, Seed: e.Run.Seed, GoVersion: e.Run.GoVersion,
		Source: e.Run.Source, Isolated: e.Run.Isolated,
		Faulty: side(scenario.Faulty), Fixed: side(scenario.Fixed),
		Features: features(e), Expectations: e.Outcome.Expectations, OK: e.Outcome.OK,
		Stopped: e.Run.Stopped, DurationMS: e.Run.Duration.Milliseconds(),
		Sampler: toSamplerJSON(e.Run), Provenance: e.Run.Provenance,
	}
}

// figures names every figure of a run that CSV lists: the fixed ones, and the
// errors and socket states that occurred.
func figures(run *lab.Run) []string {
	names := scenario.Metrics()
	seen := map[string]bool{}
	for _, side := range scenario.Sides() {
		for name := range run.Of(side).Report.Requests.Errors {
			seen["requests.errors."+name] = true
		}
		ends := map[string]socketstats.Counts{"client": run.Of(side).Client.Peak, "server": run.Of(side).Server.Peak}
		for end, peak := range ends {
			for _, s := range socketstats.States() {
				if peak.Of(s) > 0 {
					seen[end+".peak."+s.String()], seen[end+".final."+s.String()] = true, true
				}
			}
			seen[end+".peak.total"], seen[end+".final.total"] = true, true
		}
	}
	var more []string
	for name := range seen {
		more = append(more, name)
	}
	slices.Sort(more)
	return append(names, more...)
}
