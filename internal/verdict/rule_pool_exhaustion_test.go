package verdict_test

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
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

var _ = examplesOf(verdict.PoolExhaustion,
	example{name: "requests wait for a pool", subject: exhausted(now), confidence: verdict.High, says: "145 requests are in flight and only 5 connections are open"},
	example{name: "its connections are held", subject: exhausted(long), says: "silent since its response, for 3s or longer: it is held, not busy."},
	example{name: "requests wait for the server's pool", subject: relayed(upTo(20), upTo(5)), over: true},
	example{name: "each that waits holds a connection to the server", subject: relayed(func(i int) int { return 2 * i }, upTo(5)), over: true},
	example{name: "the server's pool is large enough", subject: relayed(upTo(20), upTo(20)), over: true, instead: verdict.Healthy},
	example{name: "the server's idle connections are its own", subject: relayed(upTo(2), upTo(20)), over: true, instead: verdict.Healthy},
)
