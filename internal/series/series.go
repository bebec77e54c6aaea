// Package series holds the values that the whole lab speaks in: an observation
// of any number of subjects on one clock, the samples of each, and what follows
// from them alone (peaks, growth, how many connections came and went).
//
// An observation is the sum of its events, so a recording of the events gives
// the same observation again. What is not known is absent (nil), never zero. The
// values know neither who took the samples nor who reads them.
package series

import (
	"slices"
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/where"
)

// Observation is what was seen of its subjects so far. The zero Observation is
// empty: [Observation.Add] fills it. It is for one goroutine.
type Observation struct {
	Header
	// Subjects are in the order in which they were first seen. One that is not in
	// the newest moment any more stays.
	Subjects []*Subject
	// Parts are the processes of those subjects that have several; their sockets are
	// among those of the subject that [Identity.Parent] names.
	Parts []*Subject
	// Duration is the time from the beginning to the last sample.
	Duration time.Duration
	// Over says that the observation has come to its end, and Stopped why that was
	// before its time; "" if it was not.
	Over    bool
	Stopped string
	// Gone says that every observed process has ended.
	Gone bool
	// Cost is what taking the samples cost.
	Cost Cost
	// Newest is the newest moment, without its subjects' samples; nil before the
	// first.
	Newest *Moment

	// byID has the subjects and the parts that [Observation.Add] has entered.
	byID map[string]*Subject
}

// Cost sums what samples took. The zero Cost is that of no sample.
type Cost struct {
	Samples int
	// Took and CPU are sums over all samples, Longest the most that one took.
	Took, CPU, Longest time.Duration
}

// Subject is whatever is observed: one side of a run, a process, a command.
type Subject struct {
	Identity
	// Samples are in the order of their time.
	Samples []Sample
	// Final is what was known of the subject at the very end; nil before.
	Final *Final
	// Holders has the lines of the program that hold its connections; nil where they were
	// not asked for, or cannot be known.
	Holders *where.Report
	// EndedAfter is how long the subject's process was observed that has ended since, while
	// others went on; 0 if it has not.
	EndedAfter time.Duration
}

// Sample is what was seen of one subject at one moment. Numbers of connections
// and requests count from the beginning of the observation.
type Sample struct {
	// At is the time since the beginning of the observation, by a clock that is
	// never set. A recording has it once, as that of the moment.
	At time.Duration `json:"-"`
	// Client and Server are the two ends of connections. Whether the server's ends
	// are the other ends of the client's says [Identity.Paired].
	Client End `json:"client"`
	Server End `json:"server"`
	// KernelConns is what the kernel saw come and go; nil where nothing reports it.
	KernelConns *ConnCounts `json:"kernel_connections,omitempty"`
	// Unattributed is how many connections came and went that may have been this
	// subject's or another's.
	Unattributed int `json:"unattributed,omitempty"`
	// FailedConnects is how many attempts to connect failed, or were given up, that may
	// have been this subject's or another's.
	FailedConnects int `json:"failed_connects,omitempty"`
	// FinWait2Held are the sockets of both ends in FIN_WAIT2 that have a descriptor:
	// the program shut down its direction and did not close. An orphan has none.
	FinWait2Held int `json:"fin_wait2_held,omitempty"`
	// Inherited are the open sockets at the client's end that a process of the
	// subject holds, and that an ancestor of it was seen to hold before and does not
	// any more: closing them in the ancestor did not close the connection.
	Inherited int `json:"inherited,omitempty"`
	// InTransaction are the open sockets at the client's end that have been silent for
	// ten seconds or longer, and of which a database on this machine says that a
	// transaction is open on them.
	InTransaction int `json:"in_transaction,omitempty"`
	// PeersHere is how many of the open sockets at the server's end have their client's
	// end on this machine, where that is asked: of a subject that [Identity.Serves].
	PeersHere int `json:"peers_here,omitempty"`
	// Upstreams is the open connections to the servers behind the first one, at
	// their client's end.
	Upstreams int `json:"upstreams,omitempty"`
	// Oldest is how long the oldest socket at the client's end has been there, as far as
	// the samples show: an open one, or one that was closed and is not in TIME_WAIT.
	Oldest time.Duration `json:"oldest_ns,omitempty"`
	// Queue is that of the subject's fullest listener; nil without one.
	Queue *Queue `json:"queue,omitempty"`
	// Kernel is what the kernel counted for this subject alone; nil where it counts
	// for others, too.
	Kernel socketstats.Counters `json:"kernel,omitempty"`
	// Servers are those that could have had the requests, by name; nil where there
	// is only one, or nobody counts.
	Servers []ServerCount `json:"servers,omitempty"`
	// ClientMetrics are the counters of the client, made right after the sockets
	// were listed: it knows of each connection that the list shows.
	ClientMetrics
	// Epoch changes when the subject was restarted: what other processes held
	// before is not this one's.
	Epoch int `json:"epoch,omitempty"`
	// Limits are those of the process; nil where they are not known or as before.
	Limits *socketstats.Limits `json:"limits,omitempty"`
	// Ended says that the subject's program had ended when its sockets were listed,
	// so that they were closed for it.
	Ended bool `json:"ended,omitempty"`
}

