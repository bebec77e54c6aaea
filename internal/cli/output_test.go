package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/cli"
	"socketlab/internal/cli/program"
	"socketlab/internal/recording"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
)

// takes lists the commands that take each format.
func takes() map[string][]string {
	of := map[string][]string{}
	for _, c := range cli.Command(program.Streams{}).Commands() {
		if output := c.Flags().Lookup("output"); output != nil && !c.Hidden && output.Value.Type() != "string" { // record has a file
			for _, format := range strings.Split(output.Value.Type(), "|") {
				of[format] = append(of[format], c.Name())
			}
		}
	}
	return of
}

func TestEveryCommandWithAnAnswerTakesEveryFormatThatMakesSense(t *testing.T) {
	t.Parallel()
	all := []string{"ab", "check", "demo", "diagnose", "explain", "fleet", "go-diff", "life", "list", "match", "profile", "replay", "report", "run", "show", "size", "sweep", "watch"}
	without := func(names ...string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(c string) bool { return slices.Contains(names, c) })
	}
	want := map[string][]string{
		"table": all, "json": all, "markdown": all, "html": all, "csv": without("show"),
		"junit": without("show", "list", "explain", "go-diff", "sweep", "life", "size", "match", "profile"),
		"svg":   without("show", "list", "explain", "go-diff", "sweep", "size", "check", "fleet", "match", "profile"),
	}
	require.Equal(t, want, takes())
	docs, err := os.ReadFile("../../docs/reports.md")
	require.NoError(t, err)
	for format := range want {
		require.Contains(t, string(docs), "| `"+format+"` |")
	}
}

// sockwatch runs a command and returns its answer.
func sockwatch(t *testing.T, args ...string) (answer string, code int) {
	t.Helper()
	var out, stderr bytes.Buffer
	code = program.Run(cli.Command, args, program.Streams{In: strings.NewReader(""), Out: &out, Err: &stderr})
	t.Log(stderr.String())
	return out.String(), code
}

// recorded is a file with a recording of events.
func recordedFile(t *testing.T, name string, events []series.Event) string {
	t.Helper()
	w := recording.Writer{Path: filepath.Join(t.TempDir(), name)}
	for _, e := range events {
		w.Write(e)
	}
	require.NoError(t, w.Close())
	return w.Path
}

func TestAnswersCanBeWrittenInEachFormatThatTheirCommandTakes(t *testing.T) {
	t.Parallel()
	run := recordedFile(t, "run.jsonl", rendertest.Ended(rendertest.Run(58, rendertest.Sides()...)))
	watch := recordedFile(t, "watch.jsonl", rendertest.Watch(40, 5))
	formats := takes()
	for _, answer := range []struct {
		args []string
		code int
	}{
		{[]string{"list"}, 0},
		{[]string{"list", "close_wait"}, 0},
		{[]string{"show", "body-not-closed"}, 0},
		{[]string{"explain"}, 0},
		{[]string{"explain", "close-wait-leak"}, 0},
		{[]string{"explain", "ECONNRESET"}, 0},
		{[]string{"report", run}, 0},
		{[]string{"report", run}, 0},
		{[]string{"replay", run}, 0},
		{[]string{"replay", watch}, 3},
		{[]string{"diagnose", run}, 3},
		{[]string{"diagnose", watch}, 3},
	} {
		for format, commands := range formats {
			if !slices.Contains(commands, answer.args[0]) {
				continue
			}
			text, code := sockwatch(t, append(answer.args, "-o", format)...)
			require.Equal(t, answer.code, code, "%v as %s", answer.args, format)
			require.Greater(t, len(text), 100, "%v as %s", answer.args, format)
			if format == "json" {
				var of struct{ Schema string }
				require.NoError(t, json.Unmarshal([]byte(text), &of))
				require.Regexp(t, `^sockwatch\.[a-z]+/v\d$`, of.Schema, fmt.Sprint(answer.args))
				require.True(t, strings.HasPrefix(text, "{\n  \"schema\":"), "the schema comes first")
			}
		}
	}
	_, code := sockwatch(t, "list", "-o", "svg")
	require.Equal(t, program.ExitUsage, code)
	_, code = sockwatch(t, "report", run, run, "-o", "svg")
	require.Equal(t, program.ExitUsage, code)
}
