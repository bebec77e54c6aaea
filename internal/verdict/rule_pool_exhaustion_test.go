package verdict_test

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/internal/where"
)

// relayed is a client whose server has a pool of its own: its connections are among
// the sockets, and are neither the client's idle ones nor its pool.
func relayed(waiting, upstreams func(i int) int) *series.Subject {
	subject := played(20, func(i int, s *series.Sample) {
		s.Requests.Sent, s.Requests.InFlight = int64(10*i), int64(waiting(i))
		s.Requests.OK = int64(10*i - waiting(i))
		s.Upstreams = upstreams(i)
		s.KernelConns.Opened = waiting(i) + upstreams(i)
		set(&s.Client, socketstats.Established, waiting(i)+upstreams(i))
	})
	subject.Relayed = true
	return subject
}

func upTo(n int) func(int) int { return func(i int) int { return min(n, 10*i) } }

// exhausted is a pool of five for ten requests a second that take a second each.
func exhausted(held time.Duration) *series.Subject {
	subject := counted(30, func(i int) (int, int, int, int, int) {
		return 10 * i, 5 * i, max(0, 5*i-5), min(5, i), min(5, i)
	})
	for i := range subject.Samples {
		subject.Samples[i].Client.Activity.Received = silent(min(5, i), held)
	}
	return subject
}

// streams are eight requests a second, of which ten are under way, on one HTTP/2
// connection. The server works on so many of them.
func streams(serving int64) *series.Subject {
	subject := counted(30, func(i int) (int, int, int, int, int) {
		return 8 * i, 8*i - min(10, 8*i), min(10, 8*i), 1, 1
	})
	for i := range subject.Samples {
		subject.Samples[i].Requests.Serving = serving
		subject.Samples[i].Latency = &series.Quantiles{Max: 1250}
	}
	return subject
}

// inTransactions is a pool of eight of which one more connection is left in a
// transaction every other second, seven in all. One is used on.
func inTransactions(left int, opened func(i int) int) *series.Subject {
	return observed(60, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 8+opened(i))
		s.Client.Activity.Received = silent(min(left, i/2), 30*time.Second)
		s.Client.Activity.Received[0] = 8 - min(left, i/2)
		s.KernelConns.Opened = opened(i)
		s.InTransaction = min(left, max(0, i-10)/2)
	})
}

// queued is a client whose program says that requests have waited for its pool.
func queued(requests, lasting int) *series.Subject {
	s := observed(20, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 5)
		s.Client.Activity.Received = silent(5, now)
	})
	s.Holders = &where.Report{Source: "the goroutine profile and package httppool", Connections: 5, Groups: []where.Group{{
		Site: where.Site{Function: "main.ask", File: "/src/main.go", Line: 9}, State: where.Queued, Requests: requests, Lasting: lasting,
	}}}
	return s
}

// held is a process whose connections have been silent for half a minute, and that wakes up so many
// times a second. It has more threads from the middle on.
func held(connections, wakeups, threads int) *series.Subject {
	return observed(40, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, connections)
		s.Client.Activity.Received = silent(connections, 30*time.Second)
		s.Process = &series.Process{Wakeups: int64(1 + wakeups*i), Threads: 8}
		if i >= 20 {
			s.Process.Threads += threads
		}
	})
}

var _ = examplesOf(verdict.PoolExhaustion,
	example{name: "all connections are silent, and the process works on", severity: verdict.Note, confidence: verdict.Low, says: "it wakes up 20 per second", subject: held(6, 20, 0)},
	example{name: "it sleeps, and has a few threads more", instead: verdict.Healthy, subject: held(6, 2, 3)},
	example{name: "it sleeps, and has more threads", severity: verdict.Fault, confidence: verdict.Low, says: "has 9 more threads", subject: heldSince(20, held(6, 2, 9))},
	example{name: "few connections are silent", instead: verdict.Healthy, subject: held(4, 20, 0)},
	example{name: "the program says where they wait", confidence: verdict.High, says: "9 requests are at main.ask main.go:9", subject: queued(9, 7)},
	example{name: "a process for each request starts late", instead: verdict.ConnectionChurn, subject: counted(30, func(i int) (int, int, int, int, int) {
		return 10 * i, 10*i - min(10, 10*i), min(10, 10*i), 10*i - min(7, 10*i), min(3, 10*i)
	})},
	example{
		name: "the program says who waits", confidence: verdict.High, subject: queued(9, 7),
		says: "7 requests have waited for a connection of the pool for 3s or longer",
	},
	example{name: "requests wait for a moment", subject: queued(9, 2), instead: verdict.Healthy},
	example{
		name: "connections are left in a transaction", confidence: verdict.Medium, subject: inTransactions(7, upTo(0)),
		says: "7 of 8 open connections have been idle in a transaction for 10s or longer",
	},
	example{name: "all of a pool that was filled at the start", subject: observed(60, func(i int, s *series.Sample) {
		open := min(i, 10)
		set(&s.Client, socketstats.Established, open)
		s.Client.Activity.Received = silent(open, 30*time.Second)
		if i < 11 {
			s.Client.Activity.Received = silent(open, now)
		}
		s.KernelConns.Opened, s.InTransaction = open, min(10, max(0, i-10))
	})},
	example{name: "a few transactions take their time", subject: inTransactions(2, upTo(0)), instead: verdict.Healthy},
	example{name: "others are opened meanwhile", subject: inTransactions(7, func(i int) int { return i / 4 }), instead: verdict.Growing},
	example{name: "requests wait for a pool", subject: exhausted(now), confidence: verdict.High, says: "145 requests are in flight and only 5 connections are open"},
	example{name: "the pool says so", subject: lent(exhausted(now), 5, 140), confidence: verdict.High, says: "Of net/http's pool 5 connections are in use, and 140 requests wait for one."},
	example{name: "its connections are held", subject: exhausted(long), says: "silent since its response, for 3s or longer: it is held, not busy."},
	example{name: "many streams of one connection", subject: streams(9), instead: verdict.Healthy},
	example{name: "more requests than a connection has streams", subject: streams(5), confidence: verdict.High, says: "10 requests are in flight and only 1 connection is open"},
	example{name: "requests wait for the server's pool", subject: relayed(upTo(20), upTo(5)), over: true},
	example{name: "each that waits holds a connection to the server", subject: relayed(func(i int) int { return 2 * i }, upTo(5)), over: true},
	example{name: "the server's pool is large enough", subject: relayed(upTo(20), upTo(20)), over: true, instead: verdict.Healthy},
	example{name: "the server's idle connections are its own", subject: relayed(upTo(2), upTo(20)), over: true, instead: verdict.Healthy},
)

// heldSince makes connections be used until a sample, and held from then on.
func heldSince(from int, s *series.Subject) *series.Subject {
	for i := range s.Samples[:from] {
		s.Samples[i].Client.Activity.Received = silent(s.Samples[i].Client.Counts.Open(), now)
	}
	return s
}

// lent adds to a subject what its client's pool has lent.
func lent(s *series.Subject, inUse, waiting int64) *series.Subject {
	s.Last().Pool = &series.Pool{InUse: inUse, Waiting: waiting}
	return s
}
