package render_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/life"
	"socketlab/internal/render"
)

// recorded is a life as a machine played it: sockwatch life --variant lost-fin -o json.
func recorded(t *testing.T) *life.Record {
	t.Helper()
	text, err := os.ReadFile("testdata/life-recorded.json")
	require.NoError(t, err)
	var r life.Record
	require.NoError(t, json.Unmarshal(text, &r))
	return &r
}

func TestALifeIsAsKept(t *testing.T) {
	t.Parallel()
	d := render.Life(recorded(t))
	require.Equal(t, []string{"table", "json", "csv", "markdown", "html", "svg"}, render.Formats(d.Has()))
	for _, format := range render.Formats(d.Has()) {
		if format == "json" { // the record itself
			want, err := os.ReadFile("testdata/life-recorded.json")
			require.NoError(t, err)
			require.Equal(t, string(want), written(t, format, d))
			continue
		}
		kept(t, "life."+format, written(t, format, d))
	}
}

func TestEveryFaceOfALifeHasEachStepsSentenceAndStates(t *testing.T) {
	t.Parallel()
	r := recorded(t)
	d := render.Life(r)
	for _, format := range []string{"csv", "html", "svg", "json"} {
		text := written(t, format, d)
		for _, row := range r.Rows {
			require.Contains(t, text, strings.ReplaceAll(row.Text, "\"", "&#34;"), format)
			require.Contains(t, text, row.Client.State, format)
		}
	}
	table := strings.Join(strings.Fields(written(t, "table", d)), " ")
	for _, row := range r.Rows {
		require.Contains(t, table, row.Text)
	}
}

func TestAWideTerminalHasTheSentencesBesideTheSteps(t *testing.T) {
	t.Parallel()
	r := recorded(t)
	d := render.Life(r)
	f, err := render.FormatOf("table", d.Has())
	require.NoError(t, err)
	for width, beside := range map[int]bool{80: false, 160: true} {
		var out bytes.Buffer
		require.NoError(t, f.Render(&out, d, render.Options{Width: width}))
		require.Equal(t, beside, regexp.MustCompile(`(?m)SYN seq 0 ─+> SYN_RECV +The SYN says`).MatchString(out.String()))
		for line := range strings.Lines(out.String()) {
			require.LessOrEqual(t, ansi.StringWidth(strings.TrimSpace(line)), width, line)
		}
	}
}

func TestALifeOfOneEndHasNoTableForTheOther(t *testing.T) {
	t.Parallel()
	r := recorded(t)
	r.Rows = r.Rows[:3] // before the client's socket
	text := written(t, "table", render.Life(r))
	require.Contains(t, text, "│ server ")
	require.NotContains(t, text, "│ client ")
	require.NotContains(t, text, "(gone)")
}

func TestALineOfASequenceFitsItsWidth(t *testing.T) {
	t.Parallel()
	s := render.Life(recorded(t)).Sequence()
	s.Steps = append(s.Steps, render.Step{Time: "123456.789", Left: "ESTABLISHED", Right: "ESTABLISHED", Label: strings.Repeat("long ", 20), Arrow: true, Lost: true},
		render.Step{Label: strings.Repeat("x", 200), Position: render.AtRight})
	for i := range s.Steps {
		require.LessOrEqual(t, len([]rune(s.Line(i))), render.SequenceWidth)
	}
}

func TestADescriptorInPartOfAState(t *testing.T) {
	t.Parallel()
	r := &life.Record{Variant: "half-close", Rows: []life.Row{
		{Client: life.End{State: "ESTABLISHED"}, Server: life.End{State: life.None}},
		{Client: life.End{State: "ESTABLISHED", Descriptor: 7}, Server: life.End{State: life.None}},
		{Client: life.End{State: "TIME_WAIT", Descriptor: 7}, Server: life.End{State: life.None}},
		{Client: life.End{State: "TIME_WAIT"}, Server: life.End{State: life.None}},
	}}
	text := written(t, "markdown", render.Life(r))
	require.Contains(t, text, "| ESTABLISHED | later |")
	require.Contains(t, text, `| TIME\_WAIT | at first |`)
}
