// Package lab plays a scenario: it starts both sides' processes, gives both
// the same load at the same time, samples their sockets, ends the processes,
// and yields a run.
//
// A run is a value. It is the sum of its events, so a recording gives the same
// run again.
package lab

import (
	"fmt"
	"math"
	"strings"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/provenance"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// Run is what one play of a scenario showed.
type Run struct {
	Begin
	Faulty, Fixed Side
	// Duration is the time from the start of the load to the last sample.
	Duration time.Duration
	// Over says that the run has come to an end, and Stopped why that was before
	// its time; "" if it was not.
	Over    bool
	Stopped string
	// Sampling is what watching cost.
	Sampling Cost
}

// Cost is what samples cost.
type Cost struct {
	Samples int
	// Took and CPU are the sums over all samples, and Longest the most that
	// one took.
	Took, CPU, Longest time.Duration
}

func (c *Cost) add(s *Sample) {
	c.Samples++
	c.Took += s.Took
	c.CPU += s.CPU
	c.Longest = max(c.Longest, s.Took)
}

// Side is what one side of a run showed.
type Side struct {
	// Report is the client's last report.
	Report loadgen.Report
	// Samples are the side's parts of the samples.
	Samples []SideSample
	// Client and Server are the two ends' sockets.
	Client, Server End
	// Kernel is what the kernel counted in the side's network namespace by
	// the last sample; nil if the run was not isolated.
	Kernel socketstats.Counters
	// Sampled is what the kernel had seen of the side's connections by the last
	// sample, and Connections what it had seen when the client had sent its
	// last report: what the client says lies between. nil where the source
	// does not tell.
	Sampled, Connections *ConnCounts
}

// End is the sockets at one end of a side's connections.
type End struct {
	// Peak is the most seen of each state, and the largest total.
	Peak socketstats.Counts `json:"peak"`
	// Final is what the last sample showed.
	Final socketstats.Counts `json:"final"`
	// Series is the count of every sample, in order.
	Series []Point `json:"-"`
}

// Point is one end's sockets at one time.
type Point struct {
	At     time.Duration
	Counts socketstats.Counts
}

// Of returns one side of the run.
func (r *Run) Of(side scenario.Side) *Side {
	if side == scenario.Faulty {
		return &r.Faulty
	}
	return &r.Fixed
}

// Event is one line of a recording: just one of its fields is set.
type Event struct {
	Begin  *Begin  `json:"begin,omitempty"`
	Sample *Sample `json:"sample,omitempty"`
	End    *Ending `json:"end,omitempty"`
}

// RecordSchema names the form of a recording, in its first line.
const RecordSchema = "sockwatch.record/v1"

// Begin is what was played, and with what.
type Begin struct {
	Schema    string          `json:"schema"`
	Script    scenario.Script `json:"script"`
	Scenario  string          `json:"scenario"`
	Title     string          `json:"title"`
	Speed     float64         `json:"speed"`
	Seed      uint64          `json:"seed"`
	GoVersion string          `json:"go_version"`
	Source    string          `json:"source"`
	// UnsupportedStates are the states that the source could not see.
	UnsupportedStates []socketstats.State `json:"unsupported_states,omitempty"`
	Isolated          bool                `json:"isolated"`
	Started           time.Time           `json:"started"`
	// Limits are those of the client's processes.
	Limits socketstats.Limits `json:"limits"`
	// FaultyAt and FixedAt say where each side's processes are.
	FaultyAt Endpoint `json:"faulty_at"`
	FixedAt  Endpoint `json:"fixed_at"`
	// Relayed says that the first server opens connections of its own to those
	// behind it.
	Relayed bool `json:"relayed,omitempty"`
	// Commands are the programs that were compared; nil for a scenario.
	Commands *Commands `json:"commands,omitempty"`
	// Provenance is what played it, and where; nil if nobody said, as in recordings
	// of before it was kept.
	Provenance *provenance.Info `json:"provenance,omitempty"`
}

// at is where one side's processes are.
func (b *Begin) at(side scenario.Side) *Endpoint {
	if side == scenario.Faulty {
		return &b.FaultyAt
	}
	return &b.FixedAt
}

// Endpoint is where one side's processes are.
type Endpoint struct {
	Server    string `json:"server"`
	ServerPID int    `json:"server_pid"`
	ClientPID int    `json:"client_pid"`
	// Supervisor is the process that holds the side's namespace; 0 without one.
	Supervisor int `json:"supervisor,omitempty"`
	// LeftBehind is how many sockets of earlier connections the server's
	// port had when the run began. They are not counted.
	LeftBehind int `json:"left_behind,omitempty"`
}

// Sample is one count of both sides' sockets, at the same moment.
type Sample struct {
	// At is the time since the start of the load, when the count was begun.
	At time.Duration `json:"at_ns"`
	// Took is the time that the count cost, and CPU the processor's part of
	// it, in sockwatch and in the kernel for it; 0 where the system does not
	// tell.
	Took   time.Duration `json:"took_ns"`
	CPU    time.Duration `json:"cpu_ns"`
	Faulty SideSample    `json:"faulty"`
	Fixed  SideSample    `json:"fixed"`
}

// SideSample is one side's part of a sample.
type SideSample struct {
	Client socketstats.Counts `json:"client"`
	Server socketstats.Counts `json:"server"`
	// ClientActivity and ServerActivity are what the connections did; nil where the
	// source does not tell.
	ClientActivity *socketstats.Activity `json:"client_activity,omitempty"`
	ServerActivity *socketstats.Activity `json:"server_activity,omitempty"`
	// Kernel is what the kernel counted in the side's network namespace since
	// the run began; nil where the side has none of its own.
	Kernel socketstats.Counters `json:"kernel,omitempty"`
	// Connections is what the kernel saw of the side's connections; nil where
	// the source does not tell.
	Connections *ConnCounts `json:"connections,omitempty"`
	// UpstreamConns is the open connections to the servers behind the first, at the
	// client's end.
	UpstreamConns int `json:"upstream_connections,omitempty"`
	// Oldest is how long the oldest open socket at the client's end has been
	// there, as far as the samples show.
	Oldest time.Duration `json:"oldest_ns,omitempty"`
	// Servers is what each of several servers has done; nil where there is one.
	Servers map[string]ServerCount `json:"servers,omitempty"`
	// Report is the newest one that the client had sent by then.
	Report loadgen.Report `json:"report"`
}

// ServerCount is what one of several servers has done.
type ServerCount struct {
	Requests    int64 `json:"requests"`
	Connections int64 `json:"connections"`
	// Due says that requests should go to it now.
	Due bool `json:"due,omitempty"`
}

// Of returns one side of the sample.
func (s *Sample) Of(side scenario.Side) *SideSample {
	if side == scenario.Faulty {
		return &s.Faulty
	}
	return &s.Fixed
}

// Ending is how a run ended.
type Ending struct {
	Duration time.Duration `json:"duration_ns"`
	Stopped  string        `json:"stopped,omitempty"`
	// Faulty and Fixed are the clients' last reports.
	Faulty loadgen.Report `json:"faulty"`
	Fixed  loadgen.Report `json:"fixed"`
	// FaultySeen and FixedSeen are what the kernel had seen by then.
	FaultySeen *ConnCounts `json:"faulty_seen,omitempty"`
	FixedSeen  *ConnCounts `json:"fixed_seen,omitempty"`
}

// Add enters one event.
func (r *Run) Add(e Event) {
	switch {
	case e.Begin != nil:
		r.Begin = *e.Begin
	case e.Sample != nil:
		for _, side := range scenario.Sides() {
			r.Of(side).add(e.Sample.At, *e.Sample.Of(side))
		}
		r.Duration = e.Sample.At
		r.Sampling.add(e.Sample)
	case e.End != nil:
		r.Over, r.Duration, r.Stopped = true, e.End.Duration, e.End.Stopped
		r.Faulty.Report, r.Fixed.Report = e.End.Faulty, e.End.Fixed
		r.Faulty.Connections, r.Fixed.Connections = e.End.FaultySeen, e.End.FixedSeen
	}
}

func (s *Side) add(at time.Duration, sample SideSample) {
	s.Report = sample.Report
	s.Samples = append(s.Samples, sample)
	s.Client.add(at, sample.Client)
	s.Server.add(at, sample.Server)
	s.Kernel, s.Sampled = sample.Kernel, sample.Connections
}

func (e *End) add(at time.Duration, c socketstats.Counts) {
	e.Peak = e.Peak.Max(c)
	e.Final = c
	e.Series = append(e.Series, Point{at, c})
}

// Metric returns one of the side's figures by the name that it has in the JSON
// of a run, and false if there is no such figure.
func (s *Side) Metric(name string) (float64, bool) {
	r := s.Report
	switch name {
	case "requests.sent":
		return float64(r.Requests.Sent), true
	case "requests.ok":
		return float64(r.Requests.OK), true
	case "requests.failed":
		return float64(r.Requests.Failed), true
	case "requests.in_flight":
		return float64(r.Requests.InFlight), true
	case "connections.opened":
		return float64(r.Connections.Opened), true
	case "connections.reused":
		return float64(r.Connections.Reused), true
	case "connections.failed":
		return float64(r.Connections.Failed), true
	case "connections.stale_reuse":
		return float64(r.Connections.StaleReuse), true
	case "requests.attempts":
		return float64(r.Requests.Attempts), true
	case "max_age_ms":
		return float64(s.Oldest()) / float64(time.Millisecond), true
	case "process.fds_peak":
		return float64(r.Process.FDsPeak), true
	case "process.goroutines_peak":
		return float64(r.Process.GoroutinesPeak), true
	case "process.rss_peak_bytes":
		return float64(r.Process.RSSPeakBytes), true
	case "process.gc_cycles":
		return float64(r.Process.GCCycles), true
	case "latency_ms.p50":
		return r.Latency.P50, true
	case "latency_ms.p99":
		return r.Latency.P99, true
	case "latency_ms.max":
		return r.Latency.Max, true
	}
	if errorName, ok := strings.CutPrefix(name, "requests.errors."); ok {
		return float64(r.Requests.Errors[errorName]), true
	}
	if counter, ok := strings.CutPrefix(name, "kernel."); ok {
		return float64(s.Kernel[counter]), s.Kernel != nil && socketstats.IsCounter(counter)
	}
	if server, ok := strings.CutPrefix(name, "servers."); ok {
		return s.server(server)
	}
	return s.sockets(name)
}

// Oldest is the longest that an open socket at the client's end was there, from
// the first sample that shows it to the last.
func (s *Side) Oldest() time.Duration {
	var oldest time.Duration
	for _, sample := range s.Samples {
		oldest = max(oldest, sample.Oldest)
	}
	return oldest
}

// server resolves NAME.requests and NAME.connections, by the last sample.
func (s *Side) server(name string) (float64, bool) {
	name, figure, _ := strings.Cut(name, ".")
	if len(s.Samples) == 0 {
		return 0, false
	}
	count, ok := s.Samples[len(s.Samples)-1].Servers[name]
	switch figure {
	case "requests":
		return float64(count.Requests), ok
	case "connections":
		return float64(count.Connections), ok
	}
	return 0, false
}

// sockets resolves client.peak.ESTABLISHED and the like.
func (s *Side) sockets(name string) (float64, bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 3 {
		return 0, false
	}
	counts, ok := map[string]socketstats.Counts{
		"client.peak": s.Client.Peak, "client.final": s.Client.Final,
		"server.peak": s.Server.Peak, "server.final": s.Server.Final,
	}[parts[0]+"."+parts[1]]
	if !ok {
		return 0, false
	}
	if parts[2] == "total" {
		return float64(counts.Total()), true
	}
	state, err := socketstats.ParseState(parts[2])
	if err != nil {
		return 0, false
	}
	return float64(counts.Of(state)), true
}

// Format writes a metric's value the way tables and expectations show it.
func Format(metric string, v float64) string {
	if scenario.IsTime(metric) {
		return time.Duration(v * float64(time.Millisecond)).Round(10 * time.Microsecond).String()
	}
	if v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
