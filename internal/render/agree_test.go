package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// One observation, of any number of subjects, has the same growth, the same trend,
// the same counts and the same words in every format, and they are those of the
// snapshot that the terminal and the page draw.
func TestEveryFormatHasTheSameNumbersAndWords(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 5} {
		sides := []string{"faulty", "fixed", "c", "d", "e"}[:n]
		played := judged(t, rendertest.Ended(rendertest.Run(58, sides...)))
		for name, of := range map[string]struct {
			observed *render.Observed
			document *render.Document
		}{
			"run":       {played, render.Runs([]*render.Observed{played}, false)},
			"diagnosis": {watched(n), render.Diagnosis(watched(n))},
			"watch":     {watched(n), render.Watch(watched(n))},
		} {
			t.Run(fmt.Sprintf("%s of %d", name, n), func(t *testing.T) {
				t.Parallel()
				snapshots := []render.Snapshot{of.observed.Snapshot(socketstats.Client), of.observed.Snapshot(socketstats.Server)}
				require.Len(t, snapshots[0].Panels, n)
				for _, format := range render.Formats(of.document.Has()) {
					f, err := render.FormatOf(format, of.document.Has())
					require.NoError(t, err)
					var out bytes.Buffer
					require.NoError(t, f.Render(&out, of.document, render.Options{Width: 400})) // so that no cell is broken
					text := out.String()
					switch format {
					case "json":
						agreeInJSON(t, text, snapshots)
					case "csv":
						agreeInCSV(t, text, snapshots)
					case "junit":
						require.Len(t, readJUnit(t, text).Suites[0].Cases, len(of.document.Checks)/len(readJUnit(t, text).Suites))
					case "html":
						agreeInPage(t, text, snapshots)
						fallthrough
					default:
						agreeInWords(t, format, name, text, snapshots)
					}
				}
			})
		}
	}
}

// figures are what a snapshot says of a subject, by the names of metrics.
func figures(snapshots []render.Snapshot, i int) map[string]float64 {
	of := map[string]float64{"growth_per_second": float64(snapshots[0].Panels[i].Growth)}
	for _, s := range snapshots {
		of[s.End+".final.open"] = float64(s.Panels[i].Held)
		for _, state := range s.Panels[i].States {
			of[s.End+".final."+state.Name], of[s.End+".peak."+state.Name] = float64(state.Now), float64(state.Peak)
		}
	}
	return of
}

func agreeInJSON(t *testing.T, text string, snapshots []render.Snapshot) {
	t.Helper()
	var of map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &of))
	subjects := map[string]map[string]any{}
	list, _ := of["subjects"].([]any)
	for _, id := range []string{"faulty", "fixed"} {
		if side, ok := of[id]; ok {
			list = append(list, side)
		}
	}
	for _, s := range list {
		subject := s.(map[string]any)
		subjects[subject["id"].(string)] = subject
	}
	for i, p := range snapshots[0].Panels {
		for name, n := range figures(snapshots, i) {
			require.InDelta(t, n, at(t, subjects[p.ID], name), 0, "%s of %s", name, p.ID)
		}
		data, err := json.Marshal(subjects[p.ID]["verdict"])
		require.NoError(t, err)
		var v verdict.Verdict
		require.NoError(t, json.Unmarshal(data, &v))
		require.Equal(t, p.Verdict, v)
		require.Equal(t, p.Trend, series.Growth(subjects[p.ID]["growth_per_second"].(float64)).String())
	}
}

func agreeInCSV(t *testing.T, text string, snapshots []render.Snapshot) {
	t.Helper()
	values := map[string]string{}
	for _, r := range records(t, text) {
		values[r[1]+" "+r[2]] = r[3]
	}
	for i, p := range snapshots[0].Panels {
		for name, n := range figures(snapshots, i) {
			if value, ok := values[p.ID+" "+name]; ok {
				require.Equal(t, strconv.FormatFloat(n, 'f', -1, 64), value, "%s of %s", name, p.ID)
			} else {
				require.Zero(t, n, "%s of %s", name, p.ID)
			}
		}
		require.Equal(t, string(p.Verdict.Kind), values[p.ID+" verdict.kind"])
	}
}

func agreeInPage(t *testing.T, text string, snapshots []render.Snapshot) {
	t.Helper()
	shown := figuresOf(t, text)
	for i := range snapshots[0].Panels {
		for name, n := range figures(snapshots, i) {
			if values, ok := shown[name]; ok {
				require.Equal(t, strconv.FormatFloat(n, 'f', -1, 64), values[i], name)
			} else {
				require.NotContains(t, name, ".peak.", "every state of a chart has its row")
			}
		}
	}
}

func agreeInWords(t *testing.T, format, name, text string, snapshots []render.Snapshot) {
	t.Helper()
	if format == "html" {
		var texts []string
		for n := range nodes(t, text, "body")[0].Descendants() {
			if n.Type == html.TextNode {
				texts = append(texts, n.Data)
			}
		}
		text = strings.Join(texts, " ")
	}
	text = oneLine(text)
	require.Contains(t, text, oneLine(snapshots[0].Sentence))
	for _, p := range snapshots[0].Panels {
		require.Contains(t, text, oneLine(p.Name), format)
		if format == "svg" {
			continue // the rest is in the charts
		}
		if name != "diagnosis" || format == "html" { // in a terminal it is verdicts alone
			require.Contains(t, text, " "+p.Trend, format)
			for _, state := range p.States {
				if state.Peak > 0 && format != "html" {
					require.Contains(t, text, fmt.Sprintf("%d / %d", state.Peak, state.Now), format)
				}
			}
		}
		if name != "watch" || format == "html" { // in a terminal the table says it
			require.Contains(t, text, oneLine(render.Label(p.Verdict)), format)
			for _, sentence := range verdict.Sentences(p.Verdict) {
				require.Contains(t, text, oneLine(sentence), format)
			}
		}
	}
}

// oneLine is text without what formats add to words: ends of lines, and the
// backslashes of Markdown.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, `\`, "")), " ")
}
