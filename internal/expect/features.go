package expect

import (
	"fmt"
	"math"
	"slices"

	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// Feature is one row of the original incident's comparison, in words, each
// derived from what was measured.
type Feature struct {
	Name   string `json:"name"`
	Faulty string `json:"faulty"`
	Fixed  string `json:"fixed"`
}

func features(run *lab.Run) []Feature {
	row := func(name string, say func(*lab.Side) string) Feature {
		return Feature{Name: name, Faulty: say(run.Of(scenario.Faulty)), Fixed: say(run.Of(scenario.Fixed))}
	}
	return []Feature{
		row("persistent connections", persistent),
		row("idle handling", idleHandling),
		row("closes on error", closesOnError),
		row("socket trend", trend),
	}
}

func persistent(side *lab.Side) string {
	r := side.Report
	answer := "yes"
	if r.Connections.Reused == 0 {
		answer = "no"
	}
	return fmt.Sprintf("%s, %d of %d reused", answer, r.Connections.Reused, r.Requests.Sent)
}

// quiet returns the points at which the client had no request under way, so
// that its established connections are just its idle ones. A report is made
// right after the count it comes with; so that no request ended in between, the
// report before must show that none was under way or begun since.
func quiet(side *lab.Side) []idlePoint {
	var points []idlePoint
	var before loadgen.Requests
	for i, sample := range side.Samples {
		if now := sample.Report.Requests; now.InFlight == 0 && before.InFlight == 0 && now.Sent == before.Sent {
			points = append(points, idlePoint{
				idle:   side.Client.Series[i].Counts.Of(socketstats.Established),
				failed: now.Failed,
			})
		}
		before = sample.Report.Requests
	}
	return points
}

type idlePoint struct {
	idle   int
	failed int64
}

func idleHandling(side *lab.Side) string {
	points := quiet(side)
	if len(points) == 0 {
		return "never idle"
	}
	most := slices.MaxFunc(points, func(a, b idlePoint) int { return a.idle - b.idle }).idle
	last := points[len(points)-1].idle
	return fmt.Sprintf("%d kept, %d at the end", most, last)
}

// closesOnError compares the idle connections before the first failure that
// found any with those after the last.
func closesOnError(side *lab.Side) string {
	if side.Report.Requests.Failed == 0 {
		return "no request failed"
	}
	points := quiet(side)
	before, after := -1, -1
	for _, p := range points {
		switch p.failed {
		case 0:
			before = p.idle
		case side.Report.Requests.Failed:
			after = p.idle
		}
	}
	switch {
	case after < 0:
		return "not seen: never idle"
	case before <= 0 && after == 0:
		return "nothing was idle"
	case after == 0:
		return fmt.Sprintf("yes, %d idle to 0", before)
	default:
		return fmt.Sprintf("no, %d idle stay open", after)
	}
}

// trend tells connections that are open from those that only linger in
// TIME_WAIT: the first hold descriptors, the second local ports.
func trend(side *lab.Side) string {
	text := "flat"
	switch open := Change(side); {
	case open > 0:
		text = fmt.Sprintf("climbs %.1f/s", open)
	case open < 0:
		text = fmt.Sprintf("falls %.1f/s", -open)
	}
	if waiting := change(side, func(c socketstats.Counts) int { return c.Of(socketstats.TimeWait) }); waiting != 0 {
		text += fmt.Sprintf("; TIME_WAIT %+.1f/s", waiting)
	}
	return text
}

// change is the growth of what is counted, or 0 where it is too small to tell
// from chance: a handful of sockets, or a small part of what there is.
func change(side *lab.Side, count func(socketstats.Counts) int) float64 {
	const handful, part = 5, 0.25
	most := 0
	for _, p := range slices.Concat(side.Client.Series, side.Server.Series) {
		most = max(most, count(p.Counts))
	}
	g := growth(side, count)
	if math.Abs(g)*span(side).Seconds() <= max(handful, part*float64(most)) {
		return 0
	}
	return g
}
