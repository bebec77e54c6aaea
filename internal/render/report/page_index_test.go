package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/provenance"
	"socketlab/internal/render/report"
)

// evil would break out of any careless writer.
const evil = `"'></title></style></svg><script>alert(1)</script><img src=x onerror=alert(1)>]]>&amp;{{.}}` + "\x00\x1b"

// hostile is a run of commands, all of whose words are evil.
func hostile(t *testing.T) report.Entry {
	t.Helper()
	e := entry(t)
	e.Run.Scenario, e.Run.Title, e.Run.Source, e.Run.GoVersion, e.Run.Stopped = evil, evil, evil, evil, evil
	e.Run.Commands = &lab.Commands{Faulty: evil, Fixed: evil, Server: evil}
	e.Run.Faulty.Report.Failure = evil
	e.Run.Fixed.Report.Requests.Errors[evil] = 1
	e.Outcome.Faulty.Evidence = []string{evil}
	e.Outcome.Faulty.Fix, e.Outcome.Faulty.Forecast = evil, evil
	e.Outcome.Faulty.Alternatives[0].RecognisedBy = evil
	e.Run.Provenance = &provenance.Info{Command: evil, System: evil, Arch: evil, Version: evil}
	return e
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
	tame := names(page(t, entry(t)))
	text := page(t, hostile(t))
	for name := range names(text) {
		require.Contains(t, tame, name)
	}
	require.Empty(t, nodes(t, text, "pre"), "commands have no code of ours")
	require.Greater(t, strings.Count(textOf(nodes(t, text, "body")[0]), "<script>alert(1)</script>"), 10, "it is shown as it is")
	listed := index(t, hostile(t))
	alone(t, listed)
	require.Contains(t, textOf(nodes(t, listed, "body")[0]), "<script>alert(1)</script>")
}

func index(t *testing.T, entries ...report.Entry) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.Index(&out, entries, report.Files(entries)))
	return out.String()
}

func TestIndexLeadsToEachRun(t *testing.T) {
	t.Parallel()
	entries := []report.Entry{entry(t), entry(t), hostile(t)}
	entries[2].Run.Scenario = "Index/../x"
	require.Equal(t, []string{"test.html", "test-2.html", "-ndex----x.html"}, report.Files(entries))
	entries[2].Run.Scenario = "index"
	require.Equal(t, "index-2.html", report.Files(entries)[2], "it would take the place of the index")
	entries = entries[:2]
	entries[1].Outcome.OK = true
	text := index(t, entries...)
	var links []string
	for _, a := range nodes(t, text, "a") {
		links = append(links, attribute(a, "href"))
	}
	require.Equal(t, []string{"test.html", "test-2.html"}, links)
	body := textOf(nodes(t, text, "body")[0])
	require.Contains(t, body, "2 runs, 1 of 2 as expected")
	require.Contains(t, body, "✗ 2 of 3 met")
	require.Contains(t, body, "✗ LEAK: idle-connections-not-reused")
	require.Contains(t, body, "10 sockets left open against 0")
	require.Contains(t, body, "10 / 0")
	kept(t, "index.html", text)
	commands := entry(t)
	commands.Run.Fixed.Report.Unknown = []string{"connections"}
	require.Contains(t, textOf(nodes(t, index(t, commands), "body")[0]), "10 / not known")
	require.Contains(t, textOf(nodes(t, page(t, commands), "body")[0]), "connections opened10not known")
	none := entry(t)
	none.Run.Faulty.Report.Requests.OK = 0
	require.Contains(t, textOf(nodes(t, page(t, none), "body")[0]), "latency p50no answer0s", "of what was never answered there is no time")
	require.Error(t, report.Index(&bytes.Buffer{}, entries, nil))
}
