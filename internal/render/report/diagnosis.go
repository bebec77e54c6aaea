package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"socketlab/internal/observe"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// diagnosisSchema names the form of a diagnosis in JSON. Names are only ever
// added.
const diagnosisSchema = "sockwatch.diagnosis/v1"

// Diagnosis is what a watch of running processes showed.
type Diagnosis struct {
	Source   string
	Duration time.Duration
	Samples  int
	// Verdicts has one of each subject, and Last is the last count.
	Verdicts []observe.SubjectVerdict
	Last     observe.Snapshot
}

type diagnosisJSON struct {
	Schema     string        `json:"schema"`
	Source     string        `json:"source"`
	DurationMS int64         `json:"duration_ms"`
	Samples    int           `json:"samples"`
	Leak       bool          `json:"leak"`
	Kind       verdict.Kind  `json:"kind"`
	Subjects   []subjectJSON `json:"subjects"`
}

type subjectJSON struct {
	Name    string             `json:"name"`
	PID     int32              `json:"pid,omitempty"`
	Client  socketstats.Counts `json:"client"`
	Server  socketstats.Counts `json:"server"`
	Verdict verdict.Verdict    `json:"verdict"`
}

// WriteDiagnosis writes a diagnosis as JSON, or else for people.
func WriteDiagnosis(w io.Writer, format string, d Diagnosis) error {
	if format == "json" {
		return writeDiagnosisJSON(w, d)
	}
	out := &sink{w: w}
	out.printf("%s in %s, counted by %s\n", plural(d.Samples, "sample"), d.Duration.Round(100*time.Millisecond), d.Source)
	for _, j := range d.Verdicts {
		last := lastSample(j)
		out.printf("\n%s\n", j.Name)
		if now := now(last); now != "" {
			out.printf("%s", Wrap("  now      ", now))
		}
		out.printf("%s", Wrap("  verdict  ", verdictLine(j.Verdict)))
		out.printf("%s", Wrap("  because  ", strings.Join(j.Verdict.Evidence, " ")))
		for _, a := range j.Verdict.Alternatives {
			out.printf("%s", Wrap("  or       ", fmt.Sprintf("%s; to tell them apart, see %s", a.Kind, a.RecognisedBy)))
		}
		if j.Verdict.Forecast != "" {
			out.printf("%s", Wrap("  ahead    ", j.Verdict.Forecast))
		}
		if j.Verdict.Fix != "" {
			out.printf("%s", Wrap("  fix      ", j.Verdict.Fix))
			out.printf("%s", Wrap("  more     ", "sockwatch explain "+string(j.Verdict.Kind)))
		}
	}
	return out.err
}

func verdictLine(v verdict.Verdict) string {
	if v.Leak {
		return fmt.Sprintf("%s%s (confidence: %s)", leak, v.Kind, v.Confidence)
	}
	return string(v.Kind)
}

func lastSample(j observe.SubjectVerdict) verdict.Sample {
	return j.Series.Samples[len(j.Series.Samples)-1]
}

// now says what is there at each end.
func now(s verdict.Sample) string {
	var ends []string
	for _, end := range []struct {
		name   string
		counts socketstats.Counts
	}{{"client", s.Client.Counts}, {"server", s.Server.Counts}} {
		if states := end.counts.List(); len(states) > 0 {
			ends = append(ends, end.name+" "+strings.Join(states, ", "))
		}
	}
	return strings.Join(ends, "; ")
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func writeDiagnosisJSON(w io.Writer, d Diagnosis) error {
	worst := observe.Worst(d.Verdicts).Verdict
	j := diagnosisJSON{
		Schema: diagnosisSchema, Source: d.Source, DurationMS: d.Duration.Milliseconds(), Samples: d.Samples,
		Leak: worst.Leak, Kind: worst.Kind, Subjects: []subjectJSON{},
	}
	for _, of := range d.Verdicts {
		last := lastSample(of)
		j.Subjects = append(j.Subjects, subjectJSON{
			Name: of.Name, PID: of.PID, Client: last.Client.Counts, Server: last.Server.Counts, Verdict: of.Verdict,
		})
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(j)
}
