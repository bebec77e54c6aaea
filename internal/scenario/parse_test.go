package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// codes stand for the catalogue's scenarios.
var codes = []string{"my-incident", "body-not-closed"}

const (
	head   = "id: my-incident\ntitle: T\n"
	load   = "load:\n  - {rate: 1, for: 10s}\n"
	expect = "expect:\n  faulty: [requests.ok == 0]\n  fixed: [requests.ok == 10]\n"
	good   = head + load + expect
)

func mustParse(t testing.TB, text string) Script {
	t.Helper()
	s, err := Parse("my.yaml", []byte(text), codes)
	require.NoError(t, err)
	return s
}

// badError parses what must be refused, and returns the error.
func badError(t testing.TB, text string) *Error {
	t.Helper()
	s, err := Parse("my.yaml", []byte(text), codes)
	require.Error(t, err)
	require.Zero(t, s, "a script that is refused must not be half there")
	var bad *Error
	require.ErrorAs(t, err, &bad)
	require.Same(t, err, bad, "one plain error, not one wrapped in another")
	return bad
}

// The files under testdata/bad hold scripts and the whole error for each:
// "-- name --", the script, "-- error --", the error.
func TestBadScriptIsOneErrorWithItsPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		require.NoError(t, err)
		cases := archive.Files
		require.Zero(t, len(cases)%2, "%s: a script without its error", file)
		for i := 0; i < len(cases); i += 2 {
			require.Equal(t, "error", cases[i+1].Name, "%s: after %q", file, cases[i].Name)
			t.Run(cases[i].Name, func(t *testing.T) {
				got := badError(t, string(cases[i].Data)).Error() + "\n"
				if *update {
					cases[i+1].Data = []byte(got)
					return
				}
				require.Equal(t, string(cases[i+1].Data), got, "if that is meant: go test ./internal/scenario -update")
			})
		}
		if *update {
			require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
		}
	}
}

// What an editor would not let into a txtar file, or hide there.
func TestBadScriptOfOddBytes(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"empty file", "", "my.yaml: is empty: a script has at least id, title, load and expect"},
		{"blank file", "\n \n\t\n", "my.yaml: is empty: a script has at least id, title, load and expect"},
		{
			"tab indentation", head + "server:\n\tdelay: 1s\n",
			"my.yaml:4:1: a line is indented with spaces, not with a tab\n  4 |  delay: 1s\n    | ^",
		},
		{
			"tab indentation after spaces", head + "server:\n  delay: 1s\n\tgrace: 1s\n",
			"my.yaml:5:1: a line is indented with spaces, not with a tab\n  5 |  grace: 1s\n    | ^",
		},
		{
			"CRLF line ends", "id: my-incident\r\nserver:\r\n  delay: 20\r\n",
			"my.yaml:3:10: duration \"20\" has no unit: write it like 20s or 20ms\n  3 |   delay: 20\n    |          ^",
		},
		{
			"CR line ends", "id: my-incident\rserver:\r  delay: 20\r",
			"my.yaml:3:10: duration \"20\" has no unit: write it like 20s or 20ms\n  3 |   delay: 20\n    |          ^",
		},
		{
			"byte order mark", "\ufeffid: my-incident\ndealy: 1s\n",
			"my.yaml:2:1: unknown key \"dealy\": use one of id, title, order, sort, implementation, requires, speed, max_speed, min_speed, fault, symptoms, headline, says, steps, server, upstreams, network, sysctl, client, load, narration, sample_interval, sweep, expect\n" +
				"  2 | dealy: 1s\n    | ^",
		},
		{
			"space behind a value", "server:\n  delay: 20   \n",
			"my.yaml:2:10: duration \"20\" has no unit: write it like 20s or 20ms\n  2 |   delay: 20\n    |          ^",
		},
		{
			"tab before a value", "server:\n  delay:\t20\n",
			"my.yaml:2:10: duration \"20\" has no unit: write it like 20s or 20ms\n  2 |   delay: 20\n    |          ^",
		},
		{
			"umlauts before the fault", "fault: {kind: übergroß, fux: 1}\n",
			"my.yaml:1:25: unknown key \"fux\": use one of kind, fix\n  1 | fault: {kind: übergroß, fux: 1}\n" +
				"    |                         ^",
		},
		{
			"an escape that YAML does not have", `title: "to the \quay"` + "\n",
			"my.yaml:1:17: found unknown escape character 'q'\n  1 | title: \"to the \\quay\"\n    |                 ^",
		},
		{"UTF-16, as PowerShell writes it", "\xff\xfei\x00d\x00:\x00", "my.yaml: is not text in UTF-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, badError(t, test.script).Error())
		})
	}
}

