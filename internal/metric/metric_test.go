package metric_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/metric"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

func counts(of map[socketstats.State]int) (c socketstats.Counts) {
	for state, n := range of {
		for range n {
			c.Add(&socketstats.Socket{State: state})
		}
	}
	return c
}

func ptr(n int64) *int64 { return &n }

// subject has a value for every metric; values differ, so that none is mistaken
// for another.
func subject() *series.Subject {
	return &series.Subject{Samples: []series.Sample{
		{Client: series.End{Counts: counts(map[socketstats.State]int{socketstats.Established: 30})}, Oldest: 1500 * time.Millisecond},
		{
			At:          time.Second,
			Client:      series.End{Counts: counts(map[socketstats.State]int{socketstats.Established: 7, socketstats.TimeWait: 2})},
			Server:      series.End{Counts: counts(map[socketstats.State]int{socketstats.Listen: 1})},
			Kernel:      socketstats.Counters{"OutRsts": 81},
			Servers:     []series.ServerCount{{Name: "b1", Requests: 91, Connections: 92}},
			KernelConns: &series.ConnCounts{Opened: 61, Closed: 62, WithTCPInfo: 63, ShortLived: 64},
			ClientMetrics: series.ClientMetrics{
				Requests: &series.Requests{
					Sent: 101, OK: 102, Failed: 103, InFlight: 104, Attempts: ptr(105), Errors: map[string]int64{"EOF": 106},
				},
				Connections:  &series.ClientConns{Opened: 111, Reused: ptr(112), Failed: ptr(113), StaleReuse: ptr(114)},
				Pool:         &series.Pool{InUse: 115, Idle: ptr(116), Waiting: 117},
				Latency:      &series.Quantiles{P50: 1.5, P99: 2.5, Max: 3.5},
				ScheduleLate: &series.Quantiles{P99: 4.5},
				Process:      &series.Process{DescriptorsPeak: 121, GoroutinesPeak: 122, RSSPeakBytes: 123, GCCycles: 124},
			},
		},
	}}
}

func TestEveryMetricHasItsOwnValue(t *testing.T) {
	t.Parallel()
	got := map[string]float64{}
	for _, v := range metric.Of(subject()) {
		require.NotContains(t, got, v.Name)
		got[v.Name] = v.Value
		require.NotEmpty(t, v.Title, v.Name)
		require.NotEmpty(t, v.Unit, v.Name)
		require.NotEmpty(t, v.Meaning, v.Name)
		again, err := metric.Lookup(v.Name)
		require.NoError(t, err)
		value, known := again.Get(subject())
		require.True(t, known, v.Name)
		require.Equal(t, v.Value, value, v.Name)
	}
	require.Equal(t, map[string]float64{
		"requests.sent": 101, "requests.ok": 102, "requests.failed": 103, "requests.in_flight": 104, "requests.attempts": 105, "requests.retries": 4,
		"requests.errors.EOF": 106, "connections.opened": 111, "connections.reused": 112, "connections.failed": 113,
		"connections.stale_reuse": 114, "pool.in_use": 115, "pool.idle": 116, "pool.waiting": 117, "process.fds_peak": 121, "process.goroutines_peak": 122, "process.rss_peak_bytes": 123,
		"process.gc_cycles": 124, "latency_ms.p50": 1.5, "latency_ms.p99": 2.5, "latency_ms.max": 3.5, "schedule_late_ms.p99": 4.5,
		"kernel_connections.opened": 61, "kernel_connections.closed": 62, "kernel_connections.with_tcp_info": 63,
		"kernel_connections.short_lived": 64, "growth_per_second": 0, "max_age_ms": 1500, "kernel.OutRsts": 81,
		"servers.b1.requests": 91, "servers.b1.connections": 92,
		"client.peak.ESTABLISHED": 30, "client.peak.TIME_WAIT": 2, "client.peak.open": 30, "client.peak.total": 30,
		"client.final.ESTABLISHED": 7, "client.final.TIME_WAIT": 2, "client.final.open": 7, "client.final.total": 9,
		"server.peak.LISTEN": 1, "server.peak.open": 0, "server.peak.total": 1, "server.final.LISTEN": 1, "server.final.open": 0, "server.final.total": 1,
	}, got)
}

