package series

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ClientMetrics are the counters of a client that keeps some, or of a server that
// counts for it. A group that nobody counts is nil. Everything counts since the
// load began.
type ClientMetrics struct {
	Requests    *Requests    `json:"requests,omitempty"`
	Connections *ClientConns `json:"connections,omitempty"`
	Pool        *Pool        `json:"pool,omitempty"`
	// Latency is how long finished requests took, and ScheduleLate how long after
	// its time a request was begun.
	Latency      *Quantiles `json:"latency_ms,omitempty"`
	ScheduleLate *Quantiles `json:"schedule_late_ms,omitempty"`
	Process      *Process   `json:"process,omitempty"`
	// ServerProcess is the process of the server, where it is one of the lab's own;
	// Process is the client's.
	ServerProcess *Process `json:"server_process,omitempty"`
	// Values are what the code of a pair says of itself, such as the states of its
	// pool; nil where it says nothing.
	Values map[string]float64 `json:"values,omitempty"`
}

// Requests counts requests: sent = ok + failed + in flight.
type Requests struct {
	Sent     int64 `json:"sent"`
	OK       int64 `json:"ok"`
	Failed   int64 `json:"failed"`
	InFlight int64 `json:"in_flight"`
	// Serving are those that a server of HTTP/2 has received and not ended, as it says:
	// there may be more of them than connections. 0 with other servers.
	Serving int64 `json:"serving,omitempty"`
	// Received is how many requests came to the server by its own count. It is known of
	// a program of the user's, which says itself what became of its requests.
	Received *int64 `json:"received,omitempty"`
	// Attempts is how often a request was sent over HTTP, or failed to get as far as
	// that: once for each, and once more whenever one was tried again. nil where only
	// requests are counted.
	Attempts *int64 `json:"attempts,omitempty"`
	// CutOff are those of Failed whose connection ended before the response did, and
	// TimedOut those that took too long.
	CutOff   int64 `json:"cut_off,omitempty"`
	TimedOut int64 `json:"timed_out,omitempty"`
	// Errors counts the failed ones by the name of their error.
	Errors map[string]int64 `json:"errors,omitempty"`
}

// Finished is how many requests have their response or have failed.
func (r *Requests) Finished() int64 { return r.OK + r.Failed }

// ErrorList writes the errors as "3 EOF, 1 timeout"; "" where there are none.
func (r *Requests) ErrorList() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.Errors)) {
		parts = append(parts, fmt.Sprintf("%d %s", r.Errors[name], name))
	}
	return strings.Join(parts, ", ")
}

// ClientConns counts TCP connections as the client, or its server, sees them. What
// it does not count is nil.
type ClientConns struct {
	// Opened were established since the start, alive or gone.
	Opened int64 `json:"opened"`
	// Reused is the number of finished requests whose connection had been given to
	// an earlier request.
	Reused *int64 `json:"reused,omitempty"`
	// Failed are the attempts to connect that failed.
	Failed *int64 `json:"failed,omitempty"`
	// StaleReuse is the number of requests that failed, by an end of the connection
	// or by a timeout, on a connection that had served an earlier one.
	StaleReuse *int64 `json:"stale_reuse,omitempty"`
}

// Pool counts what a client's pools of connections have lent. It is nil where that is not
// known, as over HTTP/2, whose requests share a connection.
type Pool struct {
	// InUse are the connections that a request was given, and that neither went back to
	// their pool nor were closed.
	InUse int64 `json:"in_use"`
	// Idle are those that went back and were not closed; nil where some were opened that
	// no request was given.
	Idle *int64 `json:"idle,omitempty"`
	// Waiting are the requests that have asked for a connection and were not given one
	// yet: they wait for another request's, for a dial, or to try again.
	Waiting int64 `json:"waiting"`
}

// Quantiles is a distribution in milliseconds. Without values all are 0.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Process is what a process uses. Peaks are the largest seen so far. A figure that
// is not known is 0: no process has none.
type Process struct {
	// Descriptors is the number of open descriptors (on Windows, of handles).
	Descriptors     int `json:"descriptors,omitempty"`
	DescriptorsPeak int `json:"descriptors_peak,omitempty"`
	// DescriptorLimit is how many it may open, by its own report.
	DescriptorLimit int `json:"descriptor_limit,omitempty"`
	// Kinds counts the open descriptors by kind (see [socketstats.Kinds]); a kind that
	// is absent has none. nil where they are not known. Of a subject with several
	// processes, a socket that some of them share counts once; Descriptors is then
	// that of the process that has the most.
	Kinds map[string]int `json:"kinds,omitempty"`
	// Processes is how many processes these are; absent for one.
	Processes int `json:"processes,omitempty"`
	// UnseenChildren is before how many samples, since the processes were first seen,
	// children of theirs had ended that were in no sample; absent where what these
	// connected to is known all the same.
	UnseenChildren int `json:"unseen_children,omitempty"`
	// Threads is the number of threads now, Wakeups how often they went to sleep of
	// their own accord (voluntary context switches) since they were first seen, with
	// what they had then, and CPU the processor time since the process started.
	Threads     int           `json:"threads,omitempty"`
	ThreadsPeak int           `json:"threads_peak,omitempty"`
	Wakeups     int64         `json:"wakeups,omitempty"`
	CPU         time.Duration `json:"cpu_ns,omitempty"`
	// What follows is of Go programs that report it.
	Goroutines     int    `json:"goroutines,omitempty"`
	GoroutinesPeak int    `json:"goroutines_peak,omitempty"`
	RSSPeakBytes   uint64 `json:"rss_peak_bytes,omitempty"`
	// GCCycles is how many garbage collections completed. A collection closes
	// connections that the program merely forgot.
	GCCycles uint64 `json:"gc_cycles,omitempty"`
}
