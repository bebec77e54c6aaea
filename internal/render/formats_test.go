package render_test

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

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
	_ "socketlab/internal/render/data"
	_ "socketlab/internal/render/html"
	_ "socketlab/internal/render/text"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

var update = flag.Bool("update", false, "write the golden files")

func counts(states map[socketstats.State]int) socketstats.Counts {
	var c socketstats.Counts
	for s, n := range states {
		for range n {
			c.Add(&socketstats.Socket{State: s})
		}
	}
	return c
}

// testScript has a title that would break a careless writer.
const testScript = `
id: test
title: "a | title with *marks* and <b>tags</b>"
fault: {kind: idle-connections-not-reused, fix: Fix it.}
load: [{rate: 10, for: 1m}]
expect:
  faulty: [client.final.ESTABLISHED >= 3]
  fixed: [client.final.TIME_WAIT <= 1]
`

func ptr[T any](v T) *T { return &v }

// events are a run with names that would break a careless writer.
func events() []series.Event {
	list := []series.Event{{Header: &series.Header{
		Schema: series.Schema, Title: "a | title with *marks* and <b>tags</b>", GoVersion: "go1.26", Source: "gopsutil",
		Interval: time.Second, Length: 11 * time.Second, Scenario: &series.Scenario{ID: "test", Script: testScript, Speed: 1, Seed: 1},
		Subjects: []series.Identity{{ID: "faulty", Name: "faulty", Paired: true}, {ID: "fixed", Name: "fixed", Paired: true}},
	}}}
	for second := range 12 {
		i := min(second, 10) // the last second is quiet
		faulty := series.Sample{
			Client: series.End{Counts: counts(map[socketstats.State]int{socketstats.Established: i})},
			Server: series.End{Counts: counts(map[socketstats.State]int{socketstats.Established: i, socketstats.Listen: 1})},
			ClientMetrics: series.ClientMetrics{
				Requests:    &series.Requests{Sent: int64(i), OK: int64(i)},
				Connections: &series.ClientConns{Opened: int64(i), Reused: ptr(int64(0))},
				Process:     &series.Process{DescriptorsPeak: 9 + i, GoroutinesPeak: 4 + 2*i},
				Latency:     &series.Quantiles{P50: 2001.5, P99: 12.345, Max: 20000},
			},
		}
		fixed := series.Sample{
			Kernel: socketstats.Counters{"ActiveOpens": 3},
			Client: series.End{Counts: counts(map[socketstats.State]int{socketstats.TimeWait: 2 * i})},
			ClientMetrics: series.ClientMetrics{
				Requests:    &series.Requests{Sent: int64(i), Failed: int64(i), Errors: map[string]int64{"EOF": int64(i), "a.b": 0}},
				Connections: &series.ClientConns{Reused: ptr(int64(0))},
			},
		}
		list = append(list, series.Event{Moment: &series.Moment{
			At: time.Duration(second) * time.Second, Took: time.Duration(second+1) * 100 * time.Microsecond, CPU: 150 * time.Microsecond,
			Subjects: []series.SubjectSample{{ID: "faulty", Sample: faulty}, {ID: "fixed", Sample: fixed}},
		}})
	}
	return list
}

// judged is what was observed by events, with what it says.
func judged(t *testing.T, events []series.Event) *render.Observed {
	t.Helper()
	o := &series.Observation{}
	for _, e := range events {
		o.Add(e)
	}
	run, err := render.Run(o)
	require.NoError(t, err)
	return run
}

func run(t *testing.T) *render.Observed { t.Helper(); return judged(t, events()) }

// written is a document in a format.
func written(t *testing.T, format string, d *render.Document) string {
	t.Helper()
	f, err := render.FormatOf(format, d.Has())
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, f.Render(&out, d, render.Options{}))
	return out.String()
}

func write(t *testing.T, format string, runs ...*render.Observed) string {
	t.Helper()
	return written(t, format, render.Runs(runs, false))
}

