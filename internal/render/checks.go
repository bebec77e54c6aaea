package render

import (
	"slices"
	"time"

	"socketlab/internal/expect"
	"socketlab/internal/series"
	"socketlab/internal/words"
)

const checkSchema = "sockwatch.check/v2"

// Checked is the answer of processes that were held to limits, under one name. failed
// is what kept them from being watched to the end; nil if nothing did.
func Checked(name string, o *series.Observation, checks []Check, failed error) *Document {
	checks = slices.Clone(checks)
	ok := !slices.ContainsFunc(checks, Check.Failed)
	data := Object{{"schema", checkSchema}, {"ok", ok && failed == nil}, {"checks", slices.Clone(checks)}}
	if failed != nil {
		checks = append(checks, Check{Outcome: expect.Outcome{Text: "watched to the end"}, Error: failed.Error()})
		data.add("failed", failed.Error())
	}
	data.add("duration_ms", o.Duration.Milliseconds())
	data.add("samples", o.Cost.Samples)
	records := [][]string{{"check", "met", "got"}}
	for i := range checks {
		checks[i].Group, checks[i].Seconds = name, o.Duration.Seconds()
		records = append(records, []string{checks[i].Text, checks[i].Label(), checks[i].Got})
	}
	title := name + ": " + words.Plural(o.Cost.Samples, "sample") + " in " + o.Duration.Round(100*time.Millisecond).String()
	return &Document{Title: title, Data: data, Blocks: []Block{Part{title}, Checklist{Checks: checks}}, Records: records, Checks: checks}
}
