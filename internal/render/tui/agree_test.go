package tui

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/render/web"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// Of one observation, with any number of subjects, the terminal and the page show in
// the end every number, word and sentence that its recording has in every format:
// those of its snapshot.
func TestFacesAgreeOnEveryNumber(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]series.Event{
		"a run of one side":     rendertest.Ended(rendertest.Run(58, "faulty")),
		"a run of two sides":    rendertest.Ended(rendertest.Run(58, rendertest.Sides()...)),
		"a run of five sides":   rendertest.Ended(rendertest.Run(58, "faulty", "b", "c", "d", "e")),
		"a watch of one":        rendertest.Watch(40, 1),
		"a watch of five":       rendertest.Watch(40, 5),
		"a run that has begun":  rendertest.Run(2, rendertest.Sides()...),
		"a watch of nobody yet": rendertest.Watch(1, 0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if last := events[len(events)-1]; last.End == nil { // a page that is closed says so
				events = append(events, series.Event{End: &series.Ending{Duration: last.Moment.At}})
			}
			recorded := recorded(t, events)
			page := onPage(t, events)
			for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
				want := recorded.Snapshot(end)
				agreeWithPage(t, &want, page, end)
				agreeWithTerminal(t, &want, onTerminal(events, end))
			}
		})
	}
}

// recorded is what a recording of events shows.
func recorded(t *testing.T, events []series.Event) *render.Observed {
	t.Helper()
	if events[0].Header.Target == nil {
		judged, err := render.Run(rendertest.Observe(events))
		require.NoError(t, err)
		return judged
	}
	var w observe.Window
	for _, e := range events {
		w.Add(e)
	}
	return render.Watched(&w)
}

// shownPage is what the page is sent, as its script reads it.
type shownPage struct {
	Ends map[string]struct {
		Scale    int
		Sentence string
		Panels   []struct {
			render.Panel
			Sentences []string
		}
	}
}

// onPage is all that the page shows of an observation that is over.
func onPage(t *testing.T, events []series.Event) shownPage {
	t.Helper()
	server, err := web.Start(web.Default)
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	for _, e := range events {
		server.Show(e)
	}
	server.Finish()
	resp, err := http.Get(server.URL() + "events")
	require.NoError(t, err)
	defer resp.Body.Close()
	var shown struct{ Snapshot shownPage }
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
	require.Len(t, shown.Snapshot.Ends, 2)
	return shown.Snapshot
}

func agreeWithPage(t *testing.T, want *render.Snapshot, page shownPage, end socketstats.End) {
	t.Helper()
	shown := page.Ends[end.String()]
	require.Equal(t, want.Sentence, shown.Sentence)
	require.Equal(t, want.Scale, shown.Scale)
	require.Len(t, shown.Panels, len(want.Panels))
	for _, p := range shown.Panels {
		of := *want.Panel(p.ID)
		of.Points = nil // they are sent by themselves
		require.Equal(t, of, p.Panel)
		require.Equal(t, of.Headline, p.Headline)
		require.Equal(t, verdict.Sentences(of.Verdict), p.Sentences)
	}
}

// onTerminal is the last screen of an observation, without colour: a large one.
func onTerminal(events []series.Event, end socketstats.End) string {
	m := told(model{face: &face{}}, size(500, 90), batch(events))
	if m.face.end != end {
		m = told(m, press("tab"))
	}
	return ansi.Strip(m.screen())
}

func agreeWithTerminal(t *testing.T, want *render.Snapshot, screen string) {
	t.Helper()
	lines := strings.Split(screen, "\n")
	require.Equal(t, want.Sentence, strings.TrimSpace(lines[1]))
	for i := range want.Panels {
		p := &want.Panels[i]
		wide := 500 / len(want.Panels)
		var inside []string
		for _, line := range lines {
			if cells := []rune(line); strings.HasPrefix(line, "│") {
				to := len(cells)
				if i < len(want.Panels)-1 {
					to = (i + 1) * wide
				}
				inside = append(inside, strings.TrimSpace(string(cells[i*wide+1:to-1])))
			}
		}
		size := 1
		for size < mostSize && !showsNumber(inside, p.Number, size) {
			size++
		}
		require.True(t, showsNumber(inside, p.Number, size), "%s is not in %q", p.Number, inside[:3*mostSize])
		require.True(t, strings.HasSuffix(inside[(3*size-3)/2+2], " "+p.Trend), "%s", inside[:3*size])
		text := strings.Join(inside, "\n")
		for _, s := range p.States {
			require.Regexp(t, fmt.Sprintf(`\n\S %s +(\S+ +)?%d\n`, s.Name, s.Now), text)
		}
		require.Regexp(t, fmt.Sprintf(`\n%d │`, want.Scale), text)
		for _, f := range p.Figures {
			if !f.Detail {
				require.Contains(t, text, f.Name+" "+f.Text)
			}
		}
		require.Contains(t, text, p.Headline)
		for _, sentence := range verdict.Sentences(p.Verdict) {
			require.Contains(t, strings.Join(inside, " "), sentence)
		}
	}
}

// showsNumber reports whether the first lines begin with a number in digits of a size.
func showsNumber(lines []string, number string, size int) bool {
	for row, digits := range big(number, size) {
		if !strings.HasPrefix(lines[row]+"  ", strings.TrimSpace(digits)+"  ") {
			return false
		}
	}
	return true
}
