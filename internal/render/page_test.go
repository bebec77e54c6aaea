package render_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

func page(t *testing.T, runs ...*render.Observed) string {
	t.Helper()
	return write(t, "html", runs...)
}

func index(t *testing.T, runs ...*render.Observed) string {
	t.Helper()
	return written(t, "html", render.Index(runs, render.FileNames(runs, ".html")))
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

func bodyOf(t *testing.T, text string) string { t.Helper(); return textOf(nodes(t, text, "body")[0]) }

// balanced fails unless every element is closed where it should be: a parser of
// HTML would fix it silently.
func balanced(t *testing.T, text string) {
	t.Helper()
	var open []string
	in := html.NewTokenizer(strings.NewReader(text))
	for {
		switch in.Next() {
		case html.ErrorToken:
			require.Empty(t, open, "not closed")
			return
		case html.StartTagToken:
			name, _ := in.TagName()
			open = append(open, string(name))
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
	watch := &render.Observed{Observation: rendertest.Observe(rendertest.Watch(30, 5))}
	for name, text := range map[string]string{
		"one": page(t, run(t)), "several": page(t, run(t), hostile(t)), "index": index(t, run(t), run(t)),
		"watch": written(t, "html", render.Watch(watch)), "no process": written(t, "html", render.Watch(&render.Observed{Observation: &series.Observation{}})),
	} {
		t.Run(name, func(t *testing.T) {
			balanced(t, strings.TrimPrefix(text, "<!DOCTYPE html>"))
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

// at finds a figure in a subject's JSON. States that were never seen are not there.
func at(t *testing.T, subject map[string]any, path string) float64 {
	t.Helper()
	value := any(subject)
	for _, name := range strings.SplitN(path, ".", 3) {
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

// figuresOf are the figures of a page, for each metric those of all subjects.
func figuresOf(t *testing.T, text string) map[string][]string {
	t.Helper()
	figures := map[string][]string{}
	for _, row := range nodes(t, text, "tr") {
		metrics := strings.Fields(attribute(row, "data-metric"))
		if len(metrics) == 0 {
			continue
		}
		i := 0
		for n := range row.Descendants() {
			if n.Data == "data" {
				value, name := attribute(n, "value"), metrics[i%len(metrics)]
				if len(figures[name]) <= i/len(metrics) {
					figures[name] = append(figures[name], value)
				}
				require.Equal(t, value, figures[name][i/len(metrics)], "%s, twice", name)
				i++
			}
		}
	}
	return figures
}

func TestPageHasTheNumbersOfViewAndJSON(t *testing.T) {
	t.Parallel()
	for headline, o := range map[string]*render.Observed{
		"10 ESTABLISHED sockets left at the client against 0": run(t),
		"3 ESTABLISHED sockets left at the client against 1":  long(t, "transport-per-request"),
	} {
		var of map[string]any
		require.NoError(t, json.Unmarshal([]byte(write(t, "json", o)), &of))
		text := page(t, o)
		compared := 0
		for metric, values := range figuresOf(t, text) {
			for i, value := range values {
				got, err := strconv.ParseFloat(value, 64)
				require.NoError(t, err)
				if len(values) == 2 { // known of both
					side := string(scenario.Sides()[i])
					require.InDelta(t, at(t, of[side].(map[string]any), metric), got, 1e-9, "%s of %s", metric, side)
					compared++
				}
			}
		}
		require.Greater(t, compared, 30)
		body := bodyOf(t, text)
		require.Contains(t, textOf(nodes(t, text, "h2")[0]), headline)
		line, end := headlineOf(o)
		require.Equal(t, headline, line)
		require.Contains(t, textOf(nodes(t, text, "h3")[0]), "At the "+end, "that end comes first")
		for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
			s := o.Snapshot(end)
			require.Contains(t, body, s.Panels[0].Trend)
			for _, state := range s.Panels[0].States {
				require.Contains(t, body, render.LookOf(state.Name).Meaning)
			}
		}
		require.Contains(t, body, o.Snapshot(socketstats.Client).Sentence)
		for _, v := range o.Result.Verdicts {
			for _, sentence := range verdict.Sentences(v) {
				require.Contains(t, body, sentence)
			}
		}
		for _, x := range o.Result.Expectations {
			require.Contains(t, body, x.Text)
		}
	}
}

// long is a run with as many samples and states as a page could have to show,
// of a scenario's code.
func long(t *testing.T, id string) *render.Observed {
	t.Helper()
	header := events()[0].Header
	header.Scenario = &series.Scenario{ID: id, Script: scenarioFile(t, id), Speed: 1, Seed: 1}
	header.Source, header.Isolated, header.Started = "sockdiag", true, time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	list := []series.Event{{Header: header}}
	for i := range 250 {
		some := func(k int) series.End {
			all := map[socketstats.State]int{}
			for j, s := range socketstats.States() {
				if s != socketstats.Listen {
					all[s] = (i*(j+k) + i%(7+j)) % 50
				}
			}
			return series.End{Counts: counts(all)}
		}
		n := int64(i)
		faulty := series.Sample{Client: some(1), Server: some(2), ClientMetrics: series.ClientMetrics{
			Requests:    &series.Requests{Sent: n, OK: n - n/3, Failed: n / 3, Errors: map[string]int64{"EOF": n / 3}},
			Connections: &series.ClientConns{Opened: n, Reused: ptr(int64(0))},
			Process:     &series.Process{RSSPeakBytes: 5<<20 + uint64(n)}, Latency: &series.Quantiles{P50: 1.25, P99: 20012.3456, Max: 30000},
		}}
		fixed := series.Sample{Client: some(3), Server: some(4), ClientMetrics: series.ClientMetrics{
			Requests: &series.Requests{Sent: n, OK: n}, Connections: &series.ClientConns{Opened: 2, Reused: ptr(n - 2)},
		}}
		list = append(list, series.Event{Moment: &series.Moment{
			At: time.Duration(i) * 1200 * time.Millisecond, Took: time.Millisecond,
			Subjects: []series.SubjectSample{{ID: "faulty", Sample: faulty}, {ID: "fixed", Sample: fixed}},
		}})
	}
	return judged(t, list)
}

func TestPageOfACatalogueRunIsSmallAndHasItsDifference(t *testing.T) {
	t.Parallel()
	largest := 0
	for _, id := range scenarios.IDs() {
		o := run(t)
		o.Script.Implementation = id
		text := page(t, o)
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
	stopped := judged(t, append(events(), series.Event{End: &series.Ending{Stopped: "interrupted"}}))
	for _, format := range []string{"html", "table", "markdown"} {
		text := strings.Join(strings.Fields(write(t, format, stopped)), " ")
		require.Contains(t, text, "The run ended early: what it should show was not judged.")
		require.NotContains(t, text, "NOT MET")
	}
	require.Contains(t, bodyOf(t, page(t, run(t))), "✗NOT MET: fixed: client.final.TIME_WAIT <= 1, got 20")
}

func TestPageSaysHowItWasRun(t *testing.T) {
	t.Parallel()
	o := long(t, "transport-per-request")
	how := func() string { return textOf(nodes(t, page(t, o), "dl")[0]) }
	text := how() // a page takes a while to make and to read
	for _, fact := range []string{
		"commandnot in the recording", "sockwatch run transport-per-request --speed 1 --seed 1 --source sockdiag\n", "2026-11-21 12:00:00 UTC",
		"counted bysockdiag", "isolatedyes", "Gogo1.26", "samples250; a sample took 1ms",
	} {
		require.Contains(t, text, fact)
	}
	of := o.Observation
	of.Provenance = &series.Provenance{Command: "sockwatch run x", System: "linux 6.18", Arch: "amd64", CPUs: 2, Version: "v1"}
	text = how()
	for _, fact := range []string{"commandsockwatch run x", "systemlinux 6.18", "processors2 (amd64)", "sockwatchv1"} {
		require.Contains(t, text, fact)
	}
	require.NotContains(t, text, "not in the recording")
	of.Provenance = &series.Provenance{Command: "sockwatch run x"}
	require.Equal(t, 3, strings.Count(how(), "not in the recording"), "what is not known is not shown as nothing")
	of.Provenance = &series.Provenance{Arch: "amd64"}
	require.Contains(t, how(), "processorsamd64")
	of.Provenance = &series.Provenance{CPUs: 2}
	require.Contains(t, how(), "processors2")
	of.Isolated, of.Scenario.Swapped = false, true
	require.Contains(t, how(), "--source sockdiag --isolate never --swap-sides\n")
}

// evil would break out of any careless writer.
const evil = `"'></title></style></svg><script>alert(1)</script><img src=x onerror=alert(1)>]]>&amp;{{.}}` + "\x00\x1b"

// hostile is a run of commands, all of whose words are evil.
func hostile(t *testing.T) *render.Observed {
	t.Helper()
	list := events()
	h := list[0].Header
	h.Title, h.Source, h.GoVersion, h.Scenario = evil, evil, evil, nil
	h.Commands = &series.Commands{Faulty: evil, Fixed: evil, Server: evil}
	h.Provenance = &series.Provenance{Command: evil, System: evil, Arch: evil, Version: evil}
	h.Subjects[0].Name = evil
	for _, e := range list[1:] {
		e.Moment.Subjects[1].Requests.Errors[evil] = 1
	}
	o := judged(t, append(list, series.Event{End: &series.Ending{Stopped: evil, Subjects: []series.SubjectFinal{
		{ID: "faulty", Final: series.Final{Failure: evil, ClientMetrics: list[12].Moment.Subjects[0].ClientMetrics}},
		{ID: "fixed", Final: series.Final{ClientMetrics: list[12].Moment.Subjects[1].ClientMetrics}},
	}}}))
	v := o.Result.Verdicts["faulty"]
	v.Fix, v.Scenario, v.Alternatives = evil, evil, []verdict.Alternative{{Kind: evil, Test: evil}}
	o.Result.Verdicts["faulty"] = v
	return o
}

func TestHostileTextIsOnlyText(t *testing.T) {
	t.Parallel()
	names := func(text string) map[string]bool {
		all := map[string]bool{}
		for _, n := range nodes(t, text, "") {
			all[n.Data] = true
		}
		return all
	}
	tame := names(page(t, run(t), run(t)))
	text := page(t, hostile(t))
	for name := range names(text) {
		require.Contains(t, tame, name)
	}
	require.Empty(t, nodes(t, text, "pre"), "commands have no code of ours")
	require.Greater(t, strings.Count(bodyOf(t, text), "<script>alert(1)</script>"), 10, "it is shown as it is")
	listed := index(t, hostile(t))
	alone(t, listed)
	require.Contains(t, bodyOf(t, listed), "<script>alert(1)</script>")
	require.NotContains(t, write(t, "markdown", hostile(t)), "<script")
}

func TestIndexLeadsToEachRun(t *testing.T) {
	t.Parallel()
	runs := []*render.Observed{run(t), run(t), run(t)}
	runs[2].Observation.Scenario.ID = "Index/../x"
	require.Equal(t, []string{"test.html", "test-2.html", "-ndex----x.html"}, render.FileNames(runs, ".html"))
	runs[2].Observation.Scenario.ID = "index"
	require.Equal(t, "index-2.html", render.FileNames(runs, ".html")[2], "it would take the place of the index")
	runs = runs[:2]
	runs[1].Result.OK = true
	text := index(t, runs...)
	var links []string
	for _, a := range nodes(t, text, "a") {
		links = append(links, attribute(a, "href"))
	}
	require.Equal(t, []string{"test.html", "test-2.html"}, links)
	body := bodyOf(t, text)
	for _, part := range []string{
		"2 runs, 1 of 2 as expected", "✗ 2 of 3 met", "✓ 2 of 3 met", "✗ LEAK: idle-connections-not-reused",
		"10 ESTABLISHED sockets left at the client against 0", "10 / 0",
	} {
		require.Contains(t, body, part)
	}
	kept(t, "index.html", text)
	unknown := run(t)
	for i := range unknown.Observation.Subject("fixed").Samples {
		unknown.Observation.Subject("fixed").Samples[i].Connections = nil
	}
	require.Contains(t, bodyOf(t, index(t, unknown)), "10 / not known")
	require.Contains(t, bodyOf(t, page(t, unknown)), "connections opened10not known")
	require.Contains(t, bodyOf(t, page(t, run(t))), "latency p502.002sno response", "of what was never answered there is no time")
}

// wellFormed reads an SVG as strictly as XML is read, and returns its text.
func wellFormed(t *testing.T, svg string) string {
	t.Helper()
	named, asked := map[string]bool{}, map[string]bool{}
	var text strings.Builder
	in := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			require.NotContains(t, []string{"script", "style", "image", "use", "a", "foreignObject"}, token.Name.Local)
			for _, a := range token.Attr {
				switch a.Name.Local {
				case "id":
					named[a.Value] = true
				case "fill", "stroke":
					if id, ok := strings.CutPrefix(a.Value, "url(#"); ok {
						asked[strings.TrimSuffix(id, ")")] = true
						continue
					}
					require.Regexp(t, `^(none|#[0-9a-f]{6})$`, a.Value)
				case "xmlns":
				default:
					require.NotContains(t, a.Value, "://")
				}
			}
		}
	}
	for id := range asked {
		require.Contains(t, named, id, "a fill that is not there")
	}
	return text.String()
}

func TestSVGIsWellFormedAndNeedsNothing(t *testing.T) {
	t.Parallel()
	five := judged(t, rendertest.Ended(rendertest.Run(58, "faulty", "b", "c", "d", "e")))
	for name, o := range map[string]*render.Observed{
		"made up": run(t), "long": long(t, "transport-per-request"), "hostile": hostile(t), "no sample": judged(t, events()[:1]), "five": five,
	} {
		t.Run(name, func(t *testing.T) {
			svg := write(t, "svg", o)
			text := wellFormed(t, svg)
			require.NotRegexp(t, regexp.MustCompile(`NaN|Inf|var\(`), svg)
			line, end := headlineOf(o)
			require.Contains(t, text, line)
			require.Contains(t, text, render.LookOf("ESTABLISHED").Meaning)
			for _, p := range o.Snapshot(socketstats.Client).Panels {
				if name != "hostile" {
					require.Contains(t, text, render.Mark(p.Verdict)+" "+p.Name)
				}
			}
			if name != "hostile" {
				ends := map[string]socketstats.End{"client": socketstats.Client, "server": socketstats.Server}
				require.Contains(t, text, o.Snapshot(ends[end]).Sentence)
			}
			require.Less(t, len(svg), 150_000)
		})
	}
}

// scenarioFile is a script of the catalogue as it is written.
func scenarioFile(t *testing.T, id string) string {
	t.Helper()
	script, err := scenarios.Script(id)
	require.NoError(t, err)
	require.NotEmpty(t, script.Text)
	return script.Text
}
