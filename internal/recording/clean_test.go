package recording_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/recording"
)

// A recording is a file from anywhere: its names go to terminals, and into tables of every form.
func TestNamesOfARecordingCannotDraw(t *testing.T) {
	for name, escaped := range map[string]string{
		"an escape sequence":           `\u001b[31m`,
		"in capitals":                  `\u001B]0;title\u0007`,
		"a control sequence of 8 bits": `\u009b2J`,
		"not escaped":                  "\u009b2J",
		"a line that begins again":     `\r`,
		"a step back":                  `\b\b`,
		"text that turns round":        `\u202e`,
		"and is not escaped":           "\u202e",
		"after a backslash":            `\\\u001b`,
	} {
		t.Run(name, func(t *testing.T) {
			title := titleOf(t, escaped)
			require.NotRegexp(t, `[\x00-\x1f\x7f-\x{9f}\x{202a}-\x{202e}]`, title)
			require.Contains(t, title, "\ufffd")
		})
	}
	for text, want := range map[string]string{
		`\\u001b`: `\u001b`, `a\nb\t\"c\"`: "a\nb\t\"c\"", `a\r\nb`: "a\nb", `\\r\n`: `\r` + "\n", "grüße": "grüße", `\ud83d\ude00`: "😀", `\\\\u009b`: `\\u009b`,
	} {
		require.Equal(t, want, titleOf(t, text))
	}
}

// titleOf reads a recording with a title as it is written in JSON.
func titleOf(t *testing.T, title string) string {
	text := `{"header":{"schema":"sockwatch.recording/v2","target":{},"title":"` + title + `"}}` + "\n"
	require.True(t, json.Valid([]byte(text)))
	r, err := recording.ReadFrom(strings.NewReader(text), "it")
	require.NoError(t, err)
	return r.Observation.Title
}
