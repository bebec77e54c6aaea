package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/render/report"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func judged(name string, pid int32, client, server socketstats.Counts, v verdict.Verdict) observe.SubjectVerdict {
	before := verdict.Sample{Client: verdict.End{Counts: counts(map[socketstats.State]int{socketstats.SynSent: 99})}}
	last := verdict.Sample{Client: verdict.End{Counts: client}, Server: verdict.End{Counts: server}}
	return observe.SubjectVerdict{
		Subject: observe.Subject{Name: name, PID: pid, Series: verdict.Series{Samples: []verdict.Sample{before, last}}}, Verdict: v,
	}
}

// diagnoses are one of each kind, with words that the engine may change.
func diagnoses() map[string]report.Diagnosis {
	states := map[socketstats.State]int{socketstats.Established: 1234, socketstats.TimeWait: 56, socketstats.CloseWait: 7}
	all, few := counts(states), counts(map[socketstats.State]int{socketstats.Established: 2})
	leak := verdict.Verdict{
		Leak: true, Kind: verdict.IdleConnectionsNotReused, Confidence: verdict.Medium, GrowthPerSecond: 12.34,
		Evidence: []string{
			"1234 connections have had an answer and nothing since for 10s or longer, and no new request goes out on one of them.",
			"They grow by 12.3 a second.",
		},
		Alternatives: []verdict.Alternative{
			{Kind: verdict.ResponseBodyLeak, RecognisedBy: "unread data, which small answers do not leave in the kernel's buffer, or a look into the program <itself>"},
			{Kind: verdict.PoolExhaustion, RecognisedBy: "a limit."},
		},
		Forecast: "At this rate the process has its 1024 descriptors in 3m20s, and the system its 28232 local ports towards the server in 36m.",
		Fix:      "Make one client, or one transport, when the program starts, and use it for all requests; give it an idle timeout.",
		Scenario: "transport-per-request",
	}
	healthy := verdict.Verdict{
		Kind: verdict.Healthy, Confidence: verdict.High,
		Evidence: []string{"2 connections were open at most, and 2 at the end.", "A leak slower than 0.1 a second would not have shown in 30s."},
	}
	early := verdict.Verdict{Kind: verdict.NotEnoughData, Evidence: []string{"1 sample of at least 8."}}
	return map[string]report.Diagnosis{
		"leak": {
			Source: "sockdiag", Duration: 61_234 * time.Millisecond, Samples: 62,
			Verdicts: []observe.SubjectVerdict{
				judged("all connections to port 5432", 0, all, few, leak),
				judged("a-program-with-a-long-name (4194304)", 4194304, all, all, leak),
				judged("sound (8)", 8, few, few, healthy),
			},
		},
		"healthy": {Source: "gopsutil", Duration: 30 * time.Second, Samples: 31, Verdicts: []observe.SubjectVerdict{judged("sound (8)", 8, few, socketstats.Counts{}, healthy)}},
		"early": {
			Source: "sockdiag", Samples: 1,
			Verdicts: []observe.SubjectVerdict{judged("new (9)", 9, socketstats.Counts{}, socketstats.Counts{}, early)},
		},
	}
}

func diagnosis(t *testing.T, format string, d report.Diagnosis) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.WriteDiagnosis(&out, format, d))
	return out.String()
}

func TestDiagnosesAreAsKept(t *testing.T) {
	t.Parallel()
	for name, d := range diagnoses() {
		for _, format := range []string{"table", "json"} {
			t.Run(name+" "+format, func(t *testing.T) {
				t.Parallel()
				got := diagnosis(t, format, d)
				golden := filepath.Join("testdata", "diagnosis."+name+"."+format)
				if *update {
					require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
				}
				want, err := os.ReadFile(golden)
				require.NoError(t, err)
				require.Equal(t, string(want), got)
			})
		}
	}
}

func TestADiagnosisFitsATerminal(t *testing.T) {
	t.Parallel()
	longest := 0
	for _, d := range diagnoses() {
		for _, line := range strings.Split(diagnosis(t, "table", d), "\n") {
			width := utf8.RuneCountInString(line)
			require.LessOrEqual(t, width, 80, line)
			require.Equal(t, strings.TrimRight(line, " "), line)
			longest = max(longest, width)
		}
	}
	require.Greater(t, longest, 70, "what is long is filled, not cut short")
}

func TestADiagnosisInJSONHasThePromisedNames(t *testing.T) {
	t.Parallel()
	type subject struct {
		Name           string
		PID            int32
		Client, Server socketstats.Counts
		Verdict        verdict.Verdict
	}
	var got struct {
		Schema, Source string
		DurationMS     int64 `json:"duration_ms"`
		Samples        int
		Leak           bool
		Kind           string
		Subjects       []subject
	}
	d := diagnoses()["leak"]
	in := json.NewDecoder(strings.NewReader(diagnosis(t, "json", d)))
	in.DisallowUnknownFields()
	require.NoError(t, in.Decode(&got))
	require.False(t, in.More())
	require.Equal(t, "sockwatch.diagnosis/v1", got.Schema)
	require.Equal(t, "sockdiag", got.Source)
	require.EqualValues(t, 61234, got.DurationMS)
	require.Equal(t, 62, got.Samples)
	require.True(t, got.Leak)
	require.Equal(t, "idle-connections-not-reused", got.Kind)
	for i, j := range d.Verdicts {
		last := j.Series.Samples[1]
		require.Equal(t, subject{j.Name, j.PID, last.Client.Counts, last.Server.Counts, j.Verdict}, got.Subjects[i])
	}

	require.NoError(t, json.Unmarshal([]byte(diagnosis(t, "json", diagnoses()["early"])), &got))
	require.False(t, got.Leak)
	require.Equal(t, "not-enough-data", got.Kind)
}

