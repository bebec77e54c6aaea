package render_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/metric"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// side is what one side shows: so many open sockets at both ends, at most and in
// the end, and what its client reports.
type side struct {
	client, server, left, leftAtServer int
	oldest                             time.Duration
	series.ClientMetrics
}

// compared is a run of two samples whose script expects something of metrics of
// both sides, or of the fixed one alone.
func compared(t *testing.T, faulty, fixed side, both bool, expects ...string) *render.Observed {
	t.Helper()
	var script scenario.Script
	for _, text := range expects {
		x, err := scenario.ParseExpectation(text)
		require.NoError(t, err)
		script.Expect.Fixed = append(script.Expect.Fixed, x)
	}
	if both {
		script.Expect.Faulty = script.Expect.Fixed
	}
	o := &series.Observation{Header: series.Header{Scenario: &series.Scenario{ID: "made-up"}}}
	for id, s := range map[string]side{"faulty": faulty, "fixed": fixed} {
		end := func(n int) series.End {
			return series.End{Counts: counts(map[socketstats.State]int{socketstats.Established: n})}
		}
		o.Subjects = append(o.Subjects, &series.Subject{Identity: series.Identity{ID: id, Name: id}, Samples: []series.Sample{
			{Client: end(s.client), Server: end(s.server), Oldest: s.oldest, ClientMetrics: s.ClientMetrics},
			{At: time.Second, Client: end(s.left), Server: end(s.leftAtServer), Oldest: s.oldest, ClientMetrics: s.ClientMetrics},
		}})
	}
	return &render.Observed{Observation: o, Script: &script, Result: expect.Judge(o, script)}
}

// headlineOf is the headline of what was observed, and the end that comes first.
func headlineOf(o *render.Observed) (line, end string) {
	for _, b := range render.Runs([]*render.Observed{o}, false).Blocks {
		switch b := b.(type) {
		case render.Heading:
			if line == "" {
				line = b.Text
			}
		case render.Charts:
			return line, b.Snapshot.End
		}
	}
	return line, ""
}

func requests(r series.Requests) side { return side{ClientMetrics: series.ClientMetrics{Requests: &r}} }

func opened(n int64) side {
	return side{ClientMetrics: series.ClientMetrics{Connections: &series.ClientConns{Opened: n}}}
}

func waits(p50, longest float64) side {
	s := requests(series.Requests{OK: 9})
	s.Latency = &series.Quantiles{P50: p50, P99: longest, Max: longest}
	return s
}

func with(s side, r series.Requests) side { s.Requests = &r; return s }

func TestHeadlineIsOfWhatTellsTheSidesApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why           string
		faulty, fixed side
		expects       []string
		want, end     string
	}{
		{"the chart", side{client: 121, server: 121}, side{client: 2, server: 2}, nil, "121 sockets at most at the client against 2", "client"},
		{
			"only the server's chart does",
			side{client: 50, server: 400},
			side{client: 43, server: 43},
			nil,
			"400 open sockets at most at the server against 43", "server",
		},
		{
			"the chart is alike, what is left of it is not",
			side{client: 25, left: 25},
			side{client: 25},
			nil,
			"25 open sockets left at the client against 0", "client",
		},
		{
			"the same at the server",
			side{server: 25, leftAtServer: 25},
			side{server: 25, leftAtServer: 1},
			nil,
			"25 open sockets left at the server against 1", "server",
		},
		{"there is not one socket", requests(series.Requests{InFlight: 20}), requests(series.Requests{Failed: 20}), nil, "20 requests left in flight against 0", "client"},
		{"one of a thing is singular", requests(series.Requests{Failed: 1}), requests(series.Requests{}), nil, "1 request failed against 0", "client"},
		{"connections", opened(200), opened(1), nil, "200 connections opened against 1", "client"},
		{
			"attempts", requests(series.Requests{Attempts: ptr(int64(2930))}), requests(series.Requests{Attempts: ptr(int64(7))}), nil,
			"2930 attempts against 7", "client",
		},

		{
			"the farthest apart", with(side{client: 6, left: 6}, series.Requests{InFlight: 25}), with(side{client: 1, left: 1}, series.Requests{}), nil,
			"25 requests left in flight against 0", "client",
		},
		{
			"what the script speaks of goes first", with(side{client: 6}, series.Requests{InFlight: 25}), with(side{client: 1}, series.Requests{}),
			[]string{"client.peak.ESTABLISHED <= 2"},
			"6 ESTABLISHED sockets at most at the client against 1", "client",
		},
		{
			"but not where it is alike", with(side{client: 6}, series.Requests{Failed: 2}), with(side{client: 1}, series.Requests{Failed: 2}),
			[]string{"requests.errors.EOF == 0"},
			"6 sockets at most at the client against 1", "client",
		},
		{"more on the faulty side, though less is farther", side{client: 4, server: 1}, side{client: 2, server: 90}, nil, "4 sockets at most at the client against 2", "client"},
		{
			"more on the faulty side, though the script speaks of less", with(side{client: 4}, series.Requests{Errors: map[string]int64{"timeout": 49}}),
			with(side{client: 2}, series.Requests{Errors: map[string]int64{"timeout": 120}}),
			[]string{"requests.errors.timeout == 0"},
			"4 sockets at most at the client against 2", "client",
		},
		{"less on the faulty side", opened(1), opened(3), []string{"connections.opened == 3"}, "1 connection opened against 3", "client"},
		{"a time, as the script has one", waits(102, 104), waits(51, 54), []string{"latency_ms.p99 <= 1s"}, "Latency p99 104ms against 54ms", "client"},
		{"and half of them", waits(102, 104), waits(51, 54), []string{"latency_ms.p50 <= 95ms"}, "Latency p50 102ms against 51ms", "client"},
		{
			"and a life",
			side{client: 1, oldest: 3500 * time.Millisecond},
			side{client: 14, oldest: 200 * time.Millisecond},
			[]string{"max_age_ms <= 1s", "connections.opened >= 5"},
			"Oldest socket 3.5s against 200ms", "client",
		},
		{
			"no time of responses that there were not", waits(51, 54), requests(series.Requests{InFlight: 9}),
			[]string{"latency_ms.p50 <= 95ms"},
			"0 requests left in flight against 9", "client",
		},
		{"no time that nobody spoke of", waits(1, 900), waits(1, 3), nil, "0 sockets at most at the client on both sides", "client"},

		{
			"a control",
			side{client: 1},
			side{client: 1},
			[]string{"connections.opened <= 8", "client.peak.ESTABLISHED <= 8"},
			"1 ESTABLISHED socket at most at the client on both sides", "client",
		},
		{"a control by another metric", opened(3), opened(3), []string{"connections.opened <= 8"}, "3 connections opened on both sides", "client"},
		{"nearly alike", side{client: 5}, side{client: 4}, nil, "5 sockets at most at the client against 4, about alike", "client"},
		{"what is not known tells nothing", opened(200), side{}, []string{"connections.opened == 1"}, "0 sockets at most at the client on both sides", "client"},
	} {
		line, end := headlineOf(compared(t, c.faulty, c.fixed, false, c.expects...))
		require.Equal(t, c.want, line, c.why)
		require.Equal(t, c.end, end, c.why)
	}
	line, _ := headlineOf(&render.Observed{Observation: &series.Observation{
		Header: series.Header{Scenario: &series.Scenario{}}, Subjects: []*series.Subject{{Identity: series.Identity{ID: "faulty"}}, {Identity: series.Identity{ID: "fixed"}}},
	}, Script: &scenario.Script{}})
	require.Equal(t, "No sample", line)
}

