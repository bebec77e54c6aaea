package series

import "maps"

// Add adds what a sample of another subject shows that was taken at the same
// moment. Of what a client counts nothing is added: only its process is
// considered, as the one with the most descriptors is the nearest to its end.
// Of two queues the fuller counts. At, Epoch, Unattributed and what belongs to one
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
		ShortLived: c.ShortLived + d.ShortLived, Inferred: c.Inferred + d.Inferred, AtLeast: c.AtLeast || d.AtLeast,
		Accepted: AcceptedConns{
			Opened: c.Accepted.Opened + d.Accepted.Opened, Closed: c.Accepted.Closed + d.Accepted.Closed,
			WithTCPInfo: c.Accepted.WithTCPInfo + d.Accepted.WithTCPInfo, ShortLived: c.Accepted.ShortLived + d.Accepted.ShortLived,
		},
	}
}

// Since returns what came and went after an earlier count.
func (c ConnCounts) Since(before ConnCounts) ConnCounts {
	return ConnCounts{
		Opened: max(0, c.Opened-before.Opened), Closed: max(0, c.Closed-before.Closed), WithTCPInfo: max(0, c.WithTCPInfo-before.WithTCPInfo),
		ShortLived: max(0, c.ShortLived-before.ShortLived), Inferred: max(0, c.Inferred-before.Inferred), AtLeast: c.AtLeast,
		Accepted: AcceptedConns{
			Opened: max(0, c.Accepted.Opened-before.Accepted.Opened), Closed: max(0, c.Accepted.Closed-before.Accepted.Closed),
			WithTCPInfo: max(0, c.Accepted.WithTCPInfo-before.Accepted.WithTCPInfo), ShortLived: max(0, c.Accepted.ShortLived-before.Accepted.ShortLived),
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
