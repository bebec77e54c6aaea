package series

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// seconds are n times, a second apart.
func seconds(n int) []time.Duration {
	at := make([]time.Duration, n)
	for i := range at {
		at[i] = time.Duration(i) * time.Second
	}
	return at
}

// line is n values that rise by 2 a second.
func line(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = 10 + 2*float64(i)
	}
	return values
}

func TestSlopeIsTheMedianOfAllPairs(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 2, Slope(seconds(20), line(20)), 1e-9)
	require.InDelta(t, 0.002, Slope([]time.Duration{0, 1000 * time.Second}, []float64{0, 2}), 1e-9)
	require.Zero(t, Slope(nil, nil))
	require.Zero(t, Slope(seconds(1), []float64{7}))
	require.Zero(t, Slope([]time.Duration{5, 5, 5}, []float64{1, 2, 3}), "no time has passed")
	require.InDelta(t, 2, Slope(seconds(5000), line(5000)), 1e-9, "a long series is thinned out")
}

// Up to 29 % of the values may be anything (Sen 1968).
func TestSlopeIsNotMovedByOutliers(t *testing.T) {
	t.Parallel()
	values := line(100)
	for i := range 28 {
		values[3*i] = 1e6
	}
	require.InDelta(t, 2, Slope(seconds(100), values), 0.2)
}

// A clock was set, or a machine was asleep: what changed meanwhile is no rate.
func TestSlopeLeavesOutPairsAcrossAGap(t *testing.T) {
	t.Parallel()
	at, values := seconds(40), line(40)
	for i := 20; i < 40; i++ {
		at[i] += time.Hour
		values[i] += 5000
	}
	require.InDelta(t, 2, Slope(at, values), 1e-9)
	// Where each value has a gap before it, there are no other pairs.
	require.InDelta(t, 1, Slope([]time.Duration{0, time.Second, time.Hour}, []float64{0, 1, 3600}), 1e-3)
}

// The values are those of the formulas in Kendall (1975), worked out by hand.
func TestMannKendallIsTheChanceOfNoTrend(t *testing.T) {
	t.Parallel()
	tail := func(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }
	// Ten values that rise: S = 45, variance 10·9·25/18 = 125.
	require.InDelta(t, tail(44/math.Sqrt(125)), mannKendall(line(10), 0), 1e-12)
	// Five pairs of ties: S = 40, variance (10·9·25 - 5·2·1·9)/18 = 120.
	require.InDelta(t, tail(39/math.Sqrt(120)), mannKendall([]float64{1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, 0), 1e-12)
	// Noise with a correlation of 1/2 counts for a third of its values.
	require.InDelta(t, tail(44/math.Sqrt(375)), mannKendall(line(10), 0.5), 1e-12)
	for name, values := range map[string][]float64{
		"one value": {1}, "all the same": {3, 3, 3, 3, 3}, "falling": {5, 4, 3, 2, 1}, "as much up as down": {1, 2, 1, 2, 1},
	} {
		require.EqualValues(t, 1, mannKendall(values, 0), name)
	}
}

func TestAutocorrelationIsThatOfNeighbours(t *testing.T) {
	t.Parallel()
	require.Zero(t, autocorrelation(nil))
	require.Zero(t, autocorrelation([]float64{1, -1, 1, -1}), "what alternates is no memory")
	require.InDelta(t, 0.75, autocorrelation([]float64{1, 1, 1, 1}), 1e-9)
	require.InDelta(t, 0.95, autocorrelation(slices.Repeat([]float64{1}, 1000)), 1e-9, "never more")
	up := []float64{0, 5, 10, 15, 14, 20}
	require.Zero(t, wandering(up, []float64{1, 1, 1, 1, 1, 1}), "what hardly goes down is no noise")
}

func TestTrendGrowsOnlyIfTheFloorRisesForGood(t *testing.T) {
	t.Parallel()
	shape := func(at func(i int) float64) []float64 {
		values := make([]float64, 80)
		for i := range values {
			values[i] = at(i)
		}
		return values
	}
	r := rand.New(rand.NewPCG(1, 1))
	for name, test := range map[string]struct {
		values []float64
		grows  bool
	}{
		"a line":                    {line(80), true},
		"the fewest samples":        {line(Least), true},
		"one sample fewer":          {line(Least - 1), false},
		"nothing":                   {nil, false},
		"a line in noise":           {shape(func(i int) float64 { return float64(i) + 5*r.NormFloat64() }), true},
		"steps":                     {shape(func(i int) float64 { return float64(5 * (i / 10)) }), true},
		"noise":                     {shape(func(int) float64 { return 50 + 10*r.NormFloat64() }), false},
		"a sawtooth":                {shape(func(i int) float64 { return float64(5 * (i % 30)) }), false},
		"a ramp and a plateau":      {shape(func(i int) float64 { return min(200, float64(10*i)) }), false},
		"a rise that is given back": {shape(func(i int) float64 { return float64(5 * min(i, 79-i)) }), false},
		"two sockets":               {shape(func(i int) float64 { return float64(i / 30) }), false},
		"falling":                   {shape(func(i int) float64 { return 100 - float64(i) }), false},
	} {
		trend := TrendOf(seconds(len(test.values)), test.values)
		require.Equal(t, test.grows, trend.Grows, "%s: %+v", name, trend)
		if trend.Grows {
			require.Less(t, trend.Chance, Unlikely, name)
			require.Positive(t, trend.PerSecond, name)
		}
	}
	require.Equal(t, Trend{Chance: 1}, TrendOf(nil, nil))
	full := TrendOf(seconds(80), line(80))
	require.InDelta(t, 2, full.PerSecond, 1e-9)
	require.EqualValues(t, 10, full.Floor)
	require.EqualValues(t, 120, full.Rise, "from the first value to the lowest of the last quarter")
}

func TestASubjectGrowsAtEitherEnd(t *testing.T) {
	t.Parallel()
	s := watched(0, 2, 4, 6, 8, 10, 12, 14, 16, 18)
	growth, grows := s.Grows()
	require.True(t, grows)
	require.Equal(t, Growth(2), growth)
	for i := range s.Samples {
		for range 3 * i {
			s.Samples[i].Server.Counts.Add(&socketstats.Socket{State: socketstats.Established})
		}
	}
	growth, grows = s.Grows()
	require.True(t, grows)
	require.Equal(t, Growth(3), growth, "the end that grows faster")
	for _, calm := range []*Subject{{}, watched(5, 5, 5, 5, 5, 5, 5, 5, 5, 5), watched(9, 8, 7, 6, 5, 4, 3, 2, 1, 0)} {
		growth, grows = calm.Grows()
		require.False(t, grows)
		require.Zero(t, growth)
	}
}