// What differs by chance between the sides of a control is no headline; what the
// script does not allow is.
func TestHeadlineOfAControlIsThatItsSidesAreAlike(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]string{
		2: "2 ESTABLISHED sockets at most at the client on both sides", 5: "5 ESTABLISHED sockets at most at the client against 2, about alike",
		9: "9 ESTABLISHED sockets at most at the client against 2",
	} {
		sent := series.Requests{Sent: 9, OK: 9}
		line, _ := headlineOf(compared(t, with(side{client: most}, sent), with(side{client: 2}, sent), true, "client.peak.ESTABLISHED <= 8"))
		require.Equal(t, want, line)
	}
}

// Where nothing is compared, the headline is the verdict that matters most.
func TestHeadlineOfProcessesIsTheirWorstVerdict(t *testing.T) {
	t.Parallel()
	o := &render.Observed{Observation: &series.Observation{Header: series.Header{Target: &series.Target{Name: "app"}}}}
	o.Result.Verdicts = map[string]verdict.Verdict{}
	line := func() string {
		_, text, found := strings.Cut(written(t, "table", render.Diagnosis(o)), "\n")
		require.True(t, found)
		text, _, _ = strings.Cut(text, "\n")
		return text
	}
	require.Equal(t, "0 processes", line())
	for i, v := range []verdict.Verdict{
		{Kind: verdict.Healthy}, {Kind: "connection-churn", Severity: verdict.Note}, {Kind: "close-wait-leak", Severity: verdict.Leak},
	} {
		id := string(rune('a' + i))
		o.Observation.Subjects = append(o.Observation.Subjects, &series.Subject{Identity: series.Identity{ID: id, Name: id}})
		o.Result.Verdicts[id] = v
		require.Equal(t, []string{"healthy", "NOTE: connection-churn", "LEAK: close-wait-leak, 1 of 3 with a fault"}[i], line())
	}
}

// A headline of a lesson's run is about the lesson: its script expects something
// of a metric.
func TestEveryLessonHasItsHeadline(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		found := false
		for _, e := range append(script.Expect.Faulty, script.Expect.Fixed...) {
			found = found || e.Metric != scenario.VerdictMetric
		}
		require.True(t, found, id)
	}
}

// The rule is written down, with the metrics in their order.
func TestMetricsOfHeadlinesAreDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/reports.md")
	require.NoError(t, err)
	rest := string(data)
	for _, name := range render.Headlines() {
		_, err := metric.Lookup(name)
		require.NoError(t, err)
		_, after, found := strings.Cut(rest, "`"+name+"`")
		require.True(t, found, "%s is not in docs/reports.md, in its order", name)
		rest = after
	}
}
