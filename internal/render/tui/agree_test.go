package tui

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/render/web"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// A run is played, recorded and reported by the program as users build it, and
// its recording is shown on the terminal and on the page. Every number that one of
// these shows is that of the others, and of the run's JSON.
func TestFacesAgreeOnEveryNumberOfARecordedRun(t *testing.T) {
	t.Parallel()
	sockwatch := filepath.Join(t.TempDir(), "sockwatch")
	build, err := exec.CommandContext(t.Context(), "go", "build", "-o", sockwatch, "socketlab/cmd/sockwatch").CombinedOutput()
	require.NoError(t, err, "%s", build)
	for _, id := range []string{"body-not-closed", "keepalives-disabled"} { // CLOSE_WAIT, and TIME_WAIT
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			run := playRecorded(t, sockwatch, id)
			page := onPage(t, run.events)
			for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
				shown := page.Snapshot.Ends[end.String()]
				for i, side := range scenario.Sides() {
					p := shown.Panels[i]
					of := figures{run.json[string(side)].(map[string]any)}
					of.agreeWithPage(t, end, &p)
					agreeWithTerminal(t, onTerminal(run.events, end), i, shown.Scale, shown.Now, &p)
					run.agreesWithReport(t, i, end, &p)
				}
			}
			agreeWithSamples(t, run.events, page.Points)
		})
	}
}

// recorded is what a run has left behind.
type recorded struct {
	events []lab.Event
	json   map[string]any
	report string
}

func playRecorded(t *testing.T, sockwatch, id string) recorded {
	t.Helper()
	log, page := filepath.Join(t.TempDir(), "run.jsonl"), filepath.Join(t.TempDir(), "run.html")
	play := exec.CommandContext(t.Context(), sockwatch, "run", id, "-q", "-o", "json", "--record", log, "--report", page)
	var stderr strings.Builder
	play.Stderr = &stderr
	out, err := play.Output()
	require.NoError(t, err, "%s", &stderr)
	var run recorded
	require.NoError(t, json.Unmarshal(out, &run.json))
	report, err := os.ReadFile(page)
	require.NoError(t, err)
	run.report = html.UnescapeString(string(report))
	read, err := recording.Read(log)
	require.NoError(t, err)
	require.True(t, read.Ended)
	run.events = read.Events
	return run
}

// shownPage is what the page is sent, as its script reads it.
type shownPage struct {
	Snapshot struct {
		Over bool
		Ends map[string]struct {
			Scale  int
			Now    string
			Panels []render.Side
		}
	}
	Points []struct {
		At     int64                                `json:"at_ns"`
		Counts map[string]map[string]map[string]int // by end, side and state
	}
}

// onPage is all that the page shows of a run that is over.
func onPage(t *testing.T, events []lab.Event) shownPage {
	t.Helper()
	server, err := web.Start(web.Default)
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	for _, e := range events {
		server.Run(e)
	}
	server.Finish()
	resp, err := http.Get(server.URL() + "events")
	require.NoError(t, err)
	defer resp.Body.Close()
	var shown shownPage
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<24)
	for kind := ""; lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = text
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && kind == "more" {
			require.NoError(t, json.Unmarshal([]byte(data), &shown))
			break
		}
	}
	require.True(t, shown.Snapshot.Over)
	return shown
}

// onTerminal is the last screen of a run, without colour.
func onTerminal(events []lab.Event, end socketstats.End) string {
	var all batch
	for _, e := range events {
		all = append(all, e)
	}
	m := told(model{face: &runFace{}}, size(200, 60), all)
	if end == socketstats.Server {
		m = told(m, press("tab"))
	}
	return ansi.Strip(m.screen())
}

// figures are a side's in the JSON of a run.
type figures struct{ of map[string]any }

// number is the figure at a path; what is 0 may be left out.
func (f figures) number(t *testing.T, path ...string) float64 {
	t.Helper()
	at := f.of
	for _, key := range path[:len(path)-1] {
		next, ok := at[key].(map[string]any)
		require.True(t, ok, "%v", path)
		at = next
	}
	n, _ := at[path[len(path)-1]].(float64)
	return n
}

func (f figures) agreeWithPage(t *testing.T, end socketstats.End, p *render.Side) {
	t.Helper()
	for path, n := range map[string]int64{
		"connections.opened": p.Opened, "connections.reused": p.Reused,
		"requests.sent": p.Sent, "requests.ok": p.OK, "requests.failed": p.Failed, "requests.in_flight": p.InFlight,
	} {
		require.EqualValues(t, f.number(t, strings.Split(path, ".")...), n, path)
	}
	require.InDelta(t, f.number(t, "latency_ms", "p50"), p.P50MS, 0)
	require.InDelta(t, f.number(t, "latency_ms", "p99"), p.P99MS, 0)
	held := 0
	for _, s := range p.States {
		require.EqualValues(t, f.number(t, end.String(), "final", s.Name), s.Now, s.Name)
		require.EqualValues(t, f.number(t, end.String(), "peak", s.Name), s.Peak, s.Name)
		if s.Name != socketstats.TimeWait.String() {
			held += s.Now
		}
	}
	require.Equal(t, held, p.Held)
	verdict := f.of["verdict"].(map[string]any)
	require.EqualValues(t, verdict["kind"], p.Verdict.Kind)
	require.EqualValues(t, verdict["confidence"], p.Verdict.Confidence)
	require.Len(t, p.Verdict.Evidence, len(verdict["evidence"].([]any)))
	for i, text := range verdict["evidence"].([]any) {
		require.Equal(t, text, p.Verdict.Evidence[i])
	}
}

