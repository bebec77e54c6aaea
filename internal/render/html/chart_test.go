package html

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
)

func TestThinningKeepsPeaksAndTheEnd(t *testing.T) {
	t.Parallel()
	for _, n := range []int{mostPoints + 1, 2 * mostPoints, 5003} {
		for _, peak := range []int{0, 1, n / 3, n - 2, n - 1} {
			var points []render.Point
			for i := range n {
				points = append(points, render.Point{At: time.Duration(i), Counts: []int{i % 3, 1}})
			}
			points[peak].Counts[0] = 1000
			got := thinned(points)
			require.LessOrEqual(t, len(got), mostPoints+1)
			require.Contains(t, got, points[peak])
			require.Equal(t, points[n-1], got[len(got)-1])
			require.IsIncreasing(t, times(got))
		}
	}
	few := []render.Point{{At: 1, Counts: []int{1}}}
	require.Equal(t, few, thinned(few))
}

func times(points []render.Point) []time.Duration {
	var all []time.Duration
	for _, p := range points {
		all = append(all, p.At)
	}
	return all
}

// The path of an area goes along the upper counts and back along the lower ones.
func TestAreaIsASteppedBand(t *testing.T) {
	t.Parallel()
	s := &render.Snapshot{From: 5, At: 8, To: 8, Scale: 10}
	ch := chart{snapshot: s, width: marginLeft + marginRight + 30, height: marginTop + marginBottom + 100}
	points := []render.Point{{At: 5}, {At: 6}, {At: 7}}
	// Ten sockets are 100 high, and a time is 10 wide.
	require.Equal(t, "M46 130H56V110H76V130H46Z", ch.area(points, []int{0, 0, 0}, []int{0, 2, 2}))
	require.Equal(t, "M46 120H66V100H76V110H66V120H46Z", ch.area(points, []int{1, 1, 2}, []int{1, 1, 3}))
	s.At = 7 // what the last one counted is seen although nothing follows
	require.Equal(t, "M46 130H66V110H69V130H46Z", ch.area(points, []int{0, 0, 0}, []int{0, 0, 2}))
}

func TestAxesHaveAFewRoundSteps(t *testing.T) {
	t.Parallel()
	for scale := 1; scale < 20000; scale++ {
		// Those at 0, at a step and at two are in it, and so is at least half of it.
		step := sizeStep(scale)
		require.True(t, 2*step <= scale && 4*step >= scale || scale == 1 && step == 1, "%d: %d", scale, step)
	}
	// As the page has them.
	for scale, step := range map[int]int{5: 2, 9: 4, 19: 8, 20: 10, 30: 15, 60: 30, 99: 40, 120: 60, 140: 60, 181: 80, 204: 100, 1999: 800, 12345: 6000} {
		require.Equal(t, step, sizeStep(scale), "%d", scale)
	}
	require.Equal(t, 2*time.Second, timeStep(11*time.Second))
	require.Equal(t, 15*time.Second, timeStep(75*time.Second))
	for length := time.Duration(0); length < 3*time.Hour; length += 777 * time.Millisecond {
		require.LessOrEqual(t, int(length/timeStep(length)), 6)
	}
}
