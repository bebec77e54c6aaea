package scenario

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func withLoad(t testing.TB, phases string) Script {
	t.Helper()
	return mustParse(t, head+"load: ["+phases+"]\n"+expect)
}

func ms(n ...int) []time.Duration {
	d := make([]time.Duration, len(n))
	for i, v := range n {
		d[i] = time.Duration(v) * time.Millisecond
	}
	return d
}

func TestArrivalsOfEachKindOfPhase(t *testing.T) {
	tests := []struct {
		name, load string
		want       []time.Duration
		length     time.Duration
	}{
		{"a rate is evenly spaced and begins at once", "{rate: 4, for: 1s}", ms(0, 250, 500, 750), time.Second},
		{"a slow rate", "{rate: 0.5, for: 6s}", ms(0, 2000, 4000), 6 * time.Second},
		{"a part of a request is none", "{rate: 4, for: 1100ms}", ms(0, 250, 500, 750), 1100 * time.Millisecond},
		{"rounding takes no request away", "{rate: 10, for: 300ms}, pause: 1s", ms(0, 100, 200), 1300 * time.Millisecond},
		{"a burst is one moment", "burst: 3, pause: 1s", ms(0, 0, 0), time.Second},
		{"bursts repeat", "{burst: 2, repeat: 3, every: 500ms}", ms(0, 0, 500, 500, 1000, 1000), 1500 * time.Millisecond},
		{"a pause shifts what follows", "pause: 1s, {rate: 2, for: 1s}", ms(1000, 1500), 2 * time.Second},
		{
			"phases follow each other", "{rate: 2, for: 1s}, {burst: 1, repeat: 2, every: 1s}, pause: 1s, burst: 2",
			ms(0, 500, 1000, 2000, 4000, 4000), 4 * time.Second,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := withLoad(t, test.load)
			require.Equal(t, test.want, s.Arrivals(1))
			require.Equal(t, test.length, s.Length())
		})
	}
}

func TestRateKeepsItsSpacingToTheEnd(t *testing.T) {
	due := withLoad(t, "{rate: 30, for: 100s}").Arrivals(1)
	require.Len(t, due, 3000)
	for i, at := range due {
		require.InDelta(t, float64(i)/30, at.Seconds(), 1e-8)
	}
}

func TestSameSeedGivesTheSameSchedule(t *testing.T) {
	s := withLoad(t, "{rate: 10, for: 10s, jitter_requests: 3}, {rate: 5, for: 10s, jitter_requests: 1}")
	require.Equal(t, s.Arrivals(7), s.Arrivals(7))
	require.Equal(t, s.Arrivals(7), withLoad(t, "{rate: 10, for: 10s, jitter_requests: 3}, {rate: 5, for: 10s, jitter_requests: 1}").Arrivals(7))
}

func TestDifferentSeedsGiveDifferentSchedules(t *testing.T) {
	s := withLoad(t, "{rate: 10, for: 10s, jitter_requests: 3}")
	for seed := uint64(1); seed <= 20; seed++ {
		require.NotEqual(t, s.Arrivals(0), s.Arrivals(seed))
	}
}

// Recorded runs name their seed: another Go release must play the same.
func TestScheduleOfASeedNeverChanges(t *testing.T) {
	require.Equal(t, ms(0, 0, 1000, 2000, 2000, 2000, 3000, 4000, 4000, 4000, 5000, 5000),
		withLoad(t, "{rate: 1, for: 6s, jitter_requests: 2}").Arrivals(1))
}

func TestExtraRequestsComeWithTheRegularOnes(t *testing.T) {
	due := withLoad(t, "{rate: 10, for: 100s, jitter_requests: 3}").Arrivals(1)
	atOnce := map[time.Duration]int{}
	for _, at := range due {
		atOnce[at]++
	}
	require.Len(t, atOnce, 1000, "extra requests must not have moments of their own")
	sizes := map[int]int{}
	for _, n := range atOnce {
		sizes[n]++
	}
	require.Len(t, sizes, 4)
	for n := 1; n <= 4; n++ {
		require.InDelta(t, 250, sizes[n], 80, "%d at once should be as common as any other number", n)
	}
}

func TestRequestsIsTheMostThatArrivalsGives(t *testing.T) {
	s := withLoad(t, "{rate: 1, for: 3s, jitter_requests: 2}, {burst: 5, repeat: 2, every: 1s}, pause: 1s")
	require.Equal(t, 3*3+10, s.requests())
	most := 0
	for seed := range uint64(200) {
		most = max(most, len(s.Arrivals(seed)))
	}
	require.Equal(t, s.requests(), most)
}

func TestSpeedDividesEveryMoment(t *testing.T) {
	s := withLoad(t, "{rate: 7, for: 13s, jitter_requests: 2}, pause: 1s, {burst: 3, repeat: 4, every: 700ms}, {rate: 75, for: 4s}, {rate: 0.3, for: 10s}")
	plain := s.Arrivals(1)
	for _, speed := range []float64{10, 1, 3, 7, 0.5, 0.01, 33.3, 1000} {
		fast := s.AtSpeed(speed).Arrivals(1)
		require.Len(t, fast, len(plain), "at speed %v", speed)
		for i := range plain {
			// Each schedule is in whole nanoseconds.
			require.InDelta(t, float64(plain[i])/speed, float64(fast[i]), 4+4/speed, "request %d at speed %v", i, speed)
		}
	}
}

func TestSpeedChangesNoNumberOfRequests(t *testing.T) {
	for _, rate := range []string{"0.1", "1", "3", "7", "99.9", "1000", "3000"} {
		s := withLoad(t, "{rate: "+rate+", for: 30s}")
		for speed := 0.01; speed <= maxSpeed; speed *= math.Pi {
			require.Len(t, s.AtSpeed(speed).Arrivals(1), len(s.Arrivals(1)), "rate %s at speed %v", rate, speed)
		}
	}
}

func TestArrivalsAreInOrder(t *testing.T) {
	s := withLoad(t, "{rate: 100, for: 1s, jitter_requests: 5}, {burst: 10, repeat: 10, every: 1ms}, {rate: 1, for: 2s}")
	require.True(t, slices.IsSorted(s.Arrivals(3)))
}
