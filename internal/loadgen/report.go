package loadgen

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what a client has done and uses at one moment. Its JSON names are
// those of a run.
type Report struct {
	// At is the time since the load began.
	At          time.Duration `json:"at_ns"`
	Requests    Requests      `json:"requests"`
	Connections Connections   `json:"connections"`
	Process     Process       `json:"process"`
	Latency     Latency       `json:"latency_ms"`
	// ScheduleLate is how long after its time a request was begun.
	ScheduleLate Latency `json:"schedule_late_ms"`
	// Stopped says why the load was ended before its time; "" if it was not.
	Stopped string `json:"stopped,omitempty"`
	// Done says that the whole schedule was sent, or stopped.
	Done bool `json:"done"`
	// Final says that this is the client's last report.
	Final bool `json:"final"`
	// Failure says how a client that is a command of the user's failed; "" if
	// it did not.
	Failure string `json:"failure,omitempty"`
	// Unknown names what is not known of such a client, as metrics or groups of
	// them: "requests", "connections.reused". What is named here is 0.
	Unknown []string `json:"unknown,omitempty"`
}

// Knows reports whether a metric, or a whole group of them, is known.
func (r Report) Knows(metric string) bool {
	return !slices.ContainsFunc(r.Unknown, func(name string) bool {
		return metric == name || strings.HasPrefix(metric, name+".")
	})
}

// Requests counts requests: sent = ok + failed + in flight.
type Requests struct {
	Sent     int64 `json:"sent"`
	OK       int64 `json:"ok"`
	Failed   int64 `json:"failed"`
	InFlight int64 `json:"in_flight"`
	// Attempts is how often a request was sent over HTTP, or failed to get as far as
	// that: once for each, and once more whenever one was tried again.
	Attempts int64 `json:"attempts"`
	// Errors counts the failed ones by the names of [ErrorName].
	Errors map[string]int64 `json:"errors"`
}

// CutOff are the failed requests whose connection ended before the answer.
func (r Requests) CutOff() int64 {
	var n int64
	for _, name := range cutOff {
		n += r.Errors[name]
	}
	return n
}

// ErrorList writes the errors as "3 EOF, 1 timeout"; "" where there are none.
func (r Requests) ErrorList() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.Errors)) {
		parts = append(parts, fmt.Sprintf("%d %s", r.Errors[name], name))
	}
	return strings.Join(parts, ", ")
}

// Connections counts TCP connections.
type Connections struct {
	// Opened were established since the start, alive or gone.
	Opened int64 `json:"opened"`
	// Reused is the number of finished requests whose connection had been
	// given to an earlier request.
	Reused int64 `json:"reused"`
	// Failed are the attempts to connect that failed.
	Failed int64 `json:"failed"`
	// StaleReuse is the number of requests that failed, by an end of the connection
	// or by a timeout, on a connection that had served an earlier one.
	StaleReuse int64 `json:"stale_reuse"`
}

// Process is what the client's process uses.
type Process struct {
	// FDs is the number of open descriptors (on Windows, of handles); the
	// Peak fields are the largest seen so far.
	FDs            int    `json:"fds"`
	FDsPeak        int    `json:"fds_peak"`
	Goroutines     int    `json:"goroutines"`
	GoroutinesPeak int    `json:"goroutines_peak"`
	RSSPeakBytes   uint64 `json:"rss_peak_bytes"`
	// GCCycles is how many garbage collections completed. A collection
	// closes connections that the program merely forgot.
	GCCycles uint64 `json:"gc_cycles"`
}

// Latency is a distribution in milliseconds. With no values all are 0.
type Latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	ms := func(micros int64) float64 { return float64(micros) / 1000 }
	if h.TotalCount() == 0 {
		return Latency{}
	}
	return Latency{
		P50: ms(h.ValueAtQuantile(50)),
		P99: ms(h.ValueAtQuantile(99)),
		Max: ms(h.Max()),
	}
}

// report returns the counters as they stand, so that sent = ok + failed + in flight
// whenever it is called.
func (b *counters) report() Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	// ok and failed change under mu only; sent is read last, since requests
	// begin at any time.
	ok, failed := b.ok.Load(), b.failed.Load()
	sent := b.sent.Load()
	return Report{
		Requests: Requests{
			Sent: sent, OK: ok, Failed: failed, InFlight: sent - ok - failed,
			Attempts: b.attempts.Load(), Errors: maps.Clone(b.errors),
		},
		Connections: Connections{
			Opened: b.opened.Load(), Reused: b.reused.Load(), Failed: b.refused.Load(), StaleReuse: b.staleReuse.Load(),
		},
		Latency:      latencyOf(b.latency),
		ScheduleLate: latencyOf(b.late),
	}
}
