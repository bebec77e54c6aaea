package verdict

import (
	"slices"
	"time"

	"socketlab/internal/metric"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/where"
)

const PoolExhaustion Kind = "pool-exhaustion"

var _ = register(Rule{
	Kind: PoolExhaustion, Severity: Fault, Scenario: "conn-cap-plus-leak",
	Rank:       rankRequests, // before request-stalled: what waits for a connection waits for its response, too
	Title:      "requests wait for a connection of a pool that has none to give",
	Means:      "The pool's limit is reached and every connection is taken, by slow requests or by ones that never give it back. A request that waits has no socket: the server is idle while its clients time out.",
	Recognised: "With client-side counters: for half of the time at least three more requests are in flight than there are connections (over HTTP/2: than the server works on), and the connections do not grow. Without: three or more connections, half of all, have been idle in a transaction for ten seconds or longer, as the titles of PostgreSQL's processes on this machine say, and none was opened. Or five or more connections had responses and are all silent for ten seconds or longer, none is opened or closed, and the process works on all the same: its threads have become more since, or it wakes up five times a second or more. With --pprof, where the program has package httppool: three or more requests have waited for a connection for three seconds or longer.",
	Limits:     "A pool's queue is in no socket: without counters, and without the titles of a database's processes, it is a guess: a note, and a fault only where threads have become more, with confidence low. A program that has nothing to send and does something else looks like it.",
	Needs:      []Need{needMetricsOrActivity},
	Fix:        "Give connections back in every path, size the pool to requests per second times latency and some more, and give the wait for a connection a deadline of its own.",
	Sentences: map[string]string{
		"pool":           "{in_flight|request is|requests are} in flight and only {connections|connection is|connections are} open: the rest wait for a connection.",
		"pool_of_server": "{in_flight|request is|requests are} in flight, and the server has only {connections|connection} open to those behind it: the rest wait for a connection.",
		"asked":          "Of net/http's pool {in_use|connection is|connections are} in use, and {waiting|request waits|requests wait} for one.",
		"queue":          "{requests|request has|requests have} waited for a connection of the pool for {for_ms} or longer, as the program says.",
		"held":           "All {connections|connection} are silent since their last response, for {for_ms} or longer; none was opened, closed or used again.",
		"busy":           "The process works on all the same: it wakes up {wakeups_per_second}[, and has {threads} more threads than when it last used a connection].",
		"transactions":   "{transactions} of {open|open connection} have been idle in a transaction for {for_ms} or longer, as PostgreSQL's processes say: they were taken from the pool and not given back.",
		"unseen":         "Whether requests wait for a connection is not seen from outside.",
		"silent":         "Each of these connections has been silent since its response, for {for_ms} or longer: it is held, not busy.",
	},
	recognise: poolExhaustion{},
})

type poolExhaustion struct{}

func (poolExhaustion) find(f *facts) *finding {
	if !f.counted() {
		if n := f.subject.Holders.Lasting(where.Queued); n >= few {
			return &finding{confidence: High, facts: []Fact{fact("queue", count("requests", n), lasting(where.LastingFor))}}
		}
		if found := f.transactionsHeld(); found != nil {
			return found
		}
		return f.poolHeld()
	}
	name, pool := "pool", clientOpen
	if f.subject.Relayed {
		name, pool = "pool_of_server", f.upstreams
	}
	if _, grows := f.grows(pool); grows {
		return nil
	}
	queued := f.least(2, func(s *series.Sample) int {
		if pool(s) == 0 {
			return 0
		}
		// One HTTP/2 connection carries many requests at a time.
		return inFlight(s) - max(pool(s), int(s.Requests.Serving))
	})
	if queued < few || (f.last().Pool == nil && !f.subject.Relayed && f.opensForEach()) {
		return nil
	}
	facts := []Fact{fact(name, count("in_flight", inFlight(f.last())), count("connections", pool(f.last())))}
	if p := f.last().Pool; p != nil && p.Waiting > 0 {
		facts = append(facts, fact("asked", count("in_use", int(p.InUse)), count("waiting", int(p.Waiting))))
	}
	if a := f.last().Client.Activity; a != nil && a.Received.AtLeast(f.silent) == clientOpen(f.last()) {
		facts = append(facts, fact("silent", lasting(f.silent)))
	}
	return &finding{confidence: High, facts: facts}
}

// opensForEach reports whether a connection was opened in the last half of the samples for
// each request that was answered. What a request of such a client waits for is not a
// connection of a pool: it may be that its process starts late.
func (f *facts) opensForEach() bool {
	half := &f.Samples[len(f.Samples)/2]
	from, to := f.conns(half), f.conns(f.last())
	if from == nil || to == nil || half.Requests == nil {
		return false
	}
	answered := int(f.last().Requests.OK - half.Requests.OK)
	return answered >= few && to.Opened-from.Opened >= answered
}

// transactionsHeld finds connections on which a transaction was begun and left: at
// least half of those that are open, while none is opened.
func (f *facts) transactionsHeld() *finding {
	const samples = 10
	n := len(f.Samples) - samples
	if n < 0 {
		return nil
	}
	open := clientOpen(f.last())
	held := slices.Min(f.values(func(s *series.Sample) int { return s.InTransaction })[n:])
	before, now := f.clientConns(&f.Samples[n]), f.clientConns(f.last())
	switch _, grows := f.grows(clientOpen); {
	case held < few, 2*held < open, grows && !f.quiet(), open > clientOpen(&f.Samples[n]), before != nil && now.Opened > before.Opened:
		return nil
	}
	return &finding{confidence: Medium, facts: []Fact{
		fact("transactions", count("transactions", held), count("open", open), lasting(socketstats.HeldFor)), fact("unseen"),
	}}
}

// poolHeld finds connections that stand still while the process works on. What waits
// for them is not seen, so it is never sure.
func (f *facts) poolHeld() *finding {
	const quiet, busy = socketstats.HeldFor, 5 // wake-ups a second
	n := clientOpen(f.last())
	still := func(s *series.Sample) bool {
		return clientOpen(s) == n && s.Client.Activity.Received.AtLeast(quiet) == n && serverOpen(s) == serverOpen(f.last())
	}
	since := len(f.Samples)
	for since > 0 && still(&f.Samples[since-1]) {
		since--
	}
	if n < several || since > len(f.Samples)-series.Least {
		return nil
	}
	first, last := f.Samples[since].Process, f.last().Process
	used := f.Samples[max(0, since-int(quiet/max(f.Interval, time.Millisecond))-1)].Process
	if first == nil || last == nil || used == nil || first.Wakeups == 0 {
		return nil
	}
	woken := float64(last.Wakeups-first.Wakeups) / (f.At[len(f.At)-1] - f.At[since]).Seconds()
	threads := max(0, last.Threads-used.Threads)
	if woken < busy && threads < several {
		return nil
	}
	severity := Note
	if threads >= several { // they wait for something
		severity = Fault
	}
	return &finding{severity: severity, confidence: Low, facts: []Fact{
		fact("held", count("connections", n), lasting(quiet)),
		fact("busy", Quantity{Name: "wakeups_per_second", Value: woken, Unit: metric.PerSecond}, some("threads", threads)),
		fact("unseen"),
	}}
}
