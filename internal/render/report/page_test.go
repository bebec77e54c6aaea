package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/provenance"
	"socketlab/internal/render"
	"socketlab/internal/render/report"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/scenarios"
)

func page(t *testing.T, entries ...report.Entry) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.Page(&out, entries))
	return out.String()
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
	require.Equal(t, string(want), got)
}

// nodes are the elements of a page by a name; "" is all of them.
func nodes(t *testing.T, text, name string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (name == "" || n.Data == name) {
			found = append(found, n)
		}
	}
	return found
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return out.String()
}

// balanced fails unless every element is closed where it should be: a parser of
// HTML would fix it silently.
func balanced(t *testing.T, text string) {
	t.Helper()
	void := []string{"meta", "br", "!doctype"}
	var open []string
	in := html.NewTokenizer(strings.NewReader(text))
	for {
		switch in.Next() {
		case html.ErrorToken:
			require.Empty(t, open, "not closed")
			return
		case html.StartTagToken:
			if name, _ := in.TagName(); !slices.Contains(void, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := in.TagName()
			require.NotEmpty(t, open, "</%s> closes nothing", name)
			require.Equal(t, open[len(open)-1], string(name))
			open = open[:len(open)-1]
		}
	}
}

// alone fails if a page asks for anything beside itself, or runs anything.
func alone(t *testing.T, text string) {
	t.Helper()
	require.NotContains(t, text, "<script")
	for _, n := range nodes(t, text, "") {
		require.NotContains(t, []string{"script", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image"}, n.Data)
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
			require.NotEqual(t, "src", a.Key)
			require.NotContains(t, a.Val, "://", a.Key)
			if a.Key == "href" {
				require.Regexp(t, `^[a-z0-9-]+\.html$`, a.Val)
			}
		}
		if n.Data == "style" {
			for _, asks := range []string{"url(", "@import", "://"} {
				require.NotContains(t, textOf(n), asks)
			}
		}
	}
}

func TestPageNeedsNothingAndIsWhole(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"one": page(t, entry(t)), "none": page(t), "several": page(t, entry(t), hostile(t)), "index": index(t, entry(t), entry(t)),
	} {
		t.Run(name, func(t *testing.T) {
			balanced(t, text)
			alone(t, text)
			seen := map[string]bool{}
			for _, n := range nodes(t, text, "") {
				if id := attribute(n, "id"); id != "" {
					require.False(t, seen[id], "two of %s", id)
					seen[id] = true
				}
			}
		})
	}
}

// at finds a figure in a run's JSON. States that were never seen are not there.
func at(t *testing.T, run map[string]any, path string) float64 {
	t.Helper()
	value := any(run)
	for _, name := range strings.Split(path, ".") {
		object, ok := value.(map[string]any)
		require.True(t, ok, path)
		if value, ok = object[name]; !ok {
			require.Regexp(t, `\.(peak|final)\.`, path)
			return 0
		}
	}
	f, ok := value.(float64)
	require.True(t, ok, path)
	return f
}

func TestPageHasTheNumbersOfViewAndJSON(t *testing.T) {
	t.Parallel()
	for headline, e := range map[string]report.Entry{
		"10 sockets left open against 0": entry(t),
		"83 requests failed against 0":   long(t, "transport-per-request"),
	} {
		var run map[string]any
		require.NoError(t, json.Unmarshal([]byte(write(t, "json", false, e)), &run))
		text := page(t, e)
		compare := func(path string, cell *html.Node, nth int) {
			var figures []*html.Node
			for n := range cell.Descendants() {
				if n.Data == "data" {
					figures = append(figures, n)
				}
			}
			require.Greater(t, len(figures), nth, path)
			got, err := strconv.ParseFloat(attribute(figures[nth], "value"), 64)
			require.NoError(t, err)
			require.InDelta(t, at(t, run, path), got, 1e-9, path)
		}
		compared := 0
		for _, row := range nodes(t, text, "tr") {
			var cells []*html.Node
			for c := range row.ChildNodes() {
				if c.Data == "td" {
					cells = append(cells, c)
				}
			}
			for i, side := range scenario.Sides() {
				for nth, key := range []string{"data-peak", "data-final"} {
					if metric := attribute(row, key); metric != "" {
						compare(string(side)+"."+metric, cells[i], nth)
						compared++
					}
				}
				if metric := attribute(row, "data-metric"); metric != "" {
					compare(string(side)+"."+metric, cells[i], 0)
					compared++
				}
			}
		}
		require.Greater(t, compared, 30)

		p := report.HeadlineOf(e.Run)
		require.Contains(t, textOf(nodes(t, text, "h2")[0]), headline)
		for _, n := range []int64{int64(p.Faulty.Most), p.Faulty.Opened} {
			require.Contains(t, text, fmt.Sprintf(`<data value="%d">%d</data>`, n, n))
		}
		body := textOf(nodes(t, text, "body")[0])
		require.Contains(t, body, p.Now)
		require.Contains(t, textOf(nodes(t, text, "h3")[0]), "At the "+p.End, "that end comes first")
		for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
			for _, state := range render.Of(e.Run, end, true).Faulty.States {
				require.Contains(t, body, render.Meaning(state.Name))
			}
		}
		for _, side := range scenario.Sides() {
			for _, evidence := range e.Outcome.Of(side).Evidence {
				require.Contains(t, body, evidence)
			}
		}
		for _, x := range e.Outcome.Expectations {
			require.Contains(t, body, x.Text)
		}
	}
}

