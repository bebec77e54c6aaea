package report

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/scenarios"
)

// ofState is so many sockets in one state.
func ofState(s socketstats.State, n int) socketstats.Counts {
	var c socketstats.Counts
	for range n {
		c.Add(s)
	}
	return c
}

// shown is what one side shows: so many open sockets at both ends, at most and in
// the end, and what its client reports.
type shown struct {
	client, server, left, leftAtServer int
	oldest                             time.Duration
	report                             loadgen.Report
}

// runOf is a run of two samples whose script expects something of metrics.
func runOf(t *testing.T, faulty, fixed shown, metrics ...string) *lab.Run {
	t.Helper()
	var script scenario.Script
	for _, metric := range metrics {
		x, err := scenario.ParseExpectation(metric)
		require.NoError(t, err)
		script.Expect.Fixed = append(script.Expect.Fixed, x)
	}
	run := &lab.Run{}
	run.Add(lab.Event{Begin: &lab.Begin{Script: script}})
	side := func(s shown, client, server int) lab.SideSample {
		return lab.SideSample{
			Client: ofState(socketstats.Established, client), Server: ofState(socketstats.Established, server),
			Oldest: s.oldest, Report: s.report,
		}
	}
	run.Add(lab.Event{Sample: &lab.Sample{Faulty: side(faulty, faulty.client, faulty.server), Fixed: side(fixed, fixed.client, fixed.server)}})
	run.Add(lab.Event{Sample: &lab.Sample{
		At: time.Second, Faulty: side(faulty, faulty.left, faulty.leftAtServer), Fixed: side(fixed, fixed.left, fixed.leftAtServer),
	}})
	return run
}

func requests(r loadgen.Requests) shown { return shown{report: loadgen.Report{Requests: r}} }

func opened(n int64) shown {
	return shown{report: loadgen.Report{Connections: loadgen.Connections{Opened: n}}}
}

func waits(p50, longest float64) shown {
	return shown{report: loadgen.Report{Requests: loadgen.Requests{OK: 9}, Latency: loadgen.Latency{P50: p50, Max: longest}}}
}

