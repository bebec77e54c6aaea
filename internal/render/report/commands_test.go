package report_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/render/report"
)

// compared is an entry of two commands of which little is known.
func compared(t *testing.T) report.Entry {
	t.Helper()
	e := entry(t)
	e.Run.Commands = &lab.Commands{Faulty: "old\n  {url}", Fixed: "new {url}", Server: "serve {port}"}
	e.Run.Faulty.Report.Unknown = []string{"requests", "connections.reused", "process", "latency_ms"}
	e.Run.Fixed.Report.Unknown = []string{"process"}
	e.Run.Fixed.Report.Failure = "the command ended with exit status 7\n  out of luck"
	return e
}

func TestCommandsAndTheirFailuresAreShown(t *testing.T) {
	t.Parallel()
	text := write(t, "table", false, compared(t))
	require.Contains(t, text, "\nfaulty  old {url}\nfixed   new {url}\nserver  serve {port}\n")
	require.Contains(t, text, "\nfixed: the command ended with exit status 7\n  out of luck\n")
	require.NotContains(t, text, "speed 10", "a command has none")
	for _, format := range []string{"markdown", "html"} {
		require.Contains(t, write(t, format, false, compared(t)), "out of luck")
	}
}

func TestWhatIsNotKnownIsNoZero(t *testing.T) {
	t.Parallel()
	text := write(t, "table", false, compared(t))
	for _, row := range []string{
		`connections opened +│ [1-9]\d* +│ 0`, `connections reused +│ not known +│ 0`, `descriptors, peak +│ not known +│ not known`,
		`requests sent +│ not known +│ [1-9]\d* `, `requests failed +│ not known +│ [1-9]\d* \([1-9]\d* EOF`, `latency p50 / p99 +│ not known +│ 0s / 0s`,
		`persistent connections +│ not known +│ no, 0 of [1-9]\d* reused`, `closes on error +│ not known +│ nothing was idle`,
	} {
		require.Regexp(t, row, text)
	}

	rows, err := csv.NewReader(strings.NewReader(write(t, "csv", false, compared(t)))).ReadAll()
	require.NoError(t, err)
	figures := map[string]bool{}
	for _, r := range rows[1:] {
		figures[r[1]+" "+r[2]] = true
	}
	require.True(t, figures["fixed requests.sent"] && figures["faulty connections.opened"])
	require.False(t, figures["faulty requests.sent"] || figures["faulty process.fds_peak"] || figures["fixed process.gc_cycles"])

	var run struct {
		Commands lab.Commands
		Faulty   struct {
			Requests map[string]any
			Unknown  []string
		}
		Fixed struct{ Failure string }
	}
	require.NoError(t, json.Unmarshal([]byte(write(t, "json", false, compared(t))), &run))
	require.Equal(t, "serve {port}", run.Commands.Server)
	require.Contains(t, run.Faulty.Requests, "sent", "a promised name stays")
	require.Contains(t, run.Faulty.Unknown, "requests")
	require.Contains(t, run.Fixed.Failure, "exit status 7")
}
