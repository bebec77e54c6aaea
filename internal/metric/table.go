package metric

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// table holds the metrics with fixed names, in the order in which they are shown;
// those that belong together follow each other.
var table = []Metric{
	{
		Name: "requests.sent", Title: "requests sent", Unit: Count, Noun: "request", Rest: "sent",
		Meaning: "Requests that were begun.",
		Why:     "both sides get the same work",
		Get:     requests(func(r *series.Requests) int64 { return r.Sent }),
	},
	{
		Name: "requests.ok", Title: "requests ok", Unit: Count, Noun: "request", Rest: "answered",
		Meaning: "Requests that got the whole of a good response.",
		Why:     "what the users got",
		Get:     requests(func(r *series.Requests) int64 { return r.OK }),
	},
	{
		Name: "requests.failed", Title: "requests failed", Unit: Count, Noun: "request", Rest: "failed",
		Meaning: "Requests that ended with an error or a bad status.",
		Why:     "what the users did not get",
		Get:     requests(func(r *series.Requests) int64 { return r.Failed }),
	},
	{
		Name: "requests.in_flight", Title: "requests in flight", Unit: Count, Noun: "request", Rest: "left in flight",
		Meaning: "Requests that were begun and have not ended.",
		Why:     "neither answered nor given up",
		Get:     requests(func(r *series.Requests) int64 { return r.InFlight }),
	},
	{
		Name: "requests.attempts", Title: "attempts", Unit: Count, Noun: "attempt",
		Meaning: "How often a request was sent, or failed to be sent: once for each, and once more for each retry.",
		Why:     "each request over HTTP, and each retry", Detail: true,
		Get: func(s *series.Subject) (float64, bool) {
			if r := s.Metrics().Requests; r != nil {
				return optional(r.Attempts)
			}
			return 0, false
		},
	},
	{
		Name: "requests.retries", Title: "requests tried again", Unit: Count, Noun: "repeated attempt",
		Meaning: "Attempts beyond the first of each request.",
		Why:     "they add to the load of a server that fails", Rare: true,
		Get: func(s *series.Subject) (float64, bool) {
			if r := s.Metrics().Requests; r != nil && r.Attempts != nil {
				return float64(max(0, *r.Attempts-r.Sent)), true
			}
			return 0, false
		},
	},
	{
		Name: "requests.busiest_server", Title: "requests at the busiest server", Unit: Count, Noun: "request", Rest: "to the busiest server",
		Meaning: "The most requests that one of several servers got, by its own count.",
		Why:     "an equal share is all requests divided by the servers", Detail: true,
		Get: func(s *series.Subject) (float64, bool) {
			last, most := s.Last(), 0
			if last == nil || len(last.Servers) < 2 {
				return 0, false
			}
			for _, server := range last.Servers {
				most = max(most, int(server.Requests))
			}
			return float64(most), true
		},
	},
	{
		Name: "requests.busiest_of_moment", Title: "requests at each moment's busiest server", Unit: Count, Noun: "request", Rest: "to the busiest server of their moment",
		Meaning: "The most requests that one of several servers got in a moment, added up over all moments; a moment is the time between samples in which all of them got 30 requests or more.",
		Why:     "totals are equal, too, where one server at a time has all", Detail: true,
		Get: busiestOfMoment,
	},
	{
		Name: "latency_ms.p50", Title: "latency p50", Unit: Milliseconds,
		Meaning: "The median time of a finished request.",
		Why:     "from the moment that a request was due",
		Get:     latency(func(q *series.Quantiles) float64 { return q.P50 }),
	},
	{
		Name: "latency_ms.p99", Title: "latency p99", Unit: Milliseconds,
		Meaning: "The time within which 99 of 100 requests finished.",
		Why:     "what the slowest hundredth waits",
		Get:     latency(func(q *series.Quantiles) float64 { return q.P99 }),
	},
	{
		Name: "latency_ms.max", Title: "latency max", Unit: Milliseconds,
		Meaning: "The longest time of a finished request.",
		Why:     "what the slowest request waits",
		Get:     latency(func(q *series.Quantiles) float64 { return q.Max }),
	},
	{
		Name: "schedule_late_ms.p99", Title: "schedule lateness p99", Unit: Milliseconds,
		Meaning: "How long after its time a request was begun, of 99 in 100: above some milliseconds the machine was too busy.",
		Why:     "above some milliseconds the machine was too busy to trust the rest", Detail: true,
		Get: func(s *series.Subject) (float64, bool) {
			if q := s.Metrics().ScheduleLate; q != nil {
				return q.P99, true
			}
			return 0, false
		},
	},
	{
		Name: "connections.opened", Title: "connections opened", Unit: Count, Noun: "connection", Rest: "opened",
		Meaning: "TCP connections that were established, alive or gone, as the client counts them; where it does not, as the kernel does: a connection with both its ends in the subject counts at each end, as its two sockets do.",
		Why:     "each costs a handshake, a port and two descriptors",
		Get: func(s *series.Subject) (float64, bool) {
			if c := s.Metrics().Connections; c != nil {
				return float64(c.Opened), true
			}
			if c := s.KernelConns(); c != nil {
				return float64(c.Opened), true
			}
			return 0, false
		},
	},
	{
		Name: "connections.reused", Title: "connections reused", Unit: Count, Noun: "connection", Rest: "reused",
		Meaning: "Finished requests whose connection had served an earlier one.",
		Why:     "a connection that is used again costs nothing new",
		Get:     connections(func(c *series.ClientConns) *int64 { return c.Reused }),
	},
	{
		Name: "connections.failed", Title: "connects failed", Unit: Count, Noun: "connect", Rest: "failed",
		Meaning: "Attempts to connect that failed.",
		Why:     "no request gets further", Rare: true,
		Get: connections(func(c *series.ClientConns) *int64 { return c.Failed }),
	},
	{
		Name: "connections.stale_reuse", Title: "requests on a stale connection", Unit: Count, Noun: "request", Rest: "on a stale connection",
		Meaning: "Requests that failed because the connection that they were given had ended or its peer was gone.",
		Why:     "the pool handed out a dead connection", Rare: true,
		Get: connections(func(c *series.ClientConns) *int64 { return c.StaleReuse }),
	},
	{
		Name: "pool.in_use", Title: "pool: in use", Unit: Count, Noun: "connection", Rest: "in use",
		Meaning: "Connections that a request was given by net/http's pool, and that neither went back to it nor were closed.",
		Why:     "what is never given back is in use for good", Detail: true,
		Get: pool(func(p *series.Pool) *int64 { return &p.InUse }),
	},
	{
		Name: "pool.idle", Title: "pool: idle", Unit: Count, Noun: "connection", Rest: "idle in the pool",
		Meaning: "Connections that went back to net/http's pool and were not closed; not known where some were opened that no request was given.",
		Why:     "the next request takes one of them", Detail: true,
		Get: pool(func(p *series.Pool) *int64 { return p.Idle }),
	},
	{
		Name: "pool.waiting", Title: "pool: requests waiting", Unit: Count, Noun: "request", Rest: "waiting for a connection",
		Meaning: "Requests that have asked net/http's pool for a connection and were not given one yet.",
		Why:     "no socket shows them", Rare: true,
		Get: pool(func(p *series.Pool) *int64 { return &p.Waiting }),
	},
	{
		Name: "max_age_ms", Title: "oldest socket", Unit: Milliseconds,
		Meaning: "How long the oldest socket at the client's end was there, TIME_WAIT aside, as far as the samples show.",
		Why:     "how long it was there, as far as the samples show",
		Get: func(s *series.Subject) (float64, bool) {
			return float64(s.Oldest()) / float64(time.Millisecond), s.PeakOpen(socketstats.Client) > 0
		},
	},
	{
		Name: "growth_per_second", Title: "growth of open sockets", Unit: PerSecond,
		Meaning: "The median slope of the open sockets, at the end that grows more, while the subject was at work, without the first third; 0 where it may be chance.",
		Why:     "what grows reaches a limit one day", Prometheus: "socketlab_open_sockets_growth_per_second",
		Get: func(s *series.Subject) (float64, bool) {
			return float64(s.Growth()), len(s.Samples) > 0
		},
	},
	{
		Name: "process.fds_peak", Title: "descriptors, peak", Unit: Count, Noun: "descriptor", Rest: "at most",
		Meaning: "The most descriptors (on Windows handles) that the client's process had open.",
		Why:     "at the limit nothing can be opened any more, not even a log",
		Get:     process(func(p *series.Process) (float64, bool) { return float64(p.DescriptorsPeak), p.DescriptorsPeak > 0 }),
	},
	{
		Name: "process.goroutines_peak", Title: "goroutines, peak", Unit: Count, Noun: "goroutine", Rest: "at most",
		Meaning: "The most goroutines that the client's process had.",
		Why:     "an open HTTP connection has two",
		Get:     process(func(p *series.Process) (float64, bool) { return float64(p.GoroutinesPeak), p.GoroutinesPeak > 0 }),
	},
	{
		Name: "process.rss_peak_bytes", Title: "memory, peak", Unit: Bytes,
		Meaning: "The largest resident set of the client's process.",
		Why:     "buffers of connections that are kept for nothing", Detail: true,
		Get: process(func(p *series.Process) (float64, bool) { return float64(p.RSSPeakBytes), p.RSSPeakBytes > 0 }),
	},
	{
		Name: "process.gc_cycles", Title: "garbage collections", Unit: Count, Noun: "garbage collection",
		Meaning: "Garbage collections that completed in the client's process. One closes connections that the program merely forgot.",
		Why:     "one closes connections that a program merely forgot",
		Get:     process(func(p *series.Process) (float64, bool) { return float64(p.GCCycles), p.GoroutinesPeak > 0 }),
	},
	{
		Name: "process.threads_peak", Title: "threads, peak", Unit: Count, Noun: "thread", Rest: "at most",
		Meaning: "The most threads that the client's process had.",
		Why:     "a thread has a stack, and the kernel has to schedule it", Detail: true,
		Get: process(func(p *series.Process) (float64, bool) { return float64(p.ThreadsPeak), p.ThreadsPeak > 0 }),
	},
	{
		Name: "process.cpu_us_per_request", Title: "CPU per request, µs", Unit: Count,
		Meaning: "The processor time of the client's process, of user and system, in microseconds for each request that ended, from the first sample on.",
		Why:     "a handshake costs more of it than a request", Detail: true,
		Get: cpuPerRequest(func(m series.ClientMetrics) *series.Process { return m.Process }),
	},
	{
		Name: "server_process.fds", Title: "server's descriptors", Unit: Count, Noun: "descriptor", Rest: "held by the server",
		Meaning: "The descriptors that the server's process has open at the end.",
		Why:     "what a server does not close it keeps", Detail: true,
		Get: serverProcess(func(p *series.Process) (float64, bool) { return float64(p.Descriptors), p.Descriptors > 0 }),
	},
	{
		Name: "server_process.fds_peak", Title: "server's descriptors, peak", Unit: Count, Noun: "descriptor", Rest: "at most at the server",
		Meaning: "The most descriptors that the server's process had open.",
		Why:     "at the limit it can accept nothing more", Detail: true,
		Get: serverProcess(func(p *series.Process) (float64, bool) { return float64(p.DescriptorsPeak), p.DescriptorsPeak > 0 }),
	},
	{
		Name: "server_process.goroutines", Title: "server's goroutines", Unit: Count, Noun: "goroutine", Rest: "left at the server",
		Meaning: "The goroutines that the server's process has at the end.",
		Why:     "a handler that never returns keeps its goroutine", Detail: true,
		Get: serverProcess(func(p *series.Process) (float64, bool) { return float64(p.Goroutines), p.Goroutines > 0 }),
	},
	{
		Name: "server_process.goroutines_peak", Title: "server's goroutines, peak", Unit: Count, Noun: "goroutine", Rest: "at most at the server",
		Meaning: "The most goroutines that the server's process had.",
		Why:     "each connection of a server has one", Detail: true,
		Get: serverProcess(func(p *series.Process) (float64, bool) { return float64(p.GoroutinesPeak), p.GoroutinesPeak > 0 }),
	},
	{
		Name: "server_process.threads_peak", Title: "server's threads, peak", Unit: Count, Noun: "thread", Rest: "at most at the server",
		Meaning: "The most threads that the server's process had.",
		Why:     "a thread has a stack, and the kernel has to schedule it", Detail: true,
		Get: serverProcess(func(p *series.Process) (float64, bool) { return float64(p.ThreadsPeak), p.ThreadsPeak > 0 }),
	},
	{
		Name: "server_process.rss_peak_bytes", Title: "server's memory, peak", Unit: Bytes,
		Meaning: "The largest resident set of the server's process.",
		Why:     "what each connection costs the server", Detail: true,
		Get: serverProcess(func(p *series.Process) (float64, bool) { return float64(p.RSSPeakBytes), p.RSSPeakBytes > 0 }),
	},
	{
		Name: "server_process.cpu_us_per_request", Title: "server's CPU per request, µs", Unit: Count,
		Meaning: "The processor time of the server's process, of user and system, in microseconds for each request that ended, from the first sample on.",
		Why:     "with less of it for each, a server answers more", Detail: true,
		Get: cpuPerRequest(func(m series.ClientMetrics) *series.Process { return m.ServerProcess }),
	},
	{
		Name: "kernel_connections.opened", Title: "opened, by the kernel", Unit: Count, Noun: "connection", Rest: "opened",
		Meaning: "Connections that the kernel saw opened, also between two samples; one with both its ends in the subject counts at each end.",
		Why:     "also those between two samples", Detail: true, Prometheus: "socketlab_connections_opened_total end",
		Get: kernelConns(func(c *series.ConnCounts) int { return c.Opened }),
	},
	{
		Name: "kernel_connections.closed", Title: "closed, by the kernel", Unit: Count, Noun: "connection", Rest: "closed",
		Meaning: "Connections of these whose socket is no more. What lingers in TIME_WAIT is closed.",
		Why:     "opened less closed is what is still there",
		Get:     kernelConns(func(c *series.ConnCounts) int { return c.Closed }),
	},
	{
		Name: "kernel_connections.with_tcp_info", Title: "closed ones with tcp_info", Unit: Count,
		Meaning: "Closed connections of which the kernel said what they carried.",
		Why:     "of these it is known what they carried", Detail: true,
		Get: kernelConns(func(c *series.ConnCounts) int { return c.WithTCPInfo }),
	},
	{
		Name: "kernel_connections.short_lived", Title: "short-lived connections", Unit: Count, Noun: "connection", Rest: "used once or twice",
		Meaning: "Closed connections that were used once or twice.",
		Why:     "a handshake for one or two uses", Detail: true, Prometheus: "socketlab_connections_closed_total end how=short_lived",
		Get: kernelConns(func(c *series.ConnCounts) int { return c.ShortLived }),
	},
}

