package expect

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/verdict"
)

// Subject is one side of a run, with what it was judged by.
type Subject struct {
	Name    string
	Series  verdict.Series
	Verdict verdict.Verdict
}

// Sides are both sides of a run.
func Sides(run *lab.Run) []Subject {
	var sides []Subject
	for _, side := range scenario.Sides() {
		sides = append(sides, Subject{
			Name:   fmt.Sprintf("%s, %s side", run.Scenario, side),
			Series: series(run, side), Verdict: judgeSide(run, side),
		})
	}
	return sides
}

// series is one side of a run as the verdict's engine takes it: both ends of
// the same connections, and the client metrics.
func series(run *lab.Run, name scenario.Side) verdict.Series {
	side := run.Of(name)
	s := verdict.Series{
		Speed: run.Speed, Ended: run.Over && run.Stopped == "", Paired: true, Relayed: run.Relayed,
		Limits: run.Limits, Stopped: side.Report.Stopped,
	}
	atWork := side.Samples[:run.AtWork(name)]
	for i, of := range atWork {
		if i == len(atWork)-1 && s.Ended {
			of.Report = side.Report // the last word
		}
		s.Samples = append(s.Samples, sample(side.Client.Series[i].At, of, run.Relayed))
	}
	return s
}

func sample(at time.Duration, s lab.SideSample, relayed bool) verdict.Sample {
	v := verdict.Sample{
		At:     at,
		Client: verdict.End{Counts: s.Client, Activity: s.ClientActivity},
		Server: verdict.End{Counts: s.Server, Activity: s.ServerActivity},
		Kernel: s.Kernel, Descriptors: s.Report.Process.FDs,
		Flow: flow(s, relayed), Requests: requests(s.Report),
		Servers: servers(s), UpstreamConns: upstreamConns(s, relayed),
	}
	return v
}

// upstreamConns is the connections that the first server opened.
func upstreamConns(s lab.SideSample, relayed bool) int {
	if !relayed {
		return 0
	}
	return s.UpstreamConns
}

// servers are the servers that could have had the requests, in the order of
// their names.
func servers(s lab.SideSample) []verdict.Server {
	var list []verdict.Server
	for _, name := range slices.Sorted(maps.Keys(s.Servers)) {
		list = append(list, verdict.Server{Name: name, Requests: int(s.Servers[name].Requests), Due: s.Servers[name].Due})
	}
	return list
}

// flow is what the client opened by its own counters, and beside what the kernel
// saw; nil where neither is known. The client metrics know nothing of what a
// server opens behind it.
func flow(s lab.SideSample, relayed bool) *verdict.Flow {
	var f verdict.Flow
	tally, booked := s.Connections, s.Report.Knows("connections.opened")
	booked = booked && (!relayed || tally == nil)
	if tally != nil {
		f = verdict.Flow{Opened: tally.Opened, Closed: tally.Closed, WithTCPInfo: tally.WithTCPInfo, ShortLived: tally.ShortLived}
	}
	if booked {
		f.Opened = int(s.Report.Connections.Opened)
	}
	if tally == nil && !booked {
		return nil
	}
	return &f
}

// requests is nil where nobody counted them.
func requests(r loadgen.Report) *verdict.Requests {
	if !r.Knows("requests") {
		return nil
	}
	v := &verdict.Requests{
		Sent: int(r.Requests.Sent), OK: int(r.Requests.OK), Failed: int(r.Requests.Failed),
		InFlight: int(r.Requests.InFlight), Reused: int(r.Connections.Reused),
		Slowest: time.Duration(r.Latency.Max * float64(time.Millisecond)),
		CutOff:  int(r.Requests.CutOff()), TimedOut: int(r.Requests.Errors["timeout"]),
		StaleReuse: int(r.Connections.StaleReuse), Attempts: int(r.Requests.Attempts), Refused: int(r.Connections.Failed),
	}
	return v
}
