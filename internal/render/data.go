package render

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"socketlab/internal/metric"
	"socketlab/internal/series"
)

// Object is a JSON object whose members keep their order. There is at least one.
type Object []Member

// Member is a name and its value in an [Object].
type Member struct {
	Name  string
	Value any
}

// MarshalJSON implements json.Marshaler.
func (o Object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	in := json.NewEncoder(&out)
	in.SetEscapeHTML(false)
	separator := byte('{')
	for _, m := range o {
		for _, part := range []any{m.Name, m.Value} {
			out.WriteByte(separator)
			if err := in.Encode(part); err != nil {
				return nil, err
			}
			separator = ':'
		}
		separator = ','
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// add appends a member, unless without says that it is to be left out.
func (o *Object) add(name string, value any, without ...bool) {
	if slices.Contains(without, true) {
		return
	}
	*o = append(*o, Member{name, value})
}

// set enters a value at a path, with an object for each step.
func (o *Object) set(path []string, value any) {
	if len(path) == 1 {
		o.add(path[0], value)
		return
	}
	for i := range *o {
		if in, ok := (*o)[i].Value.(*Object); ok && (*o)[i].Name == path[0] {
			in.set(path[1:], value)
			return
		}
	}
	in := &Object{}
	o.add(path[0], in)
	in.set(path[1:], value)
}

// data is the JSON of an observation. A comparison has a member for each side,
// faulty and fixed, all else a list of subjects. What is not known is absent.
func (o *Observed) data(schema string) Object {
	of := o.Observation
	d := Object{{"schema", schema}}
	d.add("scenario", o.ID(), o.Script == nil)
	d.add("title", of.Title)
	d.add("commands", of.Commands, of.Commands == nil)
	d.add("target", of.Target, of.Target == nil)
	if s := of.Scenario; s != nil {
		d.add("speed", s.Speed)
		d.add("seed", s.Seed)
	}
	d.add("go_version", of.GoVersion, of.GoVersion == "")
	d.add("source", of.Source)
	d.add("isolated", of.Isolated, of.Target != nil)
	_, _, pair := o.pair()
	if worst := o.Worst(); !pair && worst.Kind != "" {
		d.add("kind", worst.Kind)
		d.add("severity", worst.Severity, worst.Severity == "")
	}
	subjects := []Object{}
	for _, s := range o.subjects() {
		if pair {
			d.add(s.ID, o.subject(s))
		} else {
			subjects = append(subjects, o.subject(s))
		}
	}
	d.add("subjects", subjects, pair)
	if o.Script != nil {
		features := []Object{}
		for _, f := range o.Result.Features {
			one := Object{{"name", f.Name}}
			for _, s := range of.Subjects {
				one.add(s.ID, f.Of[s.ID])
			}
			features = append(features, one)
		}
		d.add("features", features)
		d.add("expectations", o.checks())
		d.add("ok", o.Result.OK)
	}
	d.add("stopped", of.Stopped, of.Stopped == "")
	d.add("duration_ms", of.Duration.Milliseconds())
	c, n := of.Cost, time.Duration(max(of.Cost.Samples, 1))
	d.add("sampler", Object{
		{"samples", c.Samples},
		{"interval_ms", millis(of.Interval)},
		{"took_ms", millis(c.Took / n)},
		{"longest_ms", millis(c.Longest)},
		{"cpu_ms", millis(c.CPU / n)},
	})
	d.add("provenance", of.Provenance, of.Provenance == nil)
	return d
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// subject is the JSON of one subject: its metrics, each at the place that its name
// says, and the verdict.
func (o *Observed) subject(s *series.Subject) Object {
	d := Object{{"id", s.ID}, {"name", s.Name}}
	d.add("pid", s.PID, s.PID == 0)
	d.add("namespace", s.Namespace, s.Namespace == "")
	d.add("container", s.Container, s.Container == "")
	d.addProgram(&s.Identity)
	if last := s.Last(); last != nil && last.Process != nil {
		d.add("kinds", last.Process.Kinds, last.Process.Kinds == nil)
	}
	d.add("samples", len(s.Samples))
	for _, v := range metric.Of(s) {
		d.set(strings.SplitN(v.Name, ".", 3), v.Value) // what a family is of, such as an error, may hold points
	}
	if f := s.Final; f != nil {
		d.add("stopped", f.Stopped, f.Stopped == "")
		d.add("failure", f.Failure, f.Failure == "")
	}
	v := o.Result.Verdicts[s.ID]
	d.add("verdict", v, v.Kind == "")
	d.add("holders", s.Holders, s.Holders == nil)
	return d
}

// recordsHeader is the first line of an observation as CSV.
var recordsHeader = []string{"observation", "subject", "metric", "value", "unit"}

// records has a line for each figure of each subject, named as in JSON.
func (o *Observed) records() (lines [][]string) {
	for _, s := range o.subjects() {
		add := func(name, value, unit string) {
			lines = append(lines, []string{o.ID(), s.ID, name, value, unit})
		}
		for _, v := range metric.Of(s) {
			add(v.Name, number(v.Value), string(v.Unit))
		}
		if v := o.Result.Verdicts[s.ID]; v.Kind != "" {
			add("verdict.kind", string(v.Kind), "text")
			add("verdict.severity", string(v.Severity), "text")
		}
		if s.Holders != nil {
			for _, g := range s.Holders.Groups {
				add("holders."+string(g.State)+"."+g.Site.Short(), strconv.Itoa(g.Count()), "count")
			}
		}
	}
	return lines
}