func requests(get func(*series.Requests) int64) func(*series.Subject) (float64, bool) {
	return func(s *series.Subject) (float64, bool) {
		if r := s.Metrics().Requests; r != nil {
			return float64(get(r)), true
		}
		return 0, false
	}
}

func connections(get func(*series.ClientConns) *int64) func(*series.Subject) (float64, bool) {
	return func(s *series.Subject) (float64, bool) {
		if c := s.Metrics().Connections; c != nil {
			return optional(get(c))
		}
		return 0, false
	}
}

func pool(get func(*series.Pool) *int64) func(*series.Subject) (float64, bool) {
	return func(s *series.Subject) (float64, bool) {
		if p := s.Metrics().Pool; p != nil {
			return optional(get(p))
		}
		return 0, false
	}
}

func process(get func(*series.Process) (float64, bool)) func(*series.Subject) (float64, bool) {
	return func(s *series.Subject) (float64, bool) {
		if p := s.Metrics().Process; p != nil {
			return get(p)
		}
		return 0, false
	}
}

func serverProcess(get func(*series.Process) (float64, bool)) func(*series.Subject) (float64, bool) {
	return func(s *series.Subject) (float64, bool) {
		if p := s.Metrics().ServerProcess; p != nil {
			return get(p)
		}
		return 0, false
	}
}

