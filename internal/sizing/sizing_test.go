package sizing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/sizing"
)

func TestTheArithmetic(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		load  sizing.Load
		want  int
		pools []int
	}{
		{sizing.Load{PerSecond: 1000, Latency: 10 * time.Millisecond, Spare: 0.2}, 12, []int{5, 12, 48}},
		{sizing.Load{PerSecond: 1000, Latency: 10 * time.Millisecond}, 10, []int{5, 10, 40}},
		{sizing.Load{PerSecond: 1000, Latency: 10 * time.Millisecond, Burst: 50, Spare: 0.2}, 72, []int{5, 72, 288}},
		{sizing.Load{PerSecond: 0.1, Latency: 10 * time.Millisecond, Spare: 0.2}, 1, []int{1, 4}},
		{sizing.Load{PerSecond: 33, Latency: 100 * time.Millisecond, Spare: 0.2}, 4, []int{1, 4, 16}},
		{sizing.Load{PerSecond: 1.5, Latency: time.Second}, 2, []int{2, 8}},
	} {
		require.NoError(t, test.load.Check(), "%+v", test.load)
		require.Equal(t, test.want, test.load.Connections(), "%+v", test.load)
		var pools []int
		for _, p := range test.load.Pools() {
			pools = append(pools, p.Connections)
		}
		require.Equal(t, test.pools, pools)
	}
	require.InDelta(t, 500, sizing.Load{PerSecond: 1, Latency: 10 * time.Millisecond}.PerSecondOf(5), 1e-9)
}

func TestImpossibleLoadsAreRefused(t *testing.T) {
	t.Parallel()
	good := sizing.Load{PerSecond: 1, Latency: time.Second}
	for want, change := range map[string]func(*sizing.Load){
		"rate 0/s is not":            func(l *sizing.Load) { l.PerSecond = 0 },
		"rate 2e+06/s is not":        func(l *sizing.Load) { l.PerSecond = 2e6 },
		"rate 1e-05/s is not":        func(l *sizing.Load) { l.PerSecond = 1e-5 },
		"latency 0s is not":          func(l *sizing.Load) { l.Latency = 0 },
		"latency 2h0m0s is not":      func(l *sizing.Load) { l.Latency = 2 * time.Hour },
		"burst -1 is not":            func(l *sizing.Load) { l.Burst = -1 },
		"spare -10% is not":          func(l *sizing.Load) { l.Spare = -0.1 },
		"needs 1000000 connections:": func(l *sizing.Load) { l.PerSecond = 1e6 },
	} {
		l := good
		change(&l)
		require.ErrorContains(t, l.Check(), want)
	}
	require.NoError(t, good.Check())
	require.ErrorContains(t, good.Play(), "rate 1/s")
	require.ErrorContains(t, sizing.Load{PerSecond: 10, Latency: 2 * time.Second}.Play(), "latency 2s")
	require.ErrorContains(t, sizing.Load{PerSecond: 2000, Latency: time.Second}.Play(), "2000 connections")
	require.NoError(t, sizing.Load{PerSecond: 1000, Latency: 10 * time.Millisecond}.Play())
}

func TestAPredictionFollowsTheQueue(t *testing.T) {
	t.Parallel()
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	due := []time.Duration{0, 0, 0, ms(5), ms(30)} // by hand, of one connection: ends at 10, 20, 30, 40, 50
	require.Equal(t, sizing.Result{P50MS: 20, P99MS: 35, Sockets: 1, Answered: 5}, sizing.Predict(due, 1, ms(10), ms(100)))
	require.Equal(t, sizing.Result{P50MS: 10, P99MS: 20, Sockets: 1, Answered: 2, InFlight: 3}, sizing.Predict(due, 1, ms(10), ms(20)))
	require.Equal(t, sizing.Result{P50MS: 10, P99MS: 20, Sockets: 2, Answered: 5}, sizing.Predict(due, 2, ms(10), ms(100)))
	require.Equal(t, sizing.Result{P50MS: 10, P99MS: 10, Sockets: 4, Answered: 5}, sizing.Predict(due, 9, ms(10), ms(100)))
	require.Equal(t, sizing.Result{}, sizing.Predict(nil, 9, ms(10), ms(100)))
}

func TestTheRightPoolMakesNothingWaitAndTheSmallOneHalf(t *testing.T) {
	t.Parallel()
	for _, l := range []sizing.Load{
		{PerSecond: 1000, Latency: 10 * time.Millisecond, Spare: 0.2},
		{PerSecond: 1000, Latency: 10 * time.Millisecond, Burst: 50},
		{PerSecond: 0.5, Latency: time.Minute},
		{PerSecond: 1e6, Latency: 50 * time.Millisecond},
	} {
		script := scenario.Script{Load: l.Phases()}
		due, end := script.Arrivals(1), script.Length()
		pools := l.Pools()
		small := sizing.Predict(due, pools[0].Connections, l.Latency, end)
		require.Greater(t, small.P50MS, 1.5*l.Latency.Seconds()*1000, "%+v", l)
		require.Equal(t, pools[0].Connections, small.Sockets)
		for _, p := range pools[1:] {
			r := sizing.Predict(due, p.Connections, l.Latency, end)
			require.InDelta(t, l.Latency.Seconds()*1000, r.P99MS, 1e-6, "%+v", l)
			require.Zero(t, r.InFlight)
			require.LessOrEqual(t, r.Sockets, p.Connections)
			require.GreaterOrEqual(t, float64(r.Sockets), l.UnderWay()-1)
		}
	}
}
