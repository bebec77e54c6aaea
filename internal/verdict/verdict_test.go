package verdict_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// open is a series in which nothing is known but how many connections are open
// at the client's end, a sample a second.
func open(counts []int) verdict.Series {
	var s verdict.Series
	for i, n := range counts {
		s.Samples = append(s.Samples, verdict.Sample{
			At:     time.Duration(i) * time.Second,
			Client: verdict.End{Counts: in(socketstats.Established, n)},
		})
	}
	return s
}

func in(state socketstats.State, n int) socketstats.Counts {
	var c socketstats.Counts
	for range n {
		c.Add(state)
	}
	return c
}

// shape makes n counts.
func shape(n int, at func(i int) float64) []int {
	counts := make([]int, n)
	for i := range counts {
		counts[i] = max(0, int(math.Round(at(i))))
	}
	return counts
}

// seeds are those that a shape with noise is tried with.
const seeds = 20

// TestGrowthIsToldFromWhatLooksLikeIt judges counts alone, the hardest case.
func TestGrowthIsToldFromWhatLooksLikeIt(t *testing.T) {
	t.Parallel()
	const n = 240
	tests := []struct {
		name string
		at   func(i int, r *rand.Rand) float64
		leak bool
	}{
		{"flat", func(int, *rand.Rand) float64 { return 30 }, false},
		{"noise around a mean", func(_ int, r *rand.Rand) float64 { return 500 + 20*r.NormFloat64() }, false},
		{"noise around a small mean", func(_ int, r *rand.Rand) float64 { return 4 + 2*r.NormFloat64() }, false},
		{"start-up ramp, then a plateau", func(i int, r *rand.Rand) float64 { return math.Min(200, 10*float64(i)) + 5*r.NormFloat64() }, false},
		{"slow ramp to a plateau", func(i int, r *rand.Rand) float64 { return 300*(1-math.Exp(-float64(i)/40)) + 5*r.NormFloat64() }, false},
		{"sawtooth", func(i int, r *rand.Rand) float64 { return 10 + float64(i%40)*5 + 3*r.NormFloat64() }, false},
		{"sawtooth that ends high", func(i int, r *rand.Rand) float64 { return 10 + float64((i+20)%65)*5 + 3*r.NormFloat64() }, false},
		{"daily wave", func(i int, r *rand.Rand) float64 {
			return 300 + 200*math.Sin(float64(i)*2*math.Pi/100) + 8*r.NormFloat64()
		}, false},
		{"one burst", func(i int, r *rand.Rand) float64 { return 20 + burst(i, 100, 30, 400) + 2*r.NormFloat64() }, false},
		{"bursts, the last at the end", func(i int, r *rand.Rand) float64 {
			return 20 + burst(i, 60, 20, 300) + burst(i, 220, 30, 400) + 2*r.NormFloat64()
		}, false},
		{"falling", func(i int, r *rand.Rand) float64 { return 500 - 2*float64(i) + 5*r.NormFloat64() }, false},
		{"a leak that heals", func(i int, r *rand.Rand) float64 { return 20 + healing(i, 200, 3) + 2*r.NormFloat64() }, false},
		{"a step up that stays", func(i int, r *rand.Rand) float64 { return 50 + step(i, 120, 100) + 3*r.NormFloat64() }, false},
		{"a memory of noise", wander(0.9, 15), false},

		{"a leak", func(i int, r *rand.Rand) float64 { return 3 * float64(i) }, true},
		{"a leak in noise", func(i int, r *rand.Rand) float64 { return 100 + float64(i) + 15*r.NormFloat64() }, true},
		{"a leak below a wave", func(i int, r *rand.Rand) float64 {
			return 100 + 2*float64(i) + 30*math.Sin(float64(i)*2*math.Pi/20) + 5*r.NormFloat64()
		}, true},
		{"a leak below a sawtooth", func(i int, r *rand.Rand) float64 { return 2*float64(i) + float64(i%20)*3 + 2*r.NormFloat64() }, true},
		{"a leak after a quiet start", func(i int, r *rand.Rand) float64 { return 20 + 4*math.Max(0, float64(i-60)) + 2*r.NormFloat64() }, true},
		{"a leak in steps", func(i int, r *rand.Rand) float64 { return 20 + 10*float64(i/15) + 2*r.NormFloat64() }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seeds) {
				r := rand.New(rand.NewPCG(seed, 1))
				v := verdict.Diagnose(open(shape(n, func(i int) float64 { return test.at(i, r) })))
				require.Equal(t, test.leak, v.Leak, "seed %d: %+v", seed, v)
				if !test.leak {
					require.Equal(t, verdict.Healthy, v.Kind)
				}
			}
		})
	}
}

func burst(i, from, length int, height float64) float64 {
	if i >= from && i < from+length {
		return height
	}
	return 0
}

func healing(i, until int, perSample float64) float64 {
	if i < until {
		return perSample * float64(i)
	}
	return math.Max(0, perSample*float64(until)-40*float64(i-until))
}

func step(i, from int, height float64) float64 {
	if i >= from {
		return height
	}
	return 0
}

// wander is noise that remembers: each value keeps a part of the one before.
func wander(keep, sigma float64) func(int, *rand.Rand) float64 {
	now := 0.0
	return func(i int, r *rand.Rand) float64 {
		if i == 0 {
			now = 0
		}
		now = keep*now + sigma*r.NormFloat64()
		return 500 + now
	}
}

