package verdict

import (
	"time"

	"socketlab/internal/socketstats"
)

// Series is what was seen of one subject: a process, several that belong
// together, or one side of a run. Only Samples are needed; what is not known is
// left zero, and judged without.
type Series struct {
	// Speed is how many times faster than in life everything goes; 0 is 1.
	Speed float64 `json:"speed,omitempty"`
	// Ended says that the subject has ended, or was watched to its end, so
	// that what is still waiting will wait for ever.
	Ended bool `json:"ended,omitempty"`
	// Paired says that the sockets at the server's end are the other ends of
	// those at the client's. Otherwise they are of other connections: those
	// that the subject accepted.
	Paired bool `json:"paired,omitempty"`
	// Relayed says that the server that the requests go to opens connections of
	// its own for them, which are among the sockets.
	Relayed bool               `json:"relayed,omitempty"`
	Limits  socketstats.Limits `json:"limits"`
	// Stopped says why the subject was stopped for the descriptors that it
	// held; "" if it was not.
	Stopped string   `json:"stopped,omitempty"`
	Samples []Sample `json:"samples"`
}

// Sample is what was seen at one moment.
type Sample struct {
	// At is the time since the first sample. It should come from a monotonic
	// clock; if it steps back all the same, time goes on from there.
	At time.Duration `json:"at_ns"`
	// Epoch changes when the subject was restarted: what other processes held
	// before is not this one's.
	Epoch  int `json:"epoch,omitempty"`
	Client End `json:"client"`
	Server End `json:"server"`
	// Flow is nil where nothing tells of connections between two samples.
	Flow *Flow `json:"flow,omitempty"`
	// Unknown is how many connections came and went since the first sample that
	// may have been the subject's or another's.
	Unknown int `json:"unknown,omitempty"`
	// Requests is nil where nobody counts them.
	Requests *Requests `json:"requests,omitempty"`
	// Servers are those that could have had the requests; nil where there is
	// only one, or nobody counts.
	Servers []Server `json:"servers,omitempty"`
	// UpstreamConns is the open connections to the servers behind the first; see
	// [Series.Relayed].
	UpstreamConns int `json:"upstream_connections,omitempty"`
	// Queue is that of the subject's fullest listener; nil without one.
	Queue *Queue `json:"queue,omitempty"`
	// Kernel is what the kernel counted for this subject alone; nil where it
	// counts for others, too.
	Kernel socketstats.Counters `json:"kernel,omitempty"`
	// Descriptors are those open in the process that has the most; 0 if that is
	// not known.
	Descriptors int `json:"descriptors,omitempty"`
}

// End is the sockets at one end of the subject's connections.
type End struct {
	Counts socketstats.Counts `json:"counts"`
	// Activity is nil where the source does not tell.
	Activity *socketstats.Activity `json:"activity,omitempty"`
}

// Flow is the connections that came and went since the first sample, also
// between two of them.
type Flow struct {
	Opened int `json:"opened"`
	Closed int `json:"closed"`
	// WithTCPInfo are those of Closed of which the kernel said how much they
	// carried, and ShortLived those of WithTCPInfo that carried one exchange or two.
	WithTCPInfo int `json:"with_tcp_info,omitempty"`
	ShortLived  int `json:"short_lived,omitempty"`
	// Inferred are those of Closed of which nobody knows for certain that they
	// were the subject's.
	Inferred int `json:"inferred,omitempty"`
}

// Requests are what the client metrics say since the first sample.
type Requests struct {
	Sent     int `json:"sent"`
	OK       int `json:"ok"`
	Failed   int `json:"failed"`
	InFlight int `json:"in_flight"`
	// Reused are the finished requests on a connection that had served one
	// before.
	Reused int `json:"reused"`
	// CutOff are those of Failed whose connection ended before the answer did.
	CutOff int `json:"cut_off,omitempty"`
	// Slowest is the longest time that a finished request took.
	Slowest time.Duration `json:"slowest_ns,omitempty"`
	// TimedOut are those of Failed that took too long.
	TimedOut int `json:"timed_out,omitempty"`
	// StaleReuse are those of Failed whose connection had served before, and then
	// ended or kept silent.
	StaleReuse int `json:"stale_reuse,omitempty"`
	// Attempts is how often a request was sent, or failed to get as far as that: once
	// for each, and once more whenever one was tried again. 0 where that is not
	// known.
	Attempts int `json:"attempts,omitempty"`
	// Refused are the attempts to connect that failed.
	Refused int `json:"refused,omitempty"`
}

// answered is how many requests are finished.
func (r *Requests) answered() int { return r.OK + r.Failed }

// Server is one of several.
type Server struct {
	Name string `json:"name"`
	// Requests is how many have come to it since the first sample.
	Requests int `json:"requests"`
	// Due says that requests should go to it now: it is one of those that a
	// balancer spreads over, or the one that the name stands for.
	Due bool `json:"due,omitempty"`
}

// Queue is the connections that wait for a listener to accept them.
type Queue struct {
	Waiting int `json:"waiting"`
	// Limit is the most that may wait; the kernel lets in one more.
	Limit int `json:"limit"`
}