// kept compares with a golden file.
func kept(t *testing.T, name, got string) {
	t.Helper()
	golden := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "if that is meant: go test ./internal/render -update")
}

func TestRunsAreAsKept(t *testing.T) {
	t.Parallel()
	d := render.Runs([]*render.Observed{run(t)}, false)
	require.Equal(t, []string{"table", "json", "csv", "markdown", "html", "svg", "junit"}, render.Formats(d.Has()))
	for _, format := range render.Formats(d.Has()) {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			kept(t, "run."+format, written(t, format, d))
		})
	}
}

func TestFormatsAreThoseThatADocumentHasEnoughFor(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"table", "json", "csv", "markdown", "html"}, render.Formats(render.HasBlocks|render.HasData|render.HasRecords))
	require.Equal(t, []string{"json"}, render.Formats(render.HasData))
	_, err := render.FormatOf("svg", render.HasData|render.HasBlocks)
	require.EqualError(t, err, "use one of table, json, markdown, html")
	for path, want := range map[string]string{"a/B.HTML": "html", "x.htm": "html", "y.md": "markdown", "z.svg": "svg", "s.xml": "junit"} {
		require.Equal(t, want, render.FormatOfFile(path).Name)
	}
	require.Nil(t, render.FormatOfFile("pages"))
	require.Nil(t, render.FormatOfFile("v1.2"))
	require.Panics(t, func() { render.Register(render.Format{Name: "json"}) })
}

func TestJSONHasThePromisedNames(t *testing.T) {
	t.Parallel()
	text := write(t, "json", run(t))
	require.True(t, strings.HasPrefix(text, "{\n  \"schema\": \"sockwatch.run/v2\","), "the schema is the first")
	var of map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &of))
	for _, path := range []string{
		"scenario", "title", "speed", "seed", "go_version", "source", "isolated", "ok", "duration_ms", "expectations", "features", "sampler.took_ms",
		"faulty.requests.sent", "faulty.requests.ok", "faulty.requests.failed", "faulty.requests.in_flight", "fixed.requests.errors.EOF", "fixed.requests.errors.a*b",
		"faulty.connections.opened", "faulty.connections.reused", "fixed.kernel.ActiveOpens",
		"faulty.client.peak.ESTABLISHED", "faulty.client.peak.open", "faulty.client.peak.total", "faulty.client.final.total",
		"faulty.server.peak.LISTEN", "faulty.server.final.total",
		"faulty.process.fds_peak", "faulty.process.goroutines_peak", "faulty.process.gc_cycles",
		"faulty.latency_ms.p50", "faulty.latency_ms.p99", "faulty.latency_ms.max", "faulty.max_age_ms", "faulty.growth_per_second",
		"faulty.verdict.severity", "faulty.verdict.kind", "faulty.verdict.growth_per_second", "faulty.verdict.facts", "faulty.verdict.fix",
	} {
		value := any(of)
		for _, name := range strings.Split(path, ".") {
			object, ok := value.(map[string]any)
			require.True(t, ok, path)
			value, ok = object[strings.ReplaceAll(name, "*", ".")]
			require.True(t, ok, path)
		}
	}
	require.NotContains(t, of, "subjects")
	require.NotContains(t, of["fixed"], "process", "what is not known is absent")
	require.Equal(t, map[string]any{"text": "faulty: client.final.ESTABLISHED >= 3", "met": true, "got": "10"}, of["expectations"].([]any)[1])
	require.Equal(t, map[string]any{"name": "persistent connections", "faulty": "no, 0 of 10 reused", "fixed": "no, 0 of 10 reused"}, of["features"].([]any)[0])
}