// cpuPerRequest leaves out what a process needs to start.
func cpuPerRequest(of func(series.ClientMetrics) *series.Process) func(*series.Subject) (float64, bool) {
	return func(s *series.Subject) (float64, bool) {
		if len(s.Samples) == 0 {
			return 0, false
		}
		first, last := s.Samples[0].ClientMetrics, s.Metrics()
		before, after := of(first), of(last)
		if before == nil || after == nil || before.CPU == 0 || first.Requests == nil || last.Requests == nil {
			return 0, false
		}
		ended := last.Requests.Finished() - first.Requests.Finished()
		return float64(after.CPU-before.CPU) / float64(time.Microsecond) / float64(max(1, ended)), ended > 0
	}
}

func latency(get func(*series.Quantiles) float64) func(*series.Subject) (float64, bool) {
	return func(s *series.Subject) (float64, bool) {
		m := s.Metrics()
		if m.Latency == nil || (m.Requests != nil && m.Requests.Finished() == 0) {
			return 0, false // what was never answered took no time
		}
		return get(m.Latency), true
	}
}

// busiestOfMoment is requests.busiest_of_moment. Of fewer requests than 30 one server has
// a large share by chance.
func busiestOfMoment(s *series.Subject) (float64, bool) {
	const enough = 30
	last := s.Last()
	if last == nil || len(last.Servers) < 2 {
		return 0, false
	}
	var sum int64
	before := map[string]int64{}
	for i := range s.Samples {
		var all, most int64
		for _, server := range s.Samples[i].Servers {
			n := server.Requests - before[server.Name]
			all, most = all+n, max(most, n)
		}
		if all < enough && i < len(s.Samples)-1 {
			continue
		}
		sum += most
		for _, server := range s.Samples[i].Servers {
			before[server.Name] = server.Requests
		}
	}
	return float64(sum), true
}

func kernelConns(get func(*series.ConnCounts) int) func(*series.Subject) (float64, bool) {
	return func(s *series.Subject) (float64, bool) {
		if c := s.KernelConns(); c != nil {
			return float64(get(c)), true
		}
		return 0, false
	}
}

func optional(n *int64) (float64, bool) {
	if n == nil {
		return 0, false
	}
	return float64(*n), true
}
