package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/render/report"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

var update = flag.Bool("update", false, "write the golden files")

func counts(states map[socketstats.State]int) socketstats.Counts {
	var c socketstats.Counts
	for s, n := range states {
		for range n {
			c.Add(s)
		}
	}
	return c
}

// entry is a run with names that would break a careless writer.
func entry(t *testing.T) report.Entry {
	t.Helper()
	script, err := scenario.Parse("test.yaml", []byte(`
id: test
title: "a | title with *marks* and <b>tags</b>"
fault: {kind: idle-connections-not-reused, fix: Fix it.}
load: [{rate: 10, for: 1m}]
expect:
  faulty: [client.final.ESTABLISHED >= 3]
  fixed: [client.final.TIME_WAIT <= 1]
`), []string{"test"})
	require.NoError(t, err)
	run := &lab.Run{}
	run.Add(lab.Event{Begin: &lab.Begin{
		Script: script, Scenario: script.ID, Title: script.Title, Speed: 10, Seed: 1, GoVersion: "go1.26", Source: "gopsutil",
	}})
	for second := range 12 {
		s := &lab.Sample{At: time.Duration(second) * time.Second, Took: time.Duration(second+1) * 100 * time.Microsecond, CPU: 150 * time.Microsecond}
		i := min(second, 10) // the last second is quiet
		s.Faulty = lab.SideSample{
			Client: counts(map[socketstats.State]int{socketstats.Established: i}),
			Server: counts(map[socketstats.State]int{socketstats.Established: i, socketstats.Listen: 1}),
			Report: loadgen.Report{
				Requests:    loadgen.Requests{Sent: int64(i), OK: int64(i)},
				Connections: loadgen.Connections{Opened: int64(i)},
				Process:     loadgen.Process{FDsPeak: 9 + i, GoroutinesPeak: 4 + 2*i},
				Latency:     loadgen.Latency{P50: 2001.5, P99: 12.345, Max: 20000},
			},
		}
		s.Fixed = lab.SideSample{
			Kernel: socketstats.Counters{"ActiveOpens": 3},
			Client: counts(map[socketstats.State]int{socketstats.TimeWait: 2 * i}),
			Report: loadgen.Report{Requests: loadgen.Requests{
				Sent: int64(i), OK: 0, Failed: int64(i), Errors: map[string]int64{"EOF": int64(i), "timeout": 0},
			}},
		}
		run.Add(lab.Event{Sample: s})
	}
	return report.Entry{Run: run, Outcome: expect.Judge(run)}
}

func write(t *testing.T, format string, list bool, entries ...report.Entry) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.Write(&out, format, entries, list))
	return out.String()
}

func TestReportsAreAsKept(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			got := write(t, format, false, entry(t))
			golden := filepath.Join("testdata", "run."+format)
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func TestJSONHasThePromisedNames(t *testing.T) {
	t.Parallel()
	var run map[string]any
	require.NoError(t, json.Unmarshal([]byte(write(t, "json", false, entry(t))), &run))
	for _, path := range []string{
		"schema", "scenario", "speed", "seed", "go_version", "source", "isolated", "ok", "duration_ms", "expectations",
		"faulty.requests.sent", "faulty.requests.ok", "faulty.requests.failed", "fixed.requests.errors.EOF",
		"faulty.connections.opened", "faulty.connections.reused",
		"faulty.client.peak.ESTABLISHED", "faulty.client.peak.total", "faulty.client.final.total",
		"faulty.server.peak.LISTEN", "faulty.server.final.total",
		"faulty.process.fds_peak", "faulty.process.goroutines_peak", "faulty.process.rss_peak_bytes", "faulty.process.gc_cycles",
		"faulty.latency_ms.p50", "faulty.latency_ms.p99", "faulty.latency_ms.max",
		"faulty.verdict.leak", "faulty.verdict.kind", "faulty.verdict.growth_per_second", "faulty.verdict.evidence", "faulty.verdict.fix",
	} {
		value := any(run)
		for _, name := range strings.Split(path, ".") {
			object, ok := value.(map[string]any)
			require.True(t, ok, path)
			value, ok = object[name]
			require.True(t, ok, path)
		}
	}
	require.Equal(t, "sockwatch.run/v1", run["schema"])
	require.Equal(t, map[string]any{"text": "faulty: client.final.ESTABLISHED >= 3", "met": true, "got": "10"}, run["expectations"].([]any)[1])
}

func TestSeveralRunsAreOneJSONDocument(t *testing.T) {
	t.Parallel()
	var runs []any
	require.NoError(t, json.Unmarshal([]byte(write(t, "json", true, entry(t), entry(t))), &runs))
	require.Len(t, runs, 2)
	require.NoError(t, json.Unmarshal([]byte(write(t, "json", true, entry(t))), &runs), "a list of one is a list")
	require.Equal(t, "[]\n", write(t, "json", true))
}

func TestMarkdownAndHTMLEscape(t *testing.T) {
	t.Parallel()
	require.Contains(t, write(t, "markdown", false, entry(t)), `a \| title with \*marks\* and &lt;b&gt;tags&lt;/b&gt;`)
	page := write(t, "html", false, entry(t))
	require.Contains(t, page, "&lt;b&gt;tags&lt;/b&gt;")
	require.NotContains(t, page, "<b>tags")
}

func TestCSVHasEveryFigureOnce(t *testing.T) {
	t.Parallel()
	rows, err := csv.NewReader(strings.NewReader(write(t, "csv", false, entry(t)))).ReadAll()
	require.NoError(t, err)
	seen := map[string]string{}
	for _, r := range rows[1:] {
		key := r[1] + " " + r[2]
		require.NotContains(t, seen, key)
		seen[key] = r[3]
	}
	require.Equal(t, "10", seen["faulty client.final.ESTABLISHED"])
	require.Equal(t, "20", seen["fixed client.peak.TIME_WAIT"])
	require.Equal(t, "idle-connections-not-reused", seen["faulty verdict.kind"])
}

func TestTableFitsATerminal(t *testing.T) {
	t.Parallel()
	for _, line := range strings.Split(write(t, "table", false, entry(t)), "\n") {
		require.LessOrEqual(t, len([]rune(line)), 80, line)
	}
}

// full fails like a full disk.
type full struct{}

var errFull = errors.New("no space left on device")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReported(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		require.ErrorIs(t, report.Write(full{}, format, []report.Entry{entry(t)}, false), errFull, format)
	}
}
