package verdict_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

var _ = examplesOf(verdict.IdleConnectionsNotReused,
	example{name: "idle connections grow", confidence: verdict.Medium, says: "58 connections have had a response and nothing since for 3s or longer, growing by 2 per second; none is closed.", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, long)
		s.Process = &series.Process{Descriptors: 10 + 2*i}
	})},
	example{name: "they have not grown for long", confidence: verdict.Low, subject: observed(12, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, long)
	})},
	example{name: "each request leaves an idle connection", confidence: verdict.High, says: "38 connections are open and idle; 36 connections were opened while another was idle.", subject: counted(20, func(i int) (int, int, int, int, int) {
		return 2 * i, 2 * i, 0, 2 * i, 2 * i
	})},
	example{name: "they have grown since the middle", says: "growing by 1 per second", subject: observed(60, func(i int, s *series.Sample) {
		idle := 5 + max(0, i-32)
		set(&s.Client, socketstats.Established, idle+3+i%2)
		s.Client.Activity.Received = silent(idle, long)
		s.Client.Activity.Received[0] = 3 + i%2
	})},
	example{name: "some fewer are in use meanwhile", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i+40-i/2)
		s.Client.Activity.Received = silent(2*i, long)
		s.Client.Activity.Received[0] = 40 - i/2
	})},
	example{name: "a short run is over", over: true, subject: counted(6, func(i int) (int, int, int, int, int) { return 3 * i, 3 * i, 0, 3 * i, 3 * i })},
	example{name: "a short run goes on", instead: verdict.NotEnoughData, subject: counted(6, func(i int) (int, int, int, int, int) { return 3 * i, 3 * i, 0, 3 * i, 3 * i })},
	example{name: "they have grown for a moment", instead: verdict.Healthy, subject: observed(24, func(i int, s *series.Sample) {
		idle := 5 + max(0, i-13)
		set(&s.Client, socketstats.Established, idle+3+i%2)
		s.Client.Activity.Received = silent(idle, long)
		s.Client.Activity.Received[0] = 3 + i%2
	})},
	example{name: "a busy pool grows with its load", instead: verdict.Healthy, says: "58 connections were open at most", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, now)
	})},
	// When a load falls, the connections of its pool become idle one after the other.
	// None is opened beside them.
	example{name: "a load falls", instead: verdict.Healthy, subject: observed(60, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 60)
		s.Client.Activity.Received = silent(i, long)
		s.Client.Activity.Received[0] = 60 - i
	})},
)

// A leak of one socket a minute among 500 that come and go: an hour and a half, a
// sample every ten seconds. The kernel's activity shows it much sooner.
func TestSlowLeakAmongManyBusyConnections(t *testing.T) {
	t.Parallel()
	subject := func(minutes, leaking int, active bool, r *rand.Rand) *series.Subject {
		var s series.Subject
		for i := range minutes * 6 {
			busy, idle := 500+int(10*r.NormFloat64()), leaking*i/6
			sample := series.Sample{At: time.Duration(i) * 10 * time.Second, Client: series.End{Counts: in(socketstats.Established, busy+idle)}}
			if active {
				sample.Client.Activity, sample.Server.Activity = &socketstats.Activity{}, &socketstats.Activity{}
				sample.Client.Activity.Received[0] = busy
				sample.Client.Activity.Received[8] = idle
			}
			s.Samples = append(s.Samples, sample)
		}
		return &s
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 2))
		require.Equal(t, verdict.ConnectionGrowth, judge(subject(90, 1, false, r)).Kind, "seed %d", seed)
		v := judge(subject(10, 1, true, r))
		require.Equal(t, verdict.IdleConnectionsNotReused, v.Kind, "seed %d", seed)
		require.Contains(t, verdict.Evidence(v)[0], "per minute")
		require.Equal(t, verdict.Healthy, judge(subject(90, 0, false, r)).Kind, "seed %d", seed)
		require.Equal(t, verdict.Healthy, judge(subject(90, 0, true, r)).Kind, "seed %d", seed)
	}
}