// ending fails when it has taken so much.
type ending struct{ left int }

func (e *ending) Write(p []byte) (int, error) {
	if len(p) > e.left {
		n := e.left
		e.left = 0
		return n, errFull
	}
	e.left -= len(p)
	return len(p), nil
}

func TestADiagnosisThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"table", "json"} {
		d := diagnoses()["leak"]
		size := len(diagnosis(t, format, d))
		for left := range size {
			require.ErrorIs(t, report.WriteDiagnosis(&ending{left}, format, d), errFull, "%s after %d", format, left)
		}
		require.NoError(t, report.WriteDiagnosis(&ending{size}, format, d))
	}
}

// suites is what a CI system reads.
type suites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Time     string `xml:"time,attr"`
		Cases    []struct {
			Class          string `xml:"classname,attr"`
			Name           string `xml:"name,attr"`
			Time           string `xml:"time,attr"`
			Failure, Error *struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			}
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func readJUnit(t *testing.T, subject string, checks []report.Check, took time.Duration, failed error) suites {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.WriteJUnit(&out, subject, checks, took, failed))
	require.True(t, utf8.Valid(out.Bytes()))
	var got suites
	// encoding/xml takes elements by their names in any case, so the names are
	// looked at, too.
	text := strings.NewReplacer("<failure", "<Failure", "</failure", "</Failure", "<error", "<Error", "</error", "</Error").Replace(out.String())
	require.NotContains(t, out.String(), "<Failure")
	in := xml.NewDecoder(strings.NewReader(text))
	in.Strict = true
	require.NoError(t, in.Decode(&got))
	require.True(t, strings.HasPrefix(out.String(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
	require.Len(t, got.Suites, 1)
	return got
}

func TestJUnitCountsFailuresAndErrors(t *testing.T) {
	t.Parallel()
	checks := []report.Check{
		{Name: "at most 5 ESTABLISHED", Met: true, Got: "3, after 1s", Details: []string{"not shown"}},
		{Name: "at most 0 CLOSE_WAIT", Got: "7, after 2s", Details: []string{"127.0.0.1:1 -> 127.0.0.1:2 CLOSE_WAIT", "and 6 more"}},
		{Name: "no leak", Got: "close-wait-leak"},
	}
	suite := readJUnit(t, "app", checks, 1500*time.Millisecond, errors.New("every watched process has ended")).Suites[0]
	require.Equal(t, "sockwatch check", suite.Name)
	require.Equal(t, "1.500", suite.Time)
	require.Equal(t, []int{4, 2, 1}, []int{suite.Tests, suite.Failures, suite.Errors})
	require.Len(t, suite.Cases, 4)
	for i, c := range suite.Cases {
		require.Equal(t, "sockwatch.app", c.Class)
		require.Equal(t, "1.500", c.Time)
		if i < len(checks) {
			require.Equal(t, checks[i].Name, c.Name)
			require.Equal(t, checks[i].Met, c.Failure == nil)
			require.Nil(t, c.Error)
		}
	}
	require.Equal(t, "got 7, after 2s", suite.Cases[1].Failure.Message)
	require.Equal(t, "127.0.0.1:1 -> 127.0.0.1:2 CLOSE_WAIT\nand 6 more\n", suite.Cases[1].Failure.Text)
	require.Equal(t, "every watched process has ended", suite.Cases[3].Error.Message)
	require.Nil(t, suite.Cases[3].Failure)

	suite = readJUnit(t, "app", checks[:1], 0, nil).Suites[0]
	require.Equal(t, []int{1, 0, 0}, []int{suite.Tests, suite.Failures, suite.Errors})
	require.Equal(t, "0.000", suite.Time)
}

// A process may call itself anything.
func TestJUnitIsWellFormedWhateverANameHas(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		`<b>"it's" & more</b>`:        `<b>"it's" & more</b>`,
		"]]>":                         "]]>",
		"<![CDATA[ x ]]>":             "<![CDATA[ x ]]>",
		"-->":                         "-->",
		"&amp;":                       "&amp;",
		"tab\tline\nreturn\rend":      "tab\tline\nreturn\rend",
		"bell\a null\x00 esc\x1b[31m": "bell\uFFFD null\uFFFD esc\uFFFD[31m",
		"not UTF-8: \xff\xfe":         "not UTF-8: \uFFFD\uFFFD",
		"no character: \uFFFE":        "no character: \uFFFD",
		"Grüße, 世界 🙂":                 "Grüße, 世界 🙂",
		"":                            "",
	} {
		checks := []report.Check{{Name: name, Got: name, Details: []string{name, "next"}}}
		suite := readJUnit(t, name, checks, time.Second, errors.New(name)).Suites[0]
		require.Equal(t, want, suite.Cases[0].Name)
		require.Equal(t, "sockwatch."+want, suite.Cases[0].Class)
		require.Equal(t, "got "+want, suite.Cases[0].Failure.Message)
		require.Equal(t, want+"\nnext\n", suite.Cases[0].Failure.Text)
		require.Equal(t, want, suite.Cases[1].Error.Message)
	}
}

func TestAJUnitFileThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	checks := []report.Check{{Name: "no leak", Got: strings.Repeat("much ", 2000)}}
	var out bytes.Buffer
	require.NoError(t, report.WriteJUnit(&out, "app", checks, 0, nil))
	for left := 0; left < out.Len(); left += 100 {
		require.ErrorIs(t, report.WriteJUnit(&ending{left}, "app", checks, 0, nil), errFull, "after %d", left)
	}
	require.ErrorIs(t, report.WriteJUnit(&ending{out.Len() - 1}, "app", checks, 0, nil), errFull)
	require.NoError(t, report.WriteJUnit(&ending{out.Len()}, "app", checks, 0, nil))
}