// long is a run with as many samples and states as a page could have to show,
// of a scenario's code.
func long(t *testing.T, id string) report.Entry {
	t.Helper()
	script, err := scenarios.Script(id)
	require.NoError(t, err)
	run := &lab.Run{}
	run.Add(lab.Event{Begin: &lab.Begin{
		Script: script, Scenario: id, Title: script.Title, Speed: 1, Seed: 1, GoVersion: "go1.26", Source: "sockdiag",
		Isolated: true, Started: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
	}})
	for i := range 250 {
		some := func(k int) socketstats.Counts {
			all := map[socketstats.State]int{}
			for j, s := range socketstats.States() {
				if s != socketstats.Listen {
					all[s] = (i*(j+k) + i%(7+j)) % 50
				}
			}
			return counts(all)
		}
		n := int64(i)
		run.Add(lab.Event{Sample: &lab.Sample{
			At: time.Duration(i) * 1200 * time.Millisecond, Took: time.Millisecond,
			Faulty: lab.SideSample{Client: some(1), Server: some(2), Report: loadgen.Report{
				Requests: loadgen.Requests{Sent: n, OK: n - n/3, Failed: n / 3, Errors: map[string]int64{"EOF": n / 3}}, Connections: loadgen.Connections{Opened: n},
				Process: loadgen.Process{RSSPeakBytes: 5<<20 + uint64(n)}, Latency: loadgen.Latency{P50: 1.25, P99: 20012.3456, Max: 30000},
			}},
			Fixed: lab.SideSample{Client: some(3), Server: some(4), Report: loadgen.Report{
				Requests: loadgen.Requests{Sent: n, OK: n}, Connections: loadgen.Connections{Opened: 2, Reused: n - 2},
			}},
		}})
	}
	return report.Entry{Run: run, Outcome: expect.Judge(run)}
}

func TestPageOfACatalogueRunIsSmallAndHasItsDifference(t *testing.T) {
	t.Parallel()
	largest := 0
	for _, id := range scenarios.IDs() {
		e := entry(t)
		e.Run.Script.Implementation = id
		text := page(t, e)
		diff := scenarios.Difference(id)
		largest = max(largest, len(text))
		pre := nodes(t, text, "pre")
		require.Len(t, pre, 1)
		require.Equal(t, diff, textOf(pre[0]), id)
		changes := 0
		for n := range pre[0].ChildNodes() {
			line := textOf(n)
			if n.Data == "ins" || n.Data == "del" {
				changes++
				require.Equal(t, map[string]string{"ins": "+", "del": "-"}[n.Data], line[:1], "a mark beside the colour")
			}
		}
		require.Equal(t, changes, strings.Count("\n"+diff, "\n+")+strings.Count("\n"+diff, "\n-")-2, "all but the two names")
	}
	require.Less(t, largest+len(page(t, long(t, scenarios.Default))), 300_000, "even both together")
}

func TestPageOfARunThatEndedEarlyJudgesNothing(t *testing.T) {
	t.Parallel()
	e := entry(t)
	e.Run.Stopped = "interrupted"
	text := textOf(nodes(t, page(t, e), "body")[0])
	require.Contains(t, text, "The run ended early: interrupted. What it should show was not judged.")
	require.NotContains(t, text, "NOT MET")
	require.Contains(t, textOf(nodes(t, page(t, entry(t)), "body")[0]), "✗fixed: client.final.TIME_WAIT <= 1: NOT MET, got 20")
}

func TestPageSaysHowItWasRun(t *testing.T) {
	t.Parallel()
	e := long(t, "transport-per-request")
	how := func() string { return textOf(nodes(t, page(t, e), "dl")[0]) }
	for _, fact := range []string{
		"commandnot in the recording", "sockwatch run transport-per-request --speed 1 --seed 1 --source sockdiag", "2026-11-21 12:00:00 UTC",
		"counted bysockdiag", "isolatedyes", "Gogo1.26", "samples250; one took 1ms",
	} {
		require.Contains(t, how(), fact)
	}
	e.Run.Provenance = &provenance.Info{Command: "sockwatch run x", System: "linux 6.18", Arch: "amd64", CPUs: 2, Version: "v1"}
	for _, fact := range []string{"commandsockwatch run x", "systemlinux 6.18", "processors2 (amd64)", "sockwatchv1"} {
		require.Contains(t, how(), fact)
	}
	require.NotContains(t, how(), "not in the recording")
	e.Run.Provenance = &provenance.Info{Command: "sockwatch run x"}
	require.Equal(t, 3, strings.Count(how(), "not in the recording"), "what is not known is not shown as nothing")
	e.Run.Provenance = &provenance.Info{Arch: "amd64"}
	require.Contains(t, how(), "processorsamd64")
	e.Run.Provenance = &provenance.Info{CPUs: 2}
	require.Contains(t, how(), "processors2")
}
