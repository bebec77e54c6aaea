package loadgen

import (
	"maps"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"socketlab/internal/series"
)

// Report is what a client has done and uses at one moment. A client of ours
// counts everything: of its groups and figures only those of a pool may be nil.
type Report struct {
	series.ClientMetrics
	// At is the time since the load began.
	At time.Duration `json:"at_ns"`
	// Stopped says why the load was ended before its time; "" if it was not.
	Stopped string `json:"stopped,omitempty"`
	// Refused is what the code would have done that leaves the loopback; "" if nothing.
	Refused string `json:"refused,omitempty"`
	// Texts are of a program of the user's: of the errors with a name the text of the
	// first.
	Texts map[string]string `json:"texts,omitempty"`
	// Done says that the whole schedule was sent, or stopped.
	Done bool `json:"done"`
	// Final says that this is the client's last report.
	Final bool `json:"final"`
}

func quantilesOf(h *hdrhistogram.Histogram) *series.Quantiles {
	if h.TotalCount() == 0 {
		return &series.Quantiles{}
	}
	ms := func(micros int64) float64 { return float64(micros) / 1000 }
	return &series.Quantiles{
		P50: ms(h.ValueAtQuantile(50)),
		P99: ms(h.ValueAtQuantile(99)),
		Max: ms(h.Max()),
	}
}

// metrics returns the counters as they stand, so that sent = ok + failed + in
// flight whenever it is called.
func (c *counters) metrics() series.ClientMetrics {
	c.mu.Lock()
	defer c.mu.Unlock()
	// ok and failed change under mu only; sent is read last, since requests
	// begin at any time.
	ok, failed := c.ok.Load(), c.failed.Load()
	sent, attempts := c.sent.Load(), c.attempts.Load()
	reused, refused, stale := c.reused.Load(), c.refused.Load(), c.stale.Load()
	requests := &series.Requests{
		Sent: sent, OK: ok, Failed: failed, InFlight: sent - ok - failed,
		Attempts: &attempts, TimedOut: c.errors["timeout"], Errors: maps.Clone(c.errors),
	}
	for _, name := range cutOff {
		requests.CutOff += c.errors[name]
	}
	opened := c.opened.Load()
	return series.ClientMetrics{
		Requests:     requests,
		Pool:         c.pools.metrics(opened),
		Connections:  &series.ClientConns{Opened: opened, Reused: &reused, Failed: &refused, StaleReuse: &stale},
		Latency:      quantilesOf(c.latency),
		ScheduleLate: quantilesOf(c.late),
	}
}
