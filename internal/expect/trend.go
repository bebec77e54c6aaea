package expect

import (
	"math"
	"time"

	"socketlab/internal/lab"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// Growth is the trend of a side's open sockets, as [growth] has it.
func Growth(side *lab.Side) float64 { return growth(side, socketstats.Counts.Open) }

// Change is the same where it is more than chance, and 0 elsewhere: what the
// feature "socket trend" says in words.
func Change(side *lab.Side) float64 { return change(side, socketstats.Counts.Open) }

// growth is the trend of a side's sockets while the load lasted, in sockets a
// second: that of the end where it is larger, since what the client throws
// away may linger at the server.
func growth(side *lab.Side, count func(socketstats.Counts) int) float64 {
	g := max(slope(steady(side, side.Client.Series), count), slope(steady(side, side.Server.Series), count))
	return math.Round(g*100) / 100
}

// steady keeps the points of a series before which requests were sent, less
// the first third of them: a load's beginning is a ramp for every client, and
// its end a fall.
func steady(side *lab.Side, series []lab.Point) []lab.Point {
	var active []lab.Point
	var sent int64
	for i, s := range side.Samples {
		r := s.Report
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

// slope is the trend of what is counted, in sockets a second.
func slope(series []lab.Point, count func(socketstats.Counts) int) float64 {
	const least = 3
	if len(series) < least {
		return 0
	}
	at, values := make([]time.Duration, len(series)), make([]float64, len(series))
	for i, p := range series {
		at[i], values[i] = p.At, float64(count(p.Counts))
	}
	return verdict.Slope(at, values)
}
