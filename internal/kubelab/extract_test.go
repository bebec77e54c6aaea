package kubelab

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// scrapedRun is a run of one client a side, and what two exporters said of it every second for
// ten seconds: the faulty client's node has its sockets, one more each second.
func scrapedRun() (*Run, []*target, *series.Observation) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := &Run{Manifest: Manifest{Namespace: "shop", Speed: 1, Scenario: scenario.Script{ID: "short", SampleInterval: scenario.Duration(time.Second)}}}
	r.service = "10.96.0.9"
	heard := &series.Observation{Header: series.Header{Started: began}, Newest: &series.Moment{At: 10 * time.Second}, Over: true}
	add := func(name, ip string, labels map[string]string) {
		var p pod
		p.Metadata.Name, p.Metadata.UID, p.Metadata.Labels, p.Status.PodIP = name, "uid-"+name, labels, ip
		r.seen.Items = append(r.seen.Items, p)
	}
	add("hub", "10.244.0.2", nil)
	for i, side := range scenario.Sides() {
		add(string(side), fmt.Sprintf("10.244.1.%d", 3+i), map[string]string{"socketlab/side": string(side), "batch.kubernetes.io/job-completion-index": "0"})
		heard.Subjects = append(heard.Subjects, &series.Subject{Identity: series.Identity{ID: string(side)}})
		heard.Parts = append(heard.Parts, &series.Subject{Identity: series.Identity{ID: string(side) + "-0", Parent: string(side)}})
	}
	sockets := func(pod, process, end, peer, state string, n int) value {
		labels := map[string]string{"__name__": "socketlab_sockets", "process": process, "end": end, "peer_service": peer, "state": state}
		if pod != "" {
			labels["namespace"], labels["pod"] = "shop", pod
		}
		return value{labels, float64(n)}
	}
	list := []*target{{instance: "node-0"}, {instance: "node-1"}}
	for i := range 12 {
		counted := began.Add(time.Duration(i) * time.Second)
		for _, t := range list {
			t.scrapes = append(t.scrapes, &scrape{at: counted.Add(200 * time.Millisecond), up: true, counted: counted})
		}
		list[0].scrapes[i].values = []value{
			sockets("hub", "server-faulty", "server", "10.244.1.3", "ESTABLISHED", i),
			sockets("hub", "server-fixed", "server", "", "LISTEN", 1),
			sockets("hub", "sockwatch", "server", "10.244.1.3", "ESTABLISHED", 7), // the hub's own
		}
		list[1].scrapes[i].values = []value{
			sockets("faulty", "client-faulty", "client", "10.96.0.9:8081", "ESTABLISHED", i),
			sockets("fixed", "client-fixed", "client", "other", "ESTABLISHED", 1),
			sockets("faulty", "sockwatch", "client", "10.96.0.9:8080", "ESTABLISHED", 1),
			sockets("", "no process", "client", "10.96.0.9:8082", "TIME_WAIT", 5),
			sockets("", "no process", "client", "10.96.0.9:8082", "FIN_WAIT2", 2),
			sockets("", "shop", "client", "10.96.0.9:8081", "ESTABLISHED", 3), // of somebody else
		}
	}
	return r, list, heard
}

func TestARunIsComposedOfWhatExportersSaid(t *testing.T) {
	t.Parallel()
	r, list, heard := scrapedRun()
	events, err := r.compose(list, heard)
	require.NoError(t, err)
	var o series.Observation
	for _, e := range events {
		o.Add(e)
	}
	faulty, fixed := o.Subject("faulty"), o.Subject("fixed")
	require.Len(t, faulty.Samples, 11)
	require.Equal(t, 10, faulty.Now(socketstats.Client).Of(socketstats.Established))
	require.Equal(t, 10, faulty.Now(socketstats.Client).Total(), "the connection to the hub is none of the load")
	require.Equal(t, 10, faulty.Now(socketstats.Server).Total())
	require.Equal(t, 5, fixed.Now(socketstats.Client).Of(socketstats.TimeWait))
	require.Equal(t, 1, fixed.Now(socketstats.Client).Of(socketstats.Established))
	require.Equal(t, 2, fixed.Now(socketstats.Client).Of(socketstats.FinWait2))
	require.Equal(t, 1, fixed.Now(socketstats.Client).Open(), "no process has a descriptor of the others")
	require.Empty(t, o.Parts, "whose the sockets in TIME_WAIT were is not known")
	require.Empty(t, o.UnsupportedStates)
}

func TestASocketThatMayBeTheRunsIsNoCount(t *testing.T) {
	t.Parallel()
	r, list, heard := scrapedRun()
	for _, s := range list[1].scrapes {
		s.values[3].labels["peer_service"] = "other"
	}
	events, err := r.compose(list, heard)
	require.NoError(t, err)
	require.Equal(t, []socketstats.State{socketstats.TimeWait}, events[0].Header.UnsupportedStates)
}

func TestAPartOfTheExportersIsInconclusive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func([]*target)
		says   string
	}{
		"a scrape failed": {func(l []*target) { l[1].scrapes[5].up = false }, "could not scrape node-1 at 5.2s"},
		"scrapes are missing": {func(l []*target) {
			l[1].scrapes = append(l[1].scrapes[:3:3], l[1].scrapes[8:]...)
		}, "no count of node-1 for 5s"},
		"a clock is ahead": {func(l []*target) {
			for _, s := range l[0].scrapes {
				s.at = s.at.Add(-3 * time.Second)
			}
		}, "the clock of node-0 is ahead of Prometheus's by 2.8s"},
		"no names of pods": {func(l []*target) {
			for _, s := range l[1].scrapes {
				for _, v := range s.values {
					delete(v.labels, "pod")
				}
			}
		}, "no series of 2 processes of the run (faulty-0, fixed-0)"},
		"one exporter twice": {func(l []*target) {
			for i, s := range l[0].scrapes {
				for _, v := range l[1].scrapes[i].values {
					s.values = append(s.values, value{maps.Clone(v.labels), v.v})
				}
			}
		}, "Prometheus scrapes one exporter twice"},
		"a pod's series ended": {func(l []*target) { l[1].scrapes[9].values = nil }, "the series of f"},
		"among other processes": {func(l []*target) {
			l[1].scrapes[9].values[4].labels["process"] = "other"
		}, "raise its --max-processes"},
		"too coarse": {func(l []*target) {
			for _, t := range l {
				t.scrapes = []*scrape{t.scrapes[0], t.scrapes[4], t.scrapes[8], t.scrapes[11]}
			}
		}, "it has a count of the sockets every 4s, and short is to be counted every 1s at speed 1"},
	} {
		r, list, heard := scrapedRun()
		c.change(list)
		_, err := r.compose(list, heard)
		require.ErrorContains(t, err, c.says, name)
	}
}