// End is the sockets at one end of a subject's connections.
type End struct {
	Counts socketstats.Counts `json:"counts"`
	// Activity is what the connections do; nil where the source does not report it.
	Activity *socketstats.Activity `json:"activity,omitempty"`
}

// Of returns one end of the sample.
func (s *Sample) Of(end socketstats.End) *End {
	if end == socketstats.Client {
		return &s.Client
	}
	return &s.Server
}

// ConnCounts are the connections that came and went, also those that lived
// between two samples. The [Ledger] computes them.
type ConnCounts struct {
	Opened int `json:"opened"`
	// Closed are those whose socket is no more. What lingers in TIME_WAIT is closed.
	Closed int `json:"closed"`
	// WithTCPInfo are those of Closed of which the kernel said what they carried,
	// and ShortLived those of WithTCPInfo that were used once or twice.
	WithTCPInfo int `json:"with_tcp_info,omitempty"`
	ShortLived  int `json:"short_lived,omitempty"`
	// AtOnce are those of WithTCPInfo that were closed within a second of their last
	// data. It is 0 in recordings from before it was known.
	AtOnce int `json:"at_once,omitempty"`
	// Inferred are those of Closed that are attributed to the subject because no
	// other process was seen to connect to where they went: without privilege the
	// kernel does not say whose a connection was.
	Inferred int `json:"inferred,omitempty"`
	// AtLeast says that events were lost, so that there were more.
	AtLeast bool `json:"at_least,omitempty"`
	// Refused are the attempts to connect that were refused (ECONNREFUSED), and RefusedAt
	// is where the last of them went; 0 and "" where it is not known.
	Refused   int    `json:"refused,omitempty"`
	RefusedAt string `json:"refused_at,omitempty"`
	// GivenUp are the attempts to connect that got no answer, and were given up.
	GivenUp int `json:"given_up,omitempty"`
	// Accepted is the part of these numbers that is of the server's end: what the
	// subject accepted. It is zero of a subject that is [Identity.Paired].
	Accepted AcceptedConns `json:"accepted,omitzero"`
}

// AcceptedConns are the connections of [ConnCounts] that the subject accepted.
type AcceptedConns struct {
	Opened      int `json:"opened"`
	Closed      int `json:"closed"`
	WithTCPInfo int `json:"with_tcp_info,omitempty"`
	ShortLived  int `json:"short_lived,omitempty"`
	AtOnce      int `json:"at_once,omitempty"`
}

// AtClient returns the counts without those of accepted connections.
func (c ConnCounts) AtClient() ConnCounts {
	c.Opened, c.Closed = max(0, c.Opened-c.Accepted.Opened), max(0, c.Closed-c.Accepted.Closed)
	c.WithTCPInfo, c.ShortLived = max(0, c.WithTCPInfo-c.Accepted.WithTCPInfo), max(0, c.ShortLived-c.Accepted.ShortLived)
	c.AtOnce = max(0, c.AtOnce-c.Accepted.AtOnce)
	c.Accepted = AcceptedConns{}
	return c
}

// AtServer returns the counts of accepted connections; Inferred is not known of them, and 0.
func (c ConnCounts) AtServer() ConnCounts {
	a := c.Accepted
	return ConnCounts{Opened: a.Opened, Closed: a.Closed, WithTCPInfo: a.WithTCPInfo, ShortLived: a.ShortLived, AtOnce: a.AtOnce, AtLeast: c.AtLeast}
}

// Queue is the connections that wait for a listener to accept them.
type Queue struct {
	Waiting int `json:"waiting"`
	// Limit is the listener's backlog; the kernel lets in one more.
	Limit int `json:"limit"`
	// Dead are those in CLOSE_WAIT at the listener's port that were not accepted yet:
	// the client has closed already.
	Dead int `json:"dead,omitempty"`
}

