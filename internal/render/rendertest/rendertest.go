// Package rendertest makes up observations for the tests of faces and formats, with
// any number of subjects.
package rendertest

import (
	"fmt"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// Counts is so many sockets in each of three states.
func Counts(established, closeWait, timeWait int) socketstats.Counts {
	var c socketstats.Counts
	for state, n := range map[socketstats.State]int{
		socketstats.Established: established, socketstats.CloseWait: closeWait, socketstats.TimeWait: timeWait,
	} {
		for range n {
			c.Add(&socketstats.Socket{State: state})
		}
	}
	return c
}

// Script is that of [Run].
const Script = `
id: transport-per-request
title: A new transport for each request
fault: {kind: idle-connections-not-reused, fix: Create one http.Client and share it.}
load: [{rate: 2, for: 1m}]
narration: [{at: 0s, say: "2 requests a second"}]
expect:
  faulty: [connections.reused == 0, verdict: response-body-leak]
  fixed: [connections.opened == 2, verdict: healthy]
`

// Sides are the ids of the two sides of a run.
func Sides() []string { return []string{"faulty", "fixed"} }

// Run is a run of 60 s as far as so many samples, one a second. The side "faulty"
// keeps a connection for each of two requests a second, of which later ones are in
// CLOSE_WAIT; any other keeps two connections.
func Run(samples int, sides ...string) []series.Event {
	h := series.Header{
		Schema: series.Schema, Title: "A new transport for each request", Interval: time.Second, Length: time.Minute,
		Started:  time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
		Scenario: &series.Scenario{ID: "transport-per-request", Script: Script, Speed: 1},
	}
	for i, id := range sides {
		h.Subjects = append(h.Subjects, series.Identity{ID: id, Name: id, Paired: true, Endpoints: &series.Endpoints{
			Server: fmt.Sprintf("127.0.0.1:%d", 4001+i), ServerPID: 1 + 2*i, ClientPID: 2 + 2*i,
		}})
	}
	events := []series.Event{{Header: &h}}
	for i := range samples {
		sent := 2 * (i + 1)
		closed := max(sent-50, 0) / 2
		m := &series.Moment{At: time.Duration(i+1) * time.Second, Took: time.Millisecond}
		for _, id := range sides {
			s := series.SubjectSample{ID: id}
			if id == "faulty" {
				s.Client.Counts, s.Server.Counts = Counts(sent-closed, closed, min(i/10, 4)), Counts(sent-closed, 0, 0)
				s.ClientMetrics = Metrics(sent, sent)
			} else {
				s.Client.Counts, s.Server.Counts = Counts(2, 0, 0), Counts(2, 0, 0)
				s.ClientMetrics = Metrics(sent, 2)
			}
			m.Subjects = append(m.Subjects, s)
		}
		events = append(events, series.Event{Moment: m})
	}
	return events
}

// Metrics are the counters of a client that has sent so many requests, of which two
// are in flight, on so many connections.
func Metrics(sent, opened int) series.ClientMetrics {
	reused := int64(sent - opened)
	return series.ClientMetrics{
		Requests:    &series.Requests{Sent: int64(sent), OK: int64(sent - 2), InFlight: 2},
		Connections: &series.ClientConns{Opened: int64(opened), Reused: &reused},
	}
}

// Ended adds to a run that it came to its end with its last sample.
func Ended(events []series.Event) []series.Event {
	last := events[len(events)-1].Moment
	end := &series.Ending{Duration: last.At}
	for i := range last.Subjects {
		s := &last.Subjects[i]
		end.Subjects = append(end.Subjects, series.SubjectFinal{ID: s.ID, Final: series.Final{ClientMetrics: s.ClientMetrics}})
	}
	return append(events, series.Event{End: end})
}

// Watch is so many samples, one a second, of clients of port 8080. The first keeps
// two connections, and each of the others opens one a second more than the one
// before it.
func Watch(samples, processes int) []series.Event {
	events := []series.Event{{Header: &series.Header{
		Schema: series.Schema, Title: "port 8080", Interval: time.Second,
		Started: time.Date(2026, 1, 2, 15, 4, 0, 0, time.UTC), Target: &series.Target{Port: 8080},
	}}}
	for i := range samples {
		at := time.Duration(i) * time.Second
		m := &series.Moment{
			At: at, Took: time.Millisecond, Clock: time.Date(2026, 1, 2, 15, 4, 0, 0, time.UTC).Add(at),
			Listeners: []string{"slowserver (7)"}, EventSource: "tracepoint",
		}
		for p := range processes {
			m.Subjects = append(m.Subjects, Process(10+p, 2+i*p, i == 0))
			s := &m.Subjects[p]
			s.Client.Counts, s.KernelConns = Counts(2+i*p, p, 0), &series.ConnCounts{Opened: 2 + i*p}
			s.Client.Activity.CloseWaitHeld = p
		}
		events = append(events, series.Event{Moment: m})
	}
	return events
}

// Process is a client whose connections have had their last answer three seconds ago.
// It says who it is if it is new.
func Process(pid, open int, isNew bool) series.SubjectSample {
	s := series.SubjectSample{ID: fmt.Sprint(pid)}
	if isNew {
		s.Identity = &series.Identity{ID: s.ID, Name: fmt.Sprintf("client (%d)", pid), PID: int32(pid), Paired: true}
	}
	s.Client.Counts, s.Server.Counts = Counts(open, 0, 0), Counts(open, 0, 0)
	s.Client.Activity, s.Server.Activity = &socketstats.Activity{}, &socketstats.Activity{}
	s.Client.Activity.Received[6], s.Client.Activity.Once = open, open
	return s
}

// Observe is the observation that events are of.
func Observe(events []series.Event) *series.Observation {
	o := &series.Observation{}
	for _, e := range events {
		o.Add(e)
	}
	return o
}
