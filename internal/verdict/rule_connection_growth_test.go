package verdict_test

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// accepted makes what is open at the client's end be at the server's.
func accepted(s *series.Subject) *series.Subject {
	for i := range s.Samples {
		s.Samples[i].Client, s.Samples[i].Server = series.End{}, s.Samples[i].Client
	}
	return s
}

// subscribed is a client that opens two connections a second and goes on receiving on
// all of them; it sends nothing more if once.
func subscribed(n int, once bool) *series.Subject {
	return observed(n, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received, s.Client.Activity.Destinations = silent(2*i, now), 1
		if once {
			s.Client.Activity.Once = 2 * i
		}
		s.KernelConns.Opened = 2 * i
	})
}

// forClients makes so many clients a second join a proxy, beside three that it has.
func forClients(s *series.Subject, each int) *series.Subject {
	for i := range s.Samples {
		set(&s.Samples[i].Server, socketstats.Established, 3+each*i)
	}
	return s
}

// withTCP makes the subject's process have so many descriptors of TCP connections more each
// second.
func withTCP(s *series.Subject, each int) *series.Subject {
	for i := range s.Samples {
		s.Samples[i].Process = &series.Process{Descriptors: 10 + each*i, Kinds: map[string]int{socketstats.KindTCP: 3 + each*i}}
	}
	return s
}

// everyTwo is a client that opens a connection for each of two requests a second.
func everyTwo(i int) (sent, ok, reused, opened, established int) {
	return 2 * i, 2 * i, 0, 2 * i, 2 * i
}

// unusedBeside makes two connections a second be opened: one is used, and closed; on the
// other nothing is ever said.
func unusedBeside(i int, s *series.Sample) {
	set(&s.Client, socketstats.Established, i+1)
	a := s.Client.Activity
	a.Fresh, a.Received, a.Once, a.Destinations = silent(i, 10*time.Second), silent(1, now), i, 1
	s.KernelConns.Opened, s.KernelConns.Closed = 2*i, i
}

var _ = examplesOf(verdict.ConnectionGrowth,
	example{name: "connections are opened in advance, and never used, beside others that are", confidence: verdict.Medium, subject: observed(125, unusedBeside)},
	example{name: "for less than two minutes", instead: verdict.Growing, subject: observed(40, unusedBeside)},
	example{name: "open connections grow", subject: open(shape(60, func(i int) float64 { return float64(2 * i) })), confidence: verdict.Medium, says: "118 connections are open, 118 more than at first, growing by 2 per second."},
	example{name: "accepted connections grow", subject: accepted(open(shape(130, func(i int) float64 { return float64(2 * i) }))), confidence: verdict.Medium, says: "258 accepted connections are open"},
	example{name: "they have not grown for long", subject: open(shape(10, func(i int) float64 { return float64(2 * i) })), confidence: verdict.Low},
	example{name: "a sawtooth", subject: open(shape(120, func(i int) float64 { return float64(4 * (i % 60)) })), instead: verdict.Healthy},
	example{name: "subscriptions are forgotten", confidence: verdict.Medium, says: "58 connections were opened and 0 closed in 29s; of 58 open now 58 have sent one message at most.", subject: subscribed(30, true)},
	example{name: "the subscriptions of a proxy, whose clients join", instead: verdict.Growing, subject: forClients(subscribed(30, true), 2)},
	example{name: "those of a proxy that are left when its clients leave", confidence: verdict.Medium, subject: forClients(subscribed(30, true), 0)},
	example{name: "those of a proxy, for two minutes", confidence: verdict.Medium, subject: forClients(subscribed(125, true), 2)},
	example{name: "the subscriptions of a proxy, whose clients join, by the port behind it", instead: verdict.Growing, subject: withTCP(paired(subscribed(45, true)), 4)},
	example{name: "subscriptions are forgotten, by the server's port", subject: withTCP(paired(subscribed(45, true)), 2)},
	example{name: "each line has a connection of its own", says: "58 have never received anything.", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Fresh, s.Client.Activity.Once, s.Client.Activity.OneWay, s.Client.Activity.OneWayBytes = silent(2*i, 10*time.Second), 2*i, 2*i, uint64(10*i)
		s.KernelConns.Opened = 2 * i
	})},
	example{name: "heartbeats keep them talking", says: "248 connections are open", subject: subscribed(125, false)},
	example{name: "heartbeats go on after the request", confidence: verdict.Medium, says: "38 connections are open", subject: counted(20, everyTwo, func(i int, s *series.Sample) {
		s.Client.Activity.Received, s.Client.Activity.Once, s.Client.Activity.Destinations = silent(2*i, now), 2*i, 1
		s.KernelConns.Opened = 2 * i
	})},
	example{name: "nothing is sent after the request", instead: verdict.IdleConnectionsNotReused, subject: counted(20, everyTwo, func(i int, s *series.Sample) {
		s.Client.Activity.Received, s.Client.Activity.Once, s.Client.Activity.Destinations = silent(2*i, long), 2*i, 1
		s.KernelConns.Opened = 2 * i
	})},
	example{name: "they grow once more, after a pool was dropped", says: "258 connections are open", subject: observed(400, func(i int, s *series.Sample) {
		n := 2 * i
		if i >= 270 {
			n = 2 * (i - 270)
		}
		set(&s.Client, socketstats.Established, n)
		s.Client.Activity.Received = silent(n, now)
	})},
	example{name: "they have grown for a minute", instead: verdict.Growing, subject: subscribed(60, false)},
	example{name: "a pool in use grows, and that is known", instead: verdict.Growing, subject: observed(60, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, now)
	})},
)
