package exercise

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// Whatever a participant writes as the diagnosis, it is compared, or refused with its place.
func FuzzDiagnosis(f *testing.F) {
	all, err := All()
	require.NoError(f, err)
	p := &Project{Dir: f.TempDir()}
	for _, e := range all {
		if e.Sort == Diagnosis {
			p.Exercise = e
			f.Add([]byte(e.Find.form()))
			f.Add([]byte("process: " + e.Find.Process + "\nkind: " + string(e.Find.Kinds[0]) + "\nline: 12\n"))
		}
	}
	f.Add([]byte("process: [a]\nkind: {b: c}\n"))
	f.Add([]byte("process: |\n  a\x1b[31m\nkind: 1e3\nline: 0x10\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(p.Dir, answerFile)
		require.NoError(t, os.WriteFile(name, text, 0o600))
		d, err := p.Diagnosed()
		if err != nil {
			var bad *scenario.Error
			require.ErrorAs(t, err, &bad)
			require.LessOrEqual(t, bad.Line, strings.Count(string(text), "\n")+strings.Count(string(text), "\r")+1)
			return
		}
		for _, finding := range d.Findings {
			require.False(t, finding.Right && finding.Unknown)
			require.True(t, !finding.Right || finding.Yours != "")
		}
		require.NotNil(t, d.Document())
	})
}

// Whatever a participant's program prints and calls its errors, a few lines of it are shown.
func FuzzPrinted(f *testing.F) {
	f.Add("Traceback (most recent call last):\n  File \"client.py\", line 3\n\nKeyError: 'a'\n", "timeout", `"dial tcp: i/o\ttimeout"`)
	f.Add(strings.Repeat("again\r\n", 99)+strings.Repeat("x", 999), "other", "\x1b[31mred\nline")
	f.Add("\xff\n", "", "\xff")
	f.Fuzz(func(t *testing.T, printed, name, text string) {
		last := lastLines(printed)
		require.LessOrEqual(t, strings.Count(last, "\n"), shownLines-1)
		errors := failures(&series.Requests{Errors: map[string]int64{name: 3, name + "1": 4, name + "2": 5, name + "3": 6}}, map[string]string{name: text})
		lines := strings.Split(shown(errors), "\n")
		require.Len(t, lines, shownErrors+1)
		for _, line := range append(lines, strings.Split(last, "\n")...) {
			require.LessOrEqual(t, len([]rune(line)), shownLine+len("..."))
		}
		for _, e := range errors {
			require.Equal(t, e.Text, ansi.Strip(e.Text))
		}
	})
}
