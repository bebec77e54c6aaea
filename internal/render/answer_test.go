package render_test

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

// ofCommands is a run of two commands of which little is known.
func ofCommands(t *testing.T) *render.Observed {
	t.Helper()
	list := events()
	h := list[0].Header
	h.Title, h.Scenario, h.Commands = "old against new", nil, &series.Commands{Faulty: "old\n  {url}", Fixed: "new {url}", Server: "serve {port}"}
	for _, e := range list[1:] {
		faulty := &e.Moment.Subjects[0]
		faulty.ClientMetrics = series.ClientMetrics{Connections: &series.ClientConns{Opened: faulty.Connections.Opened}}
	}
	last := list[12].Moment.Subjects
	return judged(t, append(list, series.Event{End: &series.Ending{Subjects: []series.SubjectFinal{
		{ID: "faulty", Final: series.Final{ClientMetrics: last[0].ClientMetrics}},
		{ID: "fixed", Final: series.Final{ClientMetrics: last[1].ClientMetrics, Failure: "the command ended with exit status 7\n  out of luck"}},
	}}}))
}

func TestCommandsAndTheirFailuresAreShown(t *testing.T) {
	t.Parallel()
	text := write(t, "table", ofCommands(t))
	require.True(t, strings.HasPrefix(text, "ab: old against new\n"))
	require.Contains(t, text, "\nfaulty command: old {url}\nfixed command: new {url}\nserver command: serve {port}\n")
	require.Contains(t, text, "\nfixed failed: the command ended with exit status 7 out of luck\n")
	require.NotContains(t, text, "speed", "a command has none")
	for _, format := range []string{"markdown", "html", "json"} {
		require.Contains(t, write(t, format, ofCommands(t)), "out of luck")
	}
}

func TestWhatIsNotKnownIsNoZero(t *testing.T) {
	t.Parallel()
	text := write(t, "table", ofCommands(t))
	for _, row := range []string{
		`connections opened +│ [1-9]\d* +│ 0`, `connections reused +│ not known +│ 0`,
		`requests sent +│ not known +│ [1-9]\d* `, `requests failed +│ not known +│ [1-9]\d* \([1-9]\d* EOF`, `latency|latency p99 +│ not known +│ no response`,
		`persistent connections +│ not known +│ no, 0 of [1-9]\d* reused`, `closes on error +│ not known +│ n/a: no idle connections`,
	} {
		require.Regexp(t, row, text)
	}
	require.NotContains(t, text, "descriptors", "of nobody known")

	figures := map[string]bool{}
	for _, r := range records(t, write(t, "csv", ofCommands(t)))[1:] {
		figures[r[1]+" "+r[2]] = true
	}
	require.True(t, figures["fixed requests.sent"] && figures["faulty connections.opened"])
	require.False(t, figures["faulty requests.sent"] || figures["faulty process.fds_peak"] || figures["fixed process.gc_cycles"])

	var of struct {
		Scenario      string
		Commands      series.Commands
		Faulty, Fixed map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(write(t, "json", ofCommands(t))), &of))
	require.Equal(t, "ab", of.Scenario)
	require.Equal(t, "serve {port}", of.Commands.Server)
	require.NotContains(t, of.Faulty, "requests")
	require.Contains(t, of.Fixed["failure"], "exit status 7")
}

// A server of ours knows that it responded to a command's requests, and not how
// long they took.
func TestLatencyOfRequestsThatNobodyTimedIsNotKnown(t *testing.T) {
	t.Parallel()
	o := ofCommands(t)
	fixed := o.Observation.Subject("fixed").Final.Requests
	fixed.OK, fixed.Failed = 4, 6
	text := write(t, "table", o)
	require.Contains(t, text, "requests ok")
	require.NotContains(t, text, "no response")
	require.NotContains(t, text, "latency")
}

func TestStepsOfARepairAreATable(t *testing.T) {
	t.Parallel()
	whole, step := run(t), run(t)
	step.Observation.Scenario.ID, whole.Script.Steps = "test-first", []string{"test-first", "test-not-played"}
	for format, want := range map[string]string{
		"table":    "\n--- test, step by step: before > after ---\n┌───────┬────────┬───────────────────────┬────────┬───────────┐\n│ step  │ failed │ p99                   │ opened │ TIME_WAIT │\n",
		"markdown": "| first | 0 &gt; 10 | 12.35ms &gt; no response | 10 &gt; 0 | 0 &gt; 20 |\n",
		"html":     "test, step by step: before &gt; after",
	} {
		require.Contains(t, write(t, format, whole, step), want)
	}
	require.NotContains(t, write(t, "table", whole), "step by step")
}

// watched is a watch of so many processes, judged.
func watched(processes int) *render.Observed {
	var w observe.Window
	for _, e := range rendertest.Watch(60, processes) {
		w.Add(e)
	}
	return render.Watched(&w)
}

func TestDiagnosisIsAsKept(t *testing.T) {
	t.Parallel()
	d := render.Diagnosis(watched(3))
	require.Equal(t, []string{"table", "json", "csv", "markdown", "html", "svg", "junit"}, render.Formats(d.Has()))
	for _, format := range []string{"table", "json", "markdown"} {
		kept(t, "diagnosis."+format, written(t, format, d))
	}
	kept(t, "watch.table", written(t, "table", render.Watch(watched(3))))
}