// ServerCount is what one of several servers has done.
type ServerCount struct {
	Name        string `json:"name"`
	Requests    int64  `json:"requests"`
	Connections int64  `json:"connections"`
	// Due says that requests should go to it now: it is one of those that a
	// balancer spreads over, or the one that the name stands for.
	Due bool `json:"due,omitempty"`
}

// Subject returns the subject, or the part of one, with an id; nil if there is none.
func (o *Observation) Subject(id string) *Subject {
	if o.indexed() {
		return o.byID[id]
	}
	for _, list := range [][]*Subject{o.Subjects, o.Parts} {
		if i := slices.IndexFunc(list, func(s *Subject) bool { return s.ID == id }); i >= 0 {
			return list[i]
		}
	}
	return nil
}

// indexed reports whether byID has all subjects: others may have been put into the lists by hand.
func (o *Observation) indexed() bool {
	return o.byID != nil && len(o.byID) == len(o.Subjects)+len(o.Parts)
}

// PartsOf are the processes of a subject that has several.
func (o *Observation) PartsOf(id string) []*Subject {
	var list []*Subject
	for _, s := range o.Parts {
		if s.Parent == id {
			list = append(list, s)
		}
	}
	return list
}

// Add enters one event. Events that other goroutines still use are not changed
// later.
func (o *Observation) Add(e Event) {
	switch {
	case e.Header != nil:
		o.Header = *e.Header
		for _, id := range e.Header.Subjects {
			o.subject(id.ID).Identity = id
		}
	case e.Moment != nil:
		o.addMoment(e.Moment)
	case e.End != nil:
		o.Over, o.Stopped, o.Gone = true, e.End.Stopped, e.End.Gone
		o.Duration = max(o.Duration, e.End.Duration)
		for i := range e.End.Subjects {
			o.subject(e.End.Subjects[i].ID).Final = &e.End.Subjects[i].Final
		}
	}
}

func (o *Observation) addMoment(m *Moment) {
	o.Duration = m.At
	o.Cost.Samples++
	o.Cost.Took += m.Took
	o.Cost.CPU += m.CPU
	o.Cost.Longest = max(o.Cost.Longest, m.Took)
	for i := range m.Subjects {
		of := &m.Subjects[i]
		s := o.subject(of.ID)
		if of.Identity != nil {
			if s.Parent == "" && of.Identity.Parent != "" { // it is new, and so the last one, unless it was a process by itself
				if last := len(o.Subjects) - 1; last >= 0 && o.Subjects[last] == s {
					o.Subjects = o.Subjects[:last]
				} else {
					o.Subjects = slices.DeleteFunc(o.Subjects, func(t *Subject) bool { return t == s })
				}
				o.Parts = append(o.Parts, s)
			}
			s.Identity = *of.Identity
		}
		sample := of.Sample
		sample.At = m.At
		s.Samples = append(s.Samples, sample)
		if sample.Limits != nil {
			s.Limits = *sample.Limits
		}
	}
	newest := *m
	newest.Subjects = nil
	o.Newest = &newest
}

func (o *Observation) subject(id string) *Subject {
	if s := o.Subject(id); s != nil {
		return s
	}
	if !o.indexed() {
		o.byID = map[string]*Subject{}
		for _, s := range slices.Concat(o.Subjects, o.Parts) {
			o.byID[s.ID] = s
		}
	}
	s := &Subject{Identity: Identity{ID: id}}
	o.Subjects, o.byID[id] = append(o.Subjects, s), s
	return s
}

// Last returns the newest sample; nil before the first.
func (s *Subject) Last() *Sample {
	if len(s.Samples) == 0 {
		return nil
	}
	return &s.Samples[len(s.Samples)-1]
}

// Metrics are the client's newest counters: its last report, if there is one, or
// those of the newest sample. All are absent before the first.
func (s *Subject) Metrics() ClientMetrics {
	switch {
	case s.Final != nil:
		return s.Final.ClientMetrics
	case len(s.Samples) > 0:
		return s.Last().ClientMetrics
	}
	return ClientMetrics{}
}

// KernelConns is what the kernel saw of the subject's connections until now; nil
// where nothing reports it.
func (s *Subject) KernelConns() *ConnCounts {
	switch {
	case s.Final != nil && s.Final.KernelConns != nil:
		return s.Final.KernelConns
	case len(s.Samples) > 0:
		return s.Last().KernelConns
	}
	return nil
}