func TestTwoFaultsAlwaysGiveTheSameError(t *testing.T) {
	text := head + "client: {pool_size: -1, max_idle_conns: -2, max_idle_conns_per_host: -3}\n" + load + expect
	want := badError(t, text).Error()
	for range 50 {
		require.Equal(t, want, badError(t, text).Error())
	}
}

func TestGoodScriptInManyForms(t *testing.T) {
	want := mustParse(t, good)
	for name, text := range map[string]string{
		"CRLF line ends":       strings.ReplaceAll(good, "\n", "\r\n"),
		"byte order mark":      "\ufeff" + good,
		"document markers":     "---\n" + good + "...\n",
		"YAML directive":       "%YAML 1.2\n---\n" + good,
		"comments":             "# one\n" + strings.ReplaceAll(good, "\n", " # more [[[\n"),
		"no newline at end":    strings.TrimSpace(good),
		"one line":             "{id: my-incident, title: T, load: [{rate: 1, for: 10s}], expect: {faulty: [requests.ok == 0], fixed: [requests.ok == 10]}}",
		"quotes":               strings.ReplaceAll(strings.ReplaceAll(good, "my-incident", `"my-incident"`), "10s", `'10s'`),
		"anchor and alias":     head + "load:\n  - {rate: 1, for: &d 10s}\n" + expect + "sample_interval: &s 1s\n",
		"tags":                 strings.ReplaceAll(good, "title: T", "title: !!str T"),
		"sections left empty":  good + "server:\nclient:\nfault:\nrequires: null\n",
		"defaults written out": good + "implementation: my-incident\nrequires: loopback\nspeed: 1.0\nsample_interval: 1000ms\nserver: {protocol: http, status: 200, no_response: false, delay: 0s}\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := mustParse(t, text)
			require.Equal(t, text, got.Text, "a recording keeps it as it was written")
			got.Text = want.Text
			require.Equal(t, want, got)
		})
	}
}

// A recording may be of a catalogue that has other scenarios.
func TestScriptOfAnyCodeIsReadWhereNoneAreKnown(t *testing.T) {
	text := good + "implementation: not-in-this-version\nsteps: [neither-is-this]\n"
	_, err := Parse("my.yaml", []byte(text), codes)
	require.ErrorContains(t, err, `unknown implementation "not-in-this-version"`)
	s, err := Parse("my.yaml", []byte(text), nil)
	require.NoError(t, err)
	require.Equal(t, "not-in-this-version", s.Implementation)
	again, err := Parse("my.yaml", []byte(s.AtSpeed(3).Text), nil)
	require.NoError(t, err)
	require.Equal(t, s, again, "the text stays at the script's own speed")
}

func TestDefaultsAreFilledIn(t *testing.T) {
	s := mustParse(t, good)
	require.Equal(t, "my-incident", s.Implementation)
	require.Equal(t, Loopback, s.Requires)
	require.Equal(t, 1.0, s.Speed)
	require.Equal(t, "1s", s.SampleInterval.String())
	require.Equal(t, Server{Name: FirstServer, Protocol: "http"}, s.Server)
	behind := mustParse(t, good+"upstreams: [{name: a}]\n").Upstreams
	require.Equal(t, []Server{{Name: "a", Protocol: "http"}}, behind)
	require.Equal(t, Client{}, s.Client)
	require.Nil(t, s.Fault)
}
