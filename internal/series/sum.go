package series

import (
	"cmp"
	"maps"
)

// Add adds what a sample of another subject shows that was taken at the same
// moment. Of what a client counts nothing is added: only its process is
// considered, as the one with the most descriptors is the nearest to its end.
// Of two queues the fuller counts. At, Epoch, Unattributed, FailedConnects and what belongs to one
// subject alone stay as they are.
func (s *Sample) Add(t *Sample) {
	s.Client.add(&t.Client)
	s.Server.add(&t.Server)
	if t.KernelConns != nil {
		var sum ConnCounts
		if s.KernelConns != nil {
			sum = *s.KernelConns
		}
		sum = sum.Plus(*t.KernelConns)
		s.KernelConns = &sum
	}
	s.FinWait2Held += t.FinWait2Held
	s.Inherited += t.Inherited
	s.InTransaction += t.InTransaction
	s.PeersHere += t.PeersHere
	s.Upstreams += t.Upstreams
	s.Oldest = max(s.Oldest, t.Oldest)
	s.Queue = s.Queue.Fuller(t.Queue)
	s.Process = s.Process.plus(t.Process)
}

// plus returns the sum of what two processes have: the descriptors by kind, the
// threads and what they used. The rest is that of the process with the most
// descriptors.
func (p *Process) plus(q *Process) *Process {
	switch {
	case q == nil:
		return p
	case p == nil:
		return q
	}
	sum := *p
	if q.Descriptors > p.Descriptors {
		sum = *q
	}
	sum.Processes = max(1, p.Processes) + max(1, q.Processes)
	sum.UnseenChildren = p.UnseenChildren + q.UnseenChildren
	sum.Threads, sum.Wakeups, sum.CPU = p.Threads+q.Threads, p.Wakeups+q.Wakeups, p.CPU+q.CPU
	sum.Kinds = maps.Clone(p.Kinds)
	for kind, n := range q.Kinds {
		if sum.Kinds == nil {
			sum.Kinds = map[string]int{}
		}
		sum.Kinds[kind] += n
	}
	return &sum
}

func (e *End) add(f *End) {
	e.Counts = e.Counts.Plus(f.Counts)
	switch {
	case f.Activity == nil:
	case e.Activity == nil:
		e.Activity = f.Activity
	default:
		sum := e.Activity.Plus(*f.Activity)
		e.Activity = &sum
	}
}

// Plus returns the sum of c and d.
func (c ConnCounts) Plus(d ConnCounts) ConnCounts {
	return ConnCounts{
		Opened: c.Opened + d.Opened, Closed: c.Closed + d.Closed, WithTCPInfo: c.WithTCPInfo + d.WithTCPInfo,
		ShortLived: c.ShortLived + d.ShortLived, AtOnce: c.AtOnce + d.AtOnce, Inferred: c.Inferred + d.Inferred, AtLeast: c.AtLeast || d.AtLeast,
		Refused: c.Refused + d.Refused, RefusedAt: cmp.Or(d.RefusedAt, c.RefusedAt), GivenUp: c.GivenUp + d.GivenUp,
		Accepted: AcceptedConns{
			Opened: c.Accepted.Opened + d.Accepted.Opened, Closed: c.Accepted.Closed + d.Accepted.Closed,
			WithTCPInfo: c.Accepted.WithTCPInfo + d.Accepted.WithTCPInfo, ShortLived: c.Accepted.ShortLived + d.Accepted.ShortLived,
			AtOnce: c.Accepted.AtOnce + d.Accepted.AtOnce,
		},
	}
}

// Plus returns what two clients count together. Of times, which cannot be added, it has
// those of the client whose slowest hundredth is the slower, and of processes what
// [Sample.Add] says. A group that one of them does not count is nil.
func (m ClientMetrics) Plus(n ClientMetrics) ClientMetrics {
	return ClientMetrics{
		Requests: m.Requests.plus(n.Requests), Connections: m.Connections.plus(n.Connections),
		Pool: m.Pool.plus(n.Pool), Latency: slower(m.Latency, n.Latency), ScheduleLate: slower(m.ScheduleLate, n.ScheduleLate),
		Process: m.Process.plus(n.Process), ServerProcess: m.ServerProcess.plus(n.ServerProcess),
		Values: sums(m.Values, n.Values),
	}
}

func (r *Requests) plus(q *Requests) *Requests {
	if r == nil || q == nil {
		return nil
	}
	return &Requests{
		Sent: r.Sent + q.Sent, OK: r.OK + q.OK, Failed: r.Failed + q.Failed, InFlight: r.InFlight + q.InFlight, Serving: r.Serving + q.Serving, Received: both(r.Received, q.Received),
		Attempts: both(r.Attempts, q.Attempts), CutOff: r.CutOff + q.CutOff, TimedOut: r.TimedOut + q.TimedOut, Errors: sums(r.Errors, q.Errors),
	}
}

func (c *ClientConns) plus(d *ClientConns) *ClientConns {
	if c == nil || d == nil {
		return nil
	}
	return &ClientConns{
		Opened: c.Opened + d.Opened, Reused: both(c.Reused, d.Reused), Failed: both(c.Failed, d.Failed), StaleReuse: both(c.StaleReuse, d.StaleReuse),
	}
}

func (p *Pool) plus(q *Pool) *Pool {
	if p == nil || q == nil {
		return nil
	}
	return &Pool{InUse: p.InUse + q.InUse, Idle: both(p.Idle, q.Idle), Waiting: p.Waiting + q.Waiting}
}

// both is the sum of two counts; nil where one is not known.
func both(a, b *int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	sum := *a + *b
	return &sum
}

func slower(a, b *Quantiles) *Quantiles {
	if a == nil || b == nil || a.P99 >= b.P99 {
		return a
	}
	return b
}

// sums adds numbers by name. It is nil where both are.
func sums[N int64 | float64](a, b map[string]N) map[string]N {
	sum := maps.Clone(a)
	for name, n := range b {
		if sum == nil {
			sum = map[string]N{}
		}
		sum[name] += n
	}
	return sum
}

// Since returns what came and went after an earlier count.
func (c ConnCounts) Since(before ConnCounts) ConnCounts {
	return ConnCounts{
		Opened: max(0, c.Opened-before.Opened), Closed: max(0, c.Closed-before.Closed), WithTCPInfo: max(0, c.WithTCPInfo-before.WithTCPInfo),
		ShortLived: max(0, c.ShortLived-before.ShortLived), AtOnce: max(0, c.AtOnce-before.AtOnce), Inferred: max(0, c.Inferred-before.Inferred), AtLeast: c.AtLeast,
		Refused: max(0, c.Refused-before.Refused), RefusedAt: c.RefusedAt, GivenUp: max(0, c.GivenUp-before.GivenUp),
		Accepted: AcceptedConns{
			Opened: max(0, c.Accepted.Opened-before.Accepted.Opened), Closed: max(0, c.Accepted.Closed-before.Accepted.Closed),
			WithTCPInfo: max(0, c.Accepted.WithTCPInfo-before.Accepted.WithTCPInfo), ShortLived: max(0, c.Accepted.ShortLived-before.Accepted.ShortLived),
			AtOnce: max(0, c.Accepted.AtOnce-before.Accepted.AtOnce),
		},
	}
}

// Fuller returns the queue that has less room left; nil where neither is known.
func (q *Queue) Fuller(r *Queue) *Queue {
	if q == nil || (r != nil && r.Waiting-r.Limit > q.Waiting-q.Limit) {
		return r
	}
	return q
}