func agreeWithTerminal(t *testing.T, screen string, pane, scale int, now string, p *render.Side) {
	t.Helper()
	lines := strings.Split(screen, "\n")
	require.Equal(t, now, strings.TrimSpace(lines[1]))
	var inside []string
	for _, line := range lines {
		if cells := []rune(line); strings.HasPrefix(line, "│") {
			half := len(cells) / 2
			inside = append(inside, strings.TrimSpace(string(cells[pane*half+1:(pane+1)*half-1])))
		}
	}
	for row, digits := range big(p.Held) {
		require.True(t, strings.HasPrefix(inside[row]+"  ", strings.TrimSpace(digits)+"  "), "%d is not in %q", p.Held, inside[row])
	}
	require.True(t, strings.HasSuffix(inside[2], " "+p.Trend), "%s", inside[2])
	text := strings.Join(inside, "\n")
	for _, s := range p.States {
		require.Regexp(t, fmt.Sprintf(`\n\S %s +(\S+ +)?%d\n`, s.Name, s.Now), text)
	}
	require.Regexp(t, fmt.Sprintf(`\n%d │`, scale), text)
	require.Contains(t, text, fmt.Sprintf("\nopened %d · reused %d · ok %d · failed %d · waiting %d\n", p.Opened, p.Reused, p.OK, p.Failed, p.InFlight))
	require.Contains(t, text, fmt.Sprintf("\nverdict: %s, %s\n", p.Verdict.Kind, p.Verdict.Confidence))
	for _, evidence := range p.Verdict.Evidence {
		require.Contains(t, strings.Join(inside, " "), evidence)
	}
}

var dataValue = regexp.MustCompile(`<data value="([^"]*)">`)

// row are the figures of a row of the report, in the order of its columns.
func (r *recorded) row(t *testing.T, mark string) []float64 {
	t.Helper()
	_, row, ok := strings.Cut(r.report, mark)
	require.True(t, ok, "the report has no %s", mark)
	row, _, _ = strings.Cut(row, "</tr>")
	var all []float64
	for _, m := range dataValue.FindAllStringSubmatch(row, -1) {
		n, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		all = append(all, n)
	}
	return all
}

func (r *recorded) agreesWithReport(t *testing.T, column int, end socketstats.End, p *render.Side) {
	t.Helper()
	for metric, n := range map[string]float64{
		"connections.opened": float64(p.Opened), "connections.reused": float64(p.Reused),
		"requests.sent": float64(p.Sent), "requests.ok": float64(p.OK), "requests.failed": float64(p.Failed), "requests.in_flight": float64(p.InFlight),
		"latency_ms.p50": p.P50MS, "latency_ms.p99": p.P99MS,
	} {
		require.InDelta(t, n, r.row(t, `data-metric="`+metric+`"`)[column], 0, metric)
	}
	for _, s := range p.States {
		row := r.row(t, fmt.Sprintf(`data-final="%s.final.%s"`, end, s.Name))
		require.Equal(t, []float64{float64(s.Peak), float64(s.Now)}, row[2*column:2*column+2], s.Name)
	}
	require.Contains(t, r.report, fmt.Sprintf("%s side: %s at the %s's end at most, %d held at the end of the run", p.Side, sockets(p.Most), end, p.Held))
	require.Contains(t, r.report, fmt.Sprintf("%s: %s</h4>", p.Side, map[bool]string{true: "LEAK: "}[p.Verdict.Leak]+string(p.Verdict.Kind)))
	for _, evidence := range p.Verdict.Evidence {
		require.Contains(t, r.report, "<li>"+evidence+"</li>")
	}
}

func sockets(n int) string {
	if n == 1 {
		return "1 socket"
	}
	return fmt.Sprintf("%d sockets", n)
}

// agreeWithSamples holds the page's points against what was recorded.
func agreeWithSamples(t *testing.T, events []lab.Event, points []struct {
	At     int64                                `json:"at_ns"`
	Counts map[string]map[string]map[string]int // by end, side and state
},
) {
	t.Helper()
	i := 0
	for _, e := range events {
		if e.Sample == nil {
			continue
		}
		require.EqualValues(t, e.Sample.At, points[i].At)
		for _, side := range scenario.Sides() {
			sample := e.Sample.Of(side)
			for end, counts := range map[string]socketstats.Counts{"client": sample.Client, "server": sample.Server} {
				for _, state := range render.Stacking() {
					require.Equal(t, counts.Of(state), points[i].Counts[end][string(side)][state.String()], "%s, %s, sample %d", end, side, i)
				}
			}
		}
		i++
	}
	require.Len(t, points, i)
}