// Three servers get as much each in the end, and one of them all of a moment or a third.
func TestABusyMomentIsSeenWhereTotalsAreEqual(t *testing.T) {
	t.Parallel()
	servers := func(a, b, c int64) series.Sample {
		return series.Sample{Servers: []series.ServerCount{{Name: "a", Requests: a}, {Name: "b", Requests: b}, {Name: "c", Requests: c}}}
	}
	for name, test := range map[string]struct {
		samples []series.Sample
		want    float64
	}{
		"one after the other":             {[]series.Sample{servers(0, 0, 0), servers(60, 0, 0), servers(60, 60, 0), servers(60, 60, 60)}, 180},
		"all at once":                     {[]series.Sample{servers(20, 20, 20), servers(40, 40, 40), servers(60, 60, 60)}, 60},
		"a moment is not shorter":         {[]series.Sample{servers(10, 0, 0), servers(10, 10, 0), servers(10, 10, 10)}, 10},
		"what is left is the last moment": {[]series.Sample{servers(30, 0, 0), servers(31, 2, 0)}, 32},
	} {
		m := metric.MustLookup("requests.busiest_of_moment")
		got, known := m.Get(&series.Subject{Samples: test.samples})
		require.True(t, known, name)
		require.Equal(t, test.want, got, name)
	}
}

func TestProcessorTimeIsThatOfTheRequestsSeen(t *testing.T) {
	t.Parallel()
	sample := func(ok, failed int64, cpu time.Duration) series.Sample {
		return series.Sample{ClientMetrics: series.ClientMetrics{
			Requests: &series.Requests{OK: ok, Failed: failed}, Process: &series.Process{CPU: cpu}, ServerProcess: &series.Process{CPU: 2 * cpu},
		}}
	}
	s := &series.Subject{Samples: []series.Sample{sample(1, 0, 50*time.Millisecond), sample(6, 5, 52*time.Millisecond)}}
	for name, want := range map[string]float64{"process.cpu_us_per_request": 200, "server_process.cpu_us_per_request": 400} {
		got, known := metric.MustLookup(name).Get(s)
		require.True(t, known, name)
		require.Equal(t, want, got, name)
		_, known = metric.MustLookup(name).Get(&series.Subject{Samples: s.Samples[:1]})
		require.False(t, known, name+": no request has ended since the first sample")
	}
}

func TestWhatNobodyCountsHasNoValue(t *testing.T) {
	t.Parallel()
	for _, m := range metric.All() {
		_, known := m.Get(&series.Subject{})
		require.False(t, known, m.Name)
	}
	byKernel := &series.Subject{Samples: []series.Sample{{KernelConns: &series.ConnCounts{Opened: 5}}}}
	opened, err := metric.Lookup("connections.opened")
	require.NoError(t, err)
	n, known := opened.Get(byKernel)
	require.True(t, known, "the kernel counts where the client does not")
	require.Equal(t, 5.0, n)
}

func TestAWrongNameSaysWhichThereAre(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"requests.sendt":          "use one of requests.sent, requests.ok",
		"nonsense":                "a metric begins with one of requests, latency_ms",
		"client.final.ESTABLISHD": "unknown TCP state",
		"kernel.NoSuch":           "the kernel has no counter",
		"servers.X.requests":      "write servers.NAME.requests or servers.NAME.connections",
		"requests.errors.":        "unknown metric",
	} {
		_, err := metric.Lookup(name)
		require.ErrorContains(t, err, want, name)
	}
}

func TestValuesAreWrittenInTheirUnit(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]string{
		"latency_ms.p99":          {"2.013s", "latency p99 2.013s"},
		"connections.opened":      {"2012.50", "2012 connections opened"},
		"client.final.CLOSE_WAIT": {"2012.50", "2012 CLOSE_WAIT sockets left at the client"},
		"server.final.open":       {"2012.50", "2012 open sockets left at the server"},
		"process.rss_peak_bytes":  {"0.0 MiB", "memory, peak 0.0 MiB"},
		"growth_per_second":       {"+2012.5/s", "growth of open sockets +2012.5/s"},
		"requests.retries":        {"2012.50", "2012 repeated attempts"},
		"client.peak.total":       {"2012.50", "2012 sockets at most at the client"},
	} {
		m, err := metric.Lookup(name)
		require.NoError(t, err)
		require.Equal(t, want[0], m.Format(2012.5))
		require.Equal(t, want[1], m.Phrase(2012.5))
	}
}