func TestDiagnosisInJSONHasTheWorstFirst(t *testing.T) {
	t.Parallel()
	text := written(t, "json", render.Diagnosis(watched(3)))
	require.True(t, strings.HasPrefix(text, "{\n  \"schema\": \"sockwatch.diagnosis/v2\","))
	var of struct {
		Kind, Severity string
		Target         series.Target
		Subjects       []struct {
			ID      string
			PID     int
			Client  struct{ Final map[string]int }
			Verdict verdict.Verdict
		}
		DurationMS int `json:"duration_ms"`
		Sampler    struct{ Samples int }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &of))
	require.Equal(t, "leak", of.Severity)
	require.EqualValues(t, 8080, of.Target.Port)
	require.Equal(t, 59000, of.DurationMS)
	require.Equal(t, 60, of.Sampler.Samples)
	require.Len(t, of.Subjects, 4, "all together, and each process")
	require.Equal(t, "all", of.Subjects[0].ID)
	require.Equal(t, 12, of.Subjects[3].PID)
	require.Equal(t, of.Kind, string(of.Subjects[3].Verdict.Kind))
	require.Equal(t, 2+59*2, of.Subjects[3].Client.Final["ESTABLISHED"])
	require.Equal(t, verdict.Healthy, of.Subjects[1].Verdict.Kind)
}

// At a port clients come all the time.
func TestWhoHasJustComeDoesNotDecide(t *testing.T) {
	t.Parallel()
	events := rendertest.Watch(60, 1)
	last := events[60].Moment
	last.Subjects = append(last.Subjects, rendertest.Process(99, 1, true))
	var w observe.Window
	for _, e := range events {
		w.Add(e)
	}
	var of struct{ Kind verdict.Kind }
	require.NoError(t, json.Unmarshal([]byte(written(t, "json", render.Diagnosis(render.Watched(&w)))), &of))
	require.Equal(t, verdict.Healthy, of.Kind)
}

// suites is what a CI system reads.
type suites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
		Cases    []struct {
			Class                   string `xml:"classname,attr"`
			Name                    string `xml:"name,attr"`
			Time                    string `xml:"time,attr"`
			Failure, Error, Skipped *struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			}
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func readJUnit(t *testing.T, text string) suites {
	t.Helper()
	var got suites
	// encoding/xml takes elements by their names in any case, so the names are
	// looked at, too.
	require.NotContains(t, text, "<Failure")
	text = strings.NewReplacer("<failure", "<Failure", "</failure", "</Failure", "<error", "<Error", "</error", "</Error",
		"<skipped", "<Skipped", "</skipped", "</Skipped").Replace(text)
	in := xml.NewDecoder(strings.NewReader(text))
	in.Strict = true
	require.NoError(t, in.Decode(&got))
	require.True(t, strings.HasPrefix(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
	return got
}

func TestJUnitCountsFailuresErrorsAndWhatWasSkipped(t *testing.T) {
	t.Parallel()
	d := &render.Document{Checks: []render.Check{
		{Group: "app", Outcome: expect.Outcome{Text: "at most 5 ESTABLISHED", Met: true, Got: "3, after 1s"}, Details: []string{"not shown"}, Seconds: 1.5},
		{Group: "app", Outcome: expect.Outcome{Text: "at most 0 CLOSE_WAIT", Got: "7, after 2s"}, Details: []string{"127.0.0.1:1 -> 127.0.0.1:2 CLOSE_WAIT", "and 6 more"}},
		{Group: "app", Outcome: expect.Outcome{Text: "no fault", Skipped: "not known"}},
		{Group: "app", Outcome: expect.Outcome{Text: "watched to the end"}, Error: "every watched process has ended"},
		{Group: "other\x00", Outcome: expect.Outcome{Text: "<x>", Met: true}},
	}}
	got := readJUnit(t, written(t, "junit", d))
	require.Len(t, got.Suites, 2)
	suite := got.Suites[0]
	require.Equal(t, "app", suite.Name)
	require.Equal(t, "1.500", suite.Time)
	require.Equal(t, []int{4, 1, 1, 1}, []int{suite.Tests, suite.Failures, suite.Errors, suite.Skipped})
	for i, c := range suite.Cases {
		require.Equal(t, "sockwatch.app", c.Class)
		require.Equal(t, d.Checks[i].Text, c.Name)
		require.Equal(t, i == 1, c.Failure != nil)
		require.Equal(t, i == 2, c.Skipped != nil)
		require.Equal(t, i == 3, c.Error != nil)
	}
	require.Equal(t, "got 7, after 2s", suite.Cases[1].Failure.Message)
	require.Equal(t, "127.0.0.1:1 -> 127.0.0.1:2 CLOSE_WAIT\nand 6 more\n", suite.Cases[1].Failure.Text)
	require.Equal(t, "every watched process has ended", suite.Cases[3].Error.Message)
	require.Equal(t, "<x>", got.Suites[1].Cases[0].Name)
}

// On a narrow terminal the other columns give way.
func TestATableKeepsTheNamesOfStatesWhole(t *testing.T) {
	t.Parallel()
	for _, width := range []int{40, 50, 60, 80} {
		var text strings.Builder
		f, err := render.FormatOf("table", render.HasBlocks)
		require.NoError(t, err)
		require.NoError(t, f.Render(&text, render.Runs([]*render.Observed{run(t)}, false), render.Options{Width: width}))
		for _, state := range []string{"ESTABLISHED", "TIME_WAIT", "connections"} {
			require.Regexp(t, `(?m)^│ [^│]*\b`+state+`\b`, text.String(), "%d columns", width)
		}
		for line := range strings.Lines(text.String()) {
			require.LessOrEqual(t, ansi.StringWidth(strings.TrimRight(line, "\n")), width, "%q", line)
		}
	}
}