func TestHeadlineIsOfWhatTellsTheSidesApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why           string
		faulty, fixed shown
		expects       []string
		want, end     string
	}{
		{"the chart", shown{client: 121, server: 121}, shown{client: 2, server: 2}, nil, "121 sockets against 2", "client"},
		{
			"only the server's chart does", shown{client: 50, server: 400}, shown{client: 43, server: 43}, nil,
			"400 sockets at the server against 43", "server",
		},
		{
			"the chart is alike, what is left of it is not", shown{client: 25, left: 25}, shown{client: 25}, nil,
			"25 sockets left open against 0", "client",
		},
		{
			"the same at the server", shown{server: 25, leftAtServer: 25}, shown{server: 25, leftAtServer: 1}, nil,
			"25 sockets left open at the server against 1", "server",
		},
		{"there is not one socket", requests(loadgen.Requests{InFlight: 20}), requests(loadgen.Requests{Failed: 20}), nil, "20 requests left waiting against 0", "client"},
		{"one of a thing is singular", requests(loadgen.Requests{Failed: 1}), shown{}, nil, "1 request failed against 0", "client"},
		{"connections", opened(200), opened(1), nil, "200 connections opened against 1", "client"},
		{"attempts", requests(loadgen.Requests{Attempts: 2930}), requests(loadgen.Requests{Attempts: 7}), nil, "2930 attempts against 7", "client"},

		{
			"the farthest apart", shown{client: 6, left: 6, report: loadgen.Report{Requests: loadgen.Requests{InFlight: 25}}}, shown{client: 1, left: 1}, nil,
			"25 requests left waiting against 0", "client",
		},
		{
			"what the script speaks of goes first", shown{client: 6, report: loadgen.Report{Requests: loadgen.Requests{InFlight: 25}}}, shown{client: 1},
			[]string{"client.peak.ESTABLISHED <= 2"}, "6 sockets against 1", "client",
		},
		{
			"but not where it is alike", shown{client: 6, report: loadgen.Report{Requests: loadgen.Requests{Failed: 2}}},
			shown{client: 1, report: loadgen.Report{Requests: loadgen.Requests{Failed: 2}}},
			[]string{"requests.errors.EOF == 2"}, "6 sockets against 1", "client",
		},
		{"more on the faulty side, though less is farther", shown{client: 4, server: 1}, shown{client: 2, server: 90}, nil, "4 sockets against 2", "client"},
		{
			"more on the faulty side, though the script speaks of less", shown{client: 4, report: loadgen.Report{Requests: loadgen.Requests{Failed: 49}}},
			shown{client: 2, report: loadgen.Report{Requests: loadgen.Requests{Failed: 120}}},
			[]string{"requests.errors.timeout == 0"}, "4 sockets against 2", "client",
		},
		{"less on the faulty side", opened(1), opened(3), []string{"connections.opened == 3"}, "1 connection opened against 3", "client"},
		{"a time, as the script has one", waits(102, 104), waits(51, 54), []string{"latency_ms.p99 <= 1s"}, "Longest wait 104ms against 54ms", "client"},
		{"and half of them", waits(102, 104), waits(51, 54), []string{"latency_ms.p50 <= 95ms"}, "Median wait 102ms against 51ms", "client"},
		{
			"and a life", shown{client: 1, oldest: 3500 * time.Millisecond}, shown{client: 14, oldest: 200 * time.Millisecond},
			[]string{"max_age_ms <= 1s", "connections.opened >= 5"}, "Oldest socket 3.5s against 200ms", "client",
		},
		{
			"no time of answers that there were not", waits(51, 54), requests(loadgen.Requests{InFlight: 9}),
			[]string{"latency_ms.p50 <= 95ms"}, "0 requests left waiting against 9", "client",
		},
		{"no time that nobody spoke of", waits(1, 900), waits(1, 3), nil, "0 sockets on both sides", "client"},

		{"a control", shown{client: 1}, shown{client: 1}, []string{"connections.opened <= 8", "client.peak.ESTABLISHED <= 8"}, "1 socket on both sides", "client"},
		{"a control by another measure", opened(3), opened(3), []string{"connections.opened <= 8"}, "3 connections opened on both sides", "client"},
		{"nearly alike", shown{client: 5}, shown{client: 4}, nil, "5 sockets against 4, about alike", "client"},
		{
			"what is not known tells nothing", opened(200), shown{report: loadgen.Report{Unknown: []string{"connections.opened"}}},
			[]string{"connections.opened == 1"}, "0 sockets on both sides", "client",
		},
	} {
		run := runOf(t, c.faulty, c.fixed, c.expects...)
		atClient, atServer := render.Ends(run, true)
		got, end := headline(run, &atClient, &atServer)
		require.Equal(t, c.want, got, c.why)
		require.Equal(t, c.end, end.End, c.why)
		require.Equal(t, c.end, HeadlineOf(run).End, c.why)
	}
}

// What differs by chance between the sides of a control is no headline; what the
// script does not allow is.
func TestHeadlineOfAControlIsThatItsSidesAreAlike(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]string{2: "2 sockets on both sides", 5: "5 sockets against 2, about alike", 9: "9 sockets against 2"} {
		sent := loadgen.Report{Requests: loadgen.Requests{Sent: 9, OK: 9}}
		run := runOf(t, shown{client: most, report: sent}, shown{client: 2, report: sent}, "client.peak.ESTABLISHED <= 8")
		run.Script.Expect.Faulty = run.Script.Expect.Fixed
		client, server := render.Ends(run, true)
		got, _ := headline(run, &client, &server)
		require.Equal(t, want, got)
	}
}

// A headline of a lesson's run is about the lesson: its script expects something
// of a measure that there is a headline for.
func TestEveryLessonHasItsHeadline(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		found := false
		for i := range headlineMetrics {
			found = found || headlineMetrics[i].expectedBy(&script)
		}
		require.True(t, found, id)
	}
}

// The rule is written down, with the measures in their order.
func TestMeasuresOfHeadlinesAreMetricsAndDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../docs/reports.md")
	require.NoError(t, err)
	rest := string(data)
	for _, tell := range headlineMetrics {
		for _, metric := range tell.metrics {
			written := metric
			if strings.HasSuffix(metric, ".") {
				written += "*"
				metric += "total" // any state, or any error
			}
			_, ok := (&lab.Side{}).Metric(metric)
			require.True(t, ok, metric)
			_, after, found := strings.Cut(rest, "`"+written+"`")
			require.True(t, found, "%s is not in docs/reports.md, in its order", written)
			rest = after
		}
	}
}
