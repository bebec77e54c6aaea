package verdict_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// joining is a server whose clients connect, one a second, and go on talking.
func joining(n, until int) *series.Subject {
	return observed(n, func(i int, s *series.Sample) {
		clients := min(i, until)
		set(&s.Server, socketstats.Established, clients)
		s.Server.Activity.Received = silent(clients, now)
		s.KernelConns.Opened, s.KernelConns.Accepted.Opened = clients, clients
	})
}

var _ = examplesOf(verdict.Growing,
	example{name: "clients join", says: "29 accepted connections are open, 29 more than at first, growing by 1 per second.", subject: joining(30, 200)},
	example{name: "a busy pool starts", says: "22 connections are open", subject: observed(12, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, now)
	})},
	example{name: "clients have joined", instead: verdict.Healthy, subject: joining(90, 30)},
	example{name: "clients have joined, and nothing has happened since", instead: verdict.Healthy, confidence: verdict.Low, subject: observed(60, func(i int, s *series.Sample) {
		clients := min(i, 12)
		set(&s.Server, socketstats.Established, clients)
		s.Server.Activity.Sent = silent(clients, map[bool]time.Duration{true: now, false: 30 * time.Second}[i <= 12])
		s.KernelConns.Opened, s.KernelConns.Accepted.Opened = clients, clients
	})},
	example{name: "clients join for two minutes", instead: verdict.ConnectionGrowth, says: "124 accepted connections are open", subject: joining(125, 200)},
)

// A verdict that is not settled says what it may become, and when that shows.
func TestGrowingSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	for n := 10; n < 120; n += 10 {
		v := judge(joining(n, 200))
		require.Equal(t, verdict.Growing, v.Kind, "%d samples", n)
		require.Equal(t, time.Duration(121-n)*time.Second, time.Duration(v.LeftMS)*time.Millisecond)
		require.Equal(t, []verdict.Kind{verdict.ServerIdleClients, verdict.ConnectionGrowth}, v.Suspects)
	}
}

// What a process that ended would have given back is not known: that it grew to its end is not healthy.
func TestGrowthToTheEndOfAProcessIsNotHealthy(t *testing.T) {
	t.Parallel()
	for n := 10; n < 120; n += 10 {
		v := verdict.Judge(joining(n, 200), verdict.Conditions{Ended: true})
		require.Equal(t, verdict.Growing, v.Kind, "%d samples", n)
		require.Zero(t, v.LeftMS)
		require.Empty(t, v.Suspects)
		require.Contains(t, verdict.Evidence(v), "The process ended before it showed whether they are given back.")
	}
	v := verdict.Judge(joining(90, 30), verdict.Conditions{Ended: true})
	require.Equal(t, verdict.Healthy, v.Kind, "they had joined before")
}
