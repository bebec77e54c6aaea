package judge

import (
	"math"
	"slices"
	"time"

	"socketlab/internal/lab"
	"socketlab/internal/socketstats"
)

// growth is the trend of a side's sockets while the load lasted, in sockets a
// second: that of the end where it is larger, since what the client throws
// away may linger at the server.
func growth(side *lab.Side, count func(socketstats.Counts) int) float64 {
	g := max(slope(steady(side, side.Client.Series), count), slope(steady(side, side.Server.Series), count))
	return math.Round(g*100) / 100
}

// total counts the sockets of connections, in any state.
func total(c socketstats.Counts) int { return c.Total() - c.Of(socketstats.Listen) }

// steady keeps the points of a series before which requests were sent, less
// the first third of them: a load's beginning is a ramp for every client, and
// its end a fall.
func steady(side *lab.Side, series []lab.Point) []lab.Point {
	var active []lab.Point
	var sent int64
	for i, r := range side.Reports {
		if r.Requests.Sent > sent {
			active = append(active, series[i])
		}
		sent = r.Requests.Sent
	}
	return active[len(active)/3:]
}

// span is the time that a side's growth was measured over.
func span(side *lab.Side) time.Duration {
	points := steady(side, side.Client.Series)
	if len(points) == 0 {
		return 0
	}
	return points[len(points)-1].At - points[0].At
}

// slope is the Theil-Sen estimator (Sen 1968): the median of the slopes
// between all pairs of points. Half a run of bursts and outliers does not move
// it. With fewer than three points it is 0.
func slope(series []lab.Point, count func(socketstats.Counts) int) float64 {
	series = thin(series)
	if len(series) < 3 {
		return 0
	}
	var slopes []float64
	for i, a := range series {
		for _, b := range series[i+1:] {
			if dt := (b.At - a.At).Seconds(); dt > 0 {
				slopes = append(slopes, float64(count(b.Counts)-count(a.Counts))/dt)
			}
		}
	}
	slices.Sort(slopes)
	mid := len(slopes) / 2
	if len(slopes)%2 == 1 {
		return slopes[mid]
	}
	return (slopes[mid-1] + slopes[mid]) / 2
}

// thin keeps a long series at a size whose pairs can be counted.
func thin(series []lab.Point) []lab.Point {
	const enough = 500
	step := (len(series) + enough - 1) / enough
	if step <= 1 {
		return series
	}
	var kept []lab.Point
	for i := 0; i < len(series); i += step {
		kept = append(kept, series[i])
	}
	return kept
}
