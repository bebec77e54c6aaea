package verdict_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// churning is a client without counters that opens and closes ten connections a
// second.
func churning(each func(i int) *series.ConnCounts) *series.Subject {
	return observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i%2)
		set(&s.Client, socketstats.TimeWait, 10*i)
		s.KernelConns = each(i)
	})
}

// throughAndListening is a process with as many connections at either end, and listeners;
// what came and went between samples is not known.
func throughAndListening(listeners int) *series.Subject {
	return observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.TimeWait, 10*i)
		set(&s.Server, socketstats.TimeWait, 10*i)
		set(&s.Server, socketstats.Listen, listeners)
		s.KernelConns = nil
	})
}

// limited gives a subject so many local ports.
func limited(ports int, s *series.Subject) *series.Subject {
	s.Limits.Ports = ports
	return s
}

// acceptedConns are n connections that were accepted and closed, each after an
// exchange.
func acceptedConns(n int) *series.ConnCounts {
	c := came(n, n)
	c.Accepted = series.AcceptedConns{Opened: n, Closed: n, WithTCPInfo: n, ShortLived: n}
	return c
}

var _ = examplesOf(verdict.ConnectionChurn,
	example{name: "connections are closed after an exchange", confidence: verdict.High, says: "190 connections were opened and 190 closed in 19s, with at most 1 open at once; of 190 closed ones 190 were used once or twice.", subject: churning(func(i int) *series.ConnCounts {
		return came(10*i, 10*i)
	})},
	example{name: "nobody knows what they carried", confidence: verdict.Medium, says: "190 closed in 19s, with at most 1 open at once.", subject: churning(func(i int) *series.ConnCounts {
		return &series.ConnCounts{Opened: 10 * i, Closed: 10 * i}
	})},
	example{name: "whose they were is inferred", confidence: verdict.Medium, says: "190 of the closed connections are attributed to this process", subject: churning(func(i int) *series.ConnCounts {
		c := came(10*i, 10*i)
		c.Inferred = 10 * i
		return c
	})},
	example{name: "TIME_WAIT alone shows it", confidence: verdict.Medium, says: "190 sockets were in TIME_WAIT at most.", subject: churning(func(int) *series.ConnCounts { return nil })},
	example{name: "each request's connection is closed", confidence: verdict.High, says: "No sample shows more than 1 open connection.", subject: counted(20, func(i int) (int, int, int, int, int) {
		return 10 * i, 10 * i, 0, 10 * i, 1
	})},
	example{name: "each request's connection is reset", over: true, says: "190 resets were sent. A reset leaves no socket.", subject: played(20, pooled, func(i int, s *series.Sample) {
		s.Connections.Opened = int64(10 * i)
		s.Kernel = socketstats.Counters{"OutRsts": int64(10 * i)}
	})},
	example{name: "it lingers in TIME_WAIT", over: true, says: "190 sockets were in TIME_WAIT at most.", subject: played(20, pooled, func(i int, s *series.Sample) {
		s.Connections.Opened = int64(10 * i)
		set(&s.Server, socketstats.TimeWait, 10*i)
	})},
	example{name: "a client that also listens", subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 1)
		set(&s.Server, socketstats.Listen, 1)
		s.KernelConns = came(10*i, 10*i)
	})},
	example{name: "a few connections come and go", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		s.KernelConns = came(min(i, 9), min(i, 9))
	})},
	example{name: "more are closed than opened", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		s.KernelConns = came(10*i, 10*i)
		s.KernelConns.Opened = min(i, 9)
	})},
	example{name: "more are opened than closed", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		s.KernelConns = came(min(i, 9), min(i, 9))
		s.KernelConns.Opened = 10 * i
	})},
	example{name: "a pool is replaced twice", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 20)
		s.KernelConns = came(min(3*i, 60), min(3*i, 60))
	})},
	example{name: "connections that carried much are replaced", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2)
		s.KernelConns = came(10*i, i)
	})},
	example{name: "requests fail", severity: verdict.Fault, subject: counted(20, func(i int) (int, int, int, int, int) {
		return 10 * i, 10 * i, 0, 10 * i, 1
	}, func(_ int, s *series.Sample) { fail(s, min(3, s.Requests.OK)) })},
	example{name: "ports are taken", severity: verdict.Fault, says: "That is 10 per second; 15,000 of 28,232 local ports to one destination are taken", subject: observed(20, func(i int, s *series.Sample) {
		s.KernelConns, s.Client.Activity.MaxPerDestination = came(10*i, 10*i), 15_000
	})},
	example{name: "ports will be taken within a minute", severity: verdict.Fault, subject: limited(600, observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.TimeWait, 15*i)
		s.KernelConns, s.Client.Activity.MaxPerDestination = came(15*i, 15*i), 15*i
	}))},
	example{name: "a service opens a connection upstream for each request", says: "190 connections were opened and 190 closed in 19s", subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, 2)
		s.KernelConns = came(10*i, 10*i)
	})},
	example{name: "a server whose clients come and go", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Established, 2)
		s.KernelConns = acceptedConns(10 * i)
	})},
	example{name: "as many were accepted as were opened, by one that listens", instead: verdict.Healthy, subject: throughAndListening(1)},
	example{name: "as many were accepted as were opened, by one that does not listen", says: "190 sockets were in TIME_WAIT at most.", subject: throughAndListening(0)},
	example{name: "a server whose clients come and go unseen", instead: verdict.Healthy, subject: observed(20, func(i int, s *series.Sample) {
		set(&s.Server, socketstats.Listen, 1)
		s.KernelConns = acceptedConns(10 * i)
	})},
)

// The client's counters are read after its sockets are counted: on a busy machine so
// long after that many connections more are in them.
func TestConnectionsOpenedAfterTheLastCountAreNoChurn(t *testing.T) {
	t.Parallel()
	subject := counted(12, func(i int) (int, int, int, int, int) {
		if i == 11 {
			return 40, 2, 0, 40, 22
		}
		return 2 * i, 0, 0, 2 * i, 2 * i
	})
	subject.Samples[11].Latency.Max = 10_000 // responses are slow
	require.Equal(t, verdict.NotEnoughData, judge(subject).Kind)
}
