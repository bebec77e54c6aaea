package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/socketstats"
)

// On paper, and for some eyes, there is no colour.
func TestStatesAreToldApartWithoutColour(t *testing.T) {
	t.Parallel()
	lines, light, dark := map[string]string{}, map[string]string{}, map[string]string{}
	for _, s := range socketstats.States() {
		if s == socketstats.Listen {
			continue
		}
		l, ok := theme[s.String()]
		require.True(t, ok, s)
		require.NotContains(t, lines, l.lines, s)
		require.NotContains(t, light, l.light, s)
		require.NotContains(t, dark, l.dark, s)
		lines[l.lines], light[l.light], dark[l.dark] = s.String(), s.String(), s.String()
	}
}

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
	p := &render.Snapshot{At: 3, Length: 3, Scale: 10}
	ch := chart{snapshot: p, width: marginLeft + marginRight + 30, height: marginTop + marginBottom + 100}
	points := []render.Point{{At: 0}, {At: 1}, {At: 2}}
	// Ten sockets are 100 high, and a time is 10 wide.
	require.Equal(t, "M46 130H56V110H76V130H46Z", ch.area(points, []int{0, 0, 0}, []int{0, 2, 2}))
	require.Equal(t, "M46 120H66V100H76V110H66V120H46Z", ch.area(points, []int{1, 1, 2}, []int{1, 1, 3}))
}

func TestAxesHaveAFewRoundSteps(t *testing.T) {
	t.Parallel()
	for scale := 1; scale < 20000; scale++ {
		lines := scale / sizeStep(scale)
		require.True(t, lines >= 1 && lines <= 7, "%d", scale)
	}
	require.Equal(t, 20, sizeStep(120))
	require.Equal(t, 20, sizeStep(140))
	require.Equal(t, 2*time.Second, timeStep(11*time.Second))
	require.Equal(t, 15*time.Second, timeStep(75*time.Second))
	for length := time.Duration(0); length < 3*time.Hour; length += 777 * time.Millisecond {
		require.LessOrEqual(t, int(length/timeStep(length)), 6)
	}
}

func TestDifferenceSaysHowFarApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		metric        string
		faulty, fixed float64
		want          string
	}{
		{"requests.sent", 7, 7, "="},
		{"", 120, 2, "×60"},
		{"", 5, 2, "×2.5"},
		{"", 2, 120, "÷60"},
		{"", 116, 0, "+116"},
		{"", 0, 3, "−3"},
		{"", 12, 10, "+2"},
		{"", 1000, 1001, "≈"},
		{"latency_ms.p99", 20010, 20000, "≈"},
		{"latency_ms.p99", 120, 100, "+20ms"},
		{"process.rss_peak_bytes", 13 << 20, 10 << 20, "+3.0 MiB"},
	} {
		require.Equal(t, c.want, difference(c.metric, c.faulty, c.fixed), "%v", c)
	}
}

func TestEveryMeasureSaysWhyItMatters(t *testing.T) {
	t.Parallel()
	run := &lab.Run{}
	for _, m := range measures(Entry{Run: run, Outcome: expect.Judge(run)}, &render.Snapshot{}, &render.Snapshot{}) {
		require.NotEmpty(t, m.Why, m.Name)
	}
}