// Rates are how many connections came and went per second between the newest two
// samples, as the kernel saw it; false where that is not known.
func (s *Subject) Rates() (opened, closed float64, ok bool) {
	n := len(s.Samples)
	if n < 2 || s.Samples[n-1].KernelConns == nil || s.Samples[n-2].KernelConns == nil {
		return 0, 0, false
	}
	before, now := &s.Samples[n-2], &s.Samples[n-1]
	seconds := (now.At - before.At).Seconds()
	if seconds <= 0 {
		return 0, 0, false
	}
	rate := func(before, now int) float64 { return max(0, float64(now-before)/seconds) }
	return rate(before.KernelConns.Opened, now.KernelConns.Opened), rate(before.KernelConns.Closed, now.KernelConns.Closed), true
}

// Unreached reports whether every request that ended has failed because this machine
// has no way to the server, and neither the client nor the kernel has seen a connection.
// A destination that refuses or does not answer is one that code has to be made for.
func (s *Subject) Unreached() bool {
	m, kernel, peak := s.Metrics(), s.KernelConns(), s.Peak(socketstats.Client)
	return m.Requests != nil && m.Requests.OK == 0 && m.Requests.Failed > 0 &&
		m.Requests.Errors["ENETUNREACH"]+m.Requests.Errors["EADDRNOTAVAIL"] == m.Requests.Failed &&
		(m.Connections == nil || m.Connections.Opened == 0) && (kernel == nil || kernel.Opened == 0) &&
		peak.Total() == peak.Of(socketstats.SynSent)
}

// Unsent is how many requests the subject's program called answered, if nothing at all came
// to the run's servers: neither a request nor a connection by their own count, which code
// that listens by itself does not add to, nor a connection by the kernel's. It is 0
// otherwise, and where the servers' count is not known. Fewer requests than answers are no sign:
// calls may share a subscription, and of some calls the connection is all. What the
// program knew of at a sample came to the servers before the next one.
func (s *Subject) Unsent() int64 {
	n := len(s.Samples)
	if n < 2 || s.Samples[n-2].Requests == nil {
		return 0
	}
	last := s.Last()
	if last.Requests == nil || last.Requests.Received == nil || last.Connections == nil {
		return 0
	}
	came := *last.Requests.Received + last.Connections.Opened
	for _, other := range last.Servers { // a name may lead to one of these
		came += other.Requests + other.Connections
	}
	kernel := s.KernelConns()
	if came > 0 || kernel != nil && kernel.Opened > 0 || s.PeakOpen(socketstats.Client) > 0 {
		return 0
	}
	return s.Samples[n-2].Requests.OK
}

// Peak is the most seen of each state at one end, and the largest total.
func (s *Subject) Peak(end socketstats.End) socketstats.Counts {
	var peak socketstats.Counts
	for i := range s.Samples {
		peak = peak.Max(s.Samples[i].Of(end).Counts)
	}
	return peak
}

// PeakOpen is the most sockets that were open at one end at the same time.
func (s *Subject) PeakOpen(end socketstats.End) int {
	most := 0
	for i := range s.Samples {
		most = max(most, s.Samples[i].Of(end).Counts.Open())
	}
	return most
}

// Now is what the newest sample shows at one end; of an observation that is over,
// its final counts.
func (s *Subject) Now(end socketstats.End) socketstats.Counts {
	if len(s.Samples) == 0 {
		return socketstats.Counts{}
	}
	return s.Last().Of(end).Counts
}

// Oldest is the longest that a socket at the client's end was there (see [Sample.Oldest]),
// from the first sample that shows it to the last.
func (s *Subject) Oldest() time.Duration {
	var oldest time.Duration
	for i := range s.Samples {
		oldest = max(oldest, s.Samples[i].Oldest)
	}
	return oldest
}

// AtWork returns the samples, from the first on, that show the subject's program
// at work. A program that ends has its sockets closed for it, which says nothing
// of how it would have treated them: the samples since then are left out, and so
// is the one before, as it may have been taken while they were closed.
func (s *Subject) AtWork() []Sample {
	ended := slices.IndexFunc(s.Samples, func(s Sample) bool { return s.Ended })
	if ended < 0 {
		return s.Samples
	}
	return s.Samples[:max(ended-1, 0)]
}