func TestSeveralRunsAreOneJSONDocument(t *testing.T) {
	t.Parallel()
	var runs []map[string]any
	list := func(list bool, runs ...*render.Observed) string { return written(t, "json", render.Runs(runs, list)) }
	require.NoError(t, json.Unmarshal([]byte(list(false, run(t), run(t))), &runs))
	require.Len(t, runs, 2)
	require.NoError(t, json.Unmarshal([]byte(list(true, run(t))), &runs), "a list of one is a list")
	require.Equal(t, "[]\n", list(true))
}

func TestMarkdownAndHTMLEscape(t *testing.T) {
	t.Parallel()
	require.Contains(t, write(t, "markdown", run(t)), `a \| title with \*marks\* and &lt;b&gt;tags&lt;/b&gt;`)
	page := write(t, "html", run(t))
	require.Contains(t, page, "&lt;b&gt;tags&lt;/b&gt;")
	require.NotContains(t, page, "<b>tags")
}

func TestCSVHasEveryFigureOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, r := range records(t, write(t, "csv", run(t)))[1:] {
		key := r[1] + " " + r[2]
		require.NotContains(t, seen, key)
		require.NotEmpty(t, r[4], key)
		seen[key] = r[3]
	}
	require.Equal(t, "10", seen["faulty client.final.ESTABLISHED"])
	require.Equal(t, "20", seen["fixed client.peak.TIME_WAIT"])
	require.Equal(t, "idle-connections-not-reused", seen["faulty verdict.kind"])
}

func records(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"observation", "subject", "metric", "value", "unit"}, rows[0])
	return rows
}

func TestTableFitsItsTerminal(t *testing.T) {
	t.Parallel()
	d := render.Runs([]*render.Observed{run(t)}, false)
	f, err := render.FormatOf("table", d.Has())
	require.NoError(t, err)
	for _, width := range []int{60, 80, 200} {
		var out bytes.Buffer
		require.NoError(t, f.Render(&out, d, render.Options{Width: width}))
		longest := 0
		for _, line := range strings.Split(out.String(), "\n") {
			require.LessOrEqual(t, ansi.StringWidth(line), width, line)
			longest = max(longest, ansi.StringWidth(line))
		}
		require.Greater(t, longest, min(width, 100)-10, "what is long is filled, not cut short")
		require.Equal(t, out.String(), ansi.Strip(out.String()), "no escape sequence")
	}
}

func TestNothingFromOutsideReachesATerminalUnescaped(t *testing.T) {
	t.Parallel()
	e := events()
	e[0].Header.Title = "\x1b]0;owned\x07 \u202e\r\x9b31m"
	e[1].Moment.Subjects[0].Identity = &series.Identity{ID: "faulty", Name: "fau\x1b[31mlty"}
	o := judged(t, e)
	o.Observation.Subjects[0].Final = &series.Final{Failure: "exit\x1b[2J"}
	d := &render.Document{Records: [][]string{{"name", "owned\x1b]0;x\x07,\"\u202e\r\x9b31m"}}}
	for format, text := range map[string]string{"table": write(t, "table", o), "csv": written(t, "csv", d)} {
		for _, r := range text {
			require.True(t, r == '\n' || r >= ' ' && r != 0x7f && (r < 0x80 || r >= 0xa0) && r != '\u202e', "%s: %q", format, r)
		}
		require.Contains(t, text, "owned", format)
	}
}

// full fails when it has taken so much.
type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		n := f.left
		f.left = 0
		return n, errFull
	}
	f.left -= len(p)
	return len(p), nil
}

func TestWriteErrorsAreReported(t *testing.T) {
	t.Parallel()
	d := render.Runs([]*render.Observed{run(t)}, false)
	for _, name := range render.Formats(d.Has()) {
		size := len(written(t, name, d))
		f, err := render.FormatOf(name, d.Has())
		require.NoError(t, err)
		for _, left := range []int{0, 1, size / 2, size - 1} {
			require.ErrorIs(t, f.Render(&full{left}, d, render.Options{}), errFull, "%s after %d", name, left)
		}
		require.NoError(t, f.Render(&full{size}, d, render.Options{}))
	}
}