// A leak of one socket a minute among 500 that come and go: an hour and a half,
// a sample every ten seconds. What the kernel knows of each makes it plain much
// sooner.
func TestSlowLeakAmongManyBusyOnes(t *testing.T) {
	t.Parallel()
	series := func(minutes, leaking int, knowing bool, r *rand.Rand) verdict.Series {
		var s verdict.Series
		for i := range minutes * 6 {
			busy, idle := 500+int(10*r.NormFloat64()), leaking*i/6
			sample := verdict.Sample{At: time.Duration(i) * 10 * time.Second, Client: verdict.End{Counts: in(socketstats.Established, busy+idle)}}
			if knowing {
				use := &socketstats.Activity{}
				use.Received[0] = busy
				use.Received[8] = idle
				sample.Client.Activity, sample.Server.Activity = use, &socketstats.Activity{}
			}
			s.Samples = append(s.Samples, sample)
		}
		return s
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 2))
		require.Equal(t, verdict.ConnectionGrowth, verdict.Diagnose(series(90, 1, false, r)).Kind, "seed %d", seed)
		v := verdict.Diagnose(series(10, 1, true, r))
		require.Equal(t, verdict.IdleConnectionsNotReused, v.Kind, "seed %d", seed)
		require.Contains(t, v.Evidence[0], "a minute")
		require.Equal(t, verdict.Healthy, verdict.Diagnose(series(90, 0, false, r)).Kind, "seed %d", seed)
		require.Equal(t, verdict.Healthy, verdict.Diagnose(series(90, 0, true, r)).Kind, "seed %d", seed)
	}
}

func TestLeakIsTakenBackWhenItHeals(t *testing.T) {
	t.Parallel()
	counts := shape(100, func(i int) float64 { return healing(i, 80, 4) })
	require.Equal(t, verdict.ConnectionGrowth, verdict.Diagnose(open(counts[:80])).Kind)
	v := verdict.Diagnose(open(counts))
	require.Equal(t, verdict.Healthy, v.Kind)
	require.Contains(t, v.Evidence[1], "looked like a leak; then the connections were given back")
}

func TestRestartBeginsAnew(t *testing.T) {
	t.Parallel()
	tooth := func(i int) float64 { return 4 * float64(i%60) }
	restarted := func(n int) verdict.Series {
		s := open(shape(n, tooth))
		for i := range s.Samples {
			s.Samples[i].Epoch = i / 60
		}
		return s
	}
	require.Equal(t, verdict.Healthy, verdict.Diagnose(open(shape(120, tooth))).Kind, "without a restart it is a sawtooth")
	require.Equal(t, verdict.ConnectionGrowth, verdict.Diagnose(restarted(120)).Kind)
	v := verdict.Diagnose(restarted(64))
	require.Equal(t, verdict.NotEnoughData, v.Kind)
	require.Contains(t, v.Evidence[0], "Restarted")

	healthy := open(shape(120, func(i int) float64 { return math.Min(50, 10*float64(i%60)) }))
	for i := range healthy.Samples {
		healthy.Samples[i].Epoch = i / 60
	}
	require.Equal(t, verdict.Healthy, verdict.Diagnose(healthy).Kind)
}

func TestMissingSamplesDoNotMatter(t *testing.T) {
	t.Parallel()
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 3))
		leak := open(shape(240, func(i int) float64 { return 50 + float64(i) + 3*r.NormFloat64() }))
		calm := open(shape(240, func(int) float64 { return 50 + 3*r.NormFloat64() }))
		for _, s := range []*verdict.Series{&leak, &calm} {
			var kept []verdict.Sample
			for i, sample := range s.Samples {
				if r.IntN(2) == 0 && (i < 80 || i > 150) { // half are missing, and 70 in a row
					kept = append(kept, sample)
				}
			}
			s.Samples = kept
		}
		v := verdict.Diagnose(leak)
		require.Equal(t, verdict.ConnectionGrowth, v.Kind, "seed %d", seed)
		require.InDelta(t, 1, v.GrowthPerSecond, 0.1, "seed %d", seed)
		require.Equal(t, verdict.Healthy, verdict.Diagnose(calm).Kind, "seed %d", seed)
	}
}

func TestClockStepsDoNotMatter(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-time.Hour, -30 * time.Second, time.Hour} {
		for _, leak := range []bool{true, false} {
			s := open(shape(100, func(i int) float64 {
				if leak {
					return 2 * float64(i)
				}
				return 40 + float64(i%3)
			}))
			for i := range s.Samples {
				if i >= 50 {
					s.Samples[i].At += by
				}
			}
			v := verdict.Diagnose(s)
			require.Equal(t, leak, v.Leak, "by %s: %+v", by, v)
			if leak {
				require.InDelta(t, 2, v.GrowthPerSecond, 0.05, "by %s", by)
			}
		}
	}
}

func TestTooLittleIsNoVerdict(t *testing.T) {
	t.Parallel()
	require.Equal(t, verdict.NotEnoughData, verdict.Diagnose(verdict.Series{}).Kind)
	for n := 1; n < 8; n++ {
		v := verdict.Diagnose(open(shape(n, func(i int) float64 { return 10 * float64(i) })))
		require.Equal(t, verdict.NotEnoughData, v.Kind, "%d samples", n)
		require.False(t, v.Leak)
	}
}

// Whatever the shape, a verdict does not depend on when its series begins or on
// how fast it goes.
func TestVerdictDoesNotDependOnTheUnitOfTime(t *testing.T) {
	t.Parallel()
	for _, unit := range []time.Duration{time.Millisecond, time.Second, time.Hour} {
		s := open(shape(40, func(i int) float64 { return 3 * float64(i) }))
		for i := range s.Samples {
			s.Samples[i].At = 7*time.Hour + time.Duration(i)*unit
		}
		v := verdict.Diagnose(s)
		require.Equal(t, verdict.ConnectionGrowth, v.Kind)
		require.InDelta(t, 3/unit.Seconds(), v.GrowthPerSecond, 0.01/unit.Seconds()+0.01)
	}
}
