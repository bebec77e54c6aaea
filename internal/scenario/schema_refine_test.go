package scenario

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"socketlab/internal/metric"
	"socketlab/internal/socketstats"
)

// durationForm is what time.ParseDuration takes, without a sign.
const durationForm = `([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)`

// ownForms are the schemas of the types that have a way of their own to be
// written.
func ownForms() map[string]*jsonschema.Schema {
	return map[string]*jsonschema.Schema{
		"Duration": {
			Type: "string", Pattern: `^\+?(` + durationForm + `)+$`,
			Examples: []any{"20s", "500ms", "1m30s"},
		},
		"GoRange": goRangeForm(),
		"SweepValue": {
			Description: "A whole number, or a duration.",
			OneOf:       []*jsonschema.Schema{{Type: "integer", Minimum: number(1)}, {Type: "string", Pattern: `^\+?(` + durationForm + `)+$`}},
		},
		"Rate": {Type: "number", ExclusiveMinimum: number(0), Maximum: number(maxRate)},
		"Expectation": {
			Description: "METRIC OP VALUE: a figure of the run, and a number, a duration (for latencies) or another figure of the same side. Or verdict: KIND, what the side is found to be; fault stands for every one that has a severity. With go it holds for a range of Go versions.",
			OneOf:       []*jsonschema.Schema{{Type: "string", Pattern: expectationForm()}, verdictForm(), metricForm()},
			Examples:    []any{"requests.ok == requests.sent", "client.final.ESTABLISHED <= 2", "latency_ms.p99 <= 22s", "verdict != healthy"},
		},
	}
}

// goRangeForm is the schema of a range of Go versions.
func goRangeForm() *jsonschema.Schema {
	const bound = `\s*(>=|<) ?1\.\d+(\.\d+)?\s*`
	return &jsonschema.Schema{
		Type: "string", Pattern: "^" + bound + "(," + bound + ")*$",
		Examples: []any{">= 1.27", "< 1.27"},
	}
}

// refer gives the schema of such a type as a reference, or nil.
func refer(t reflect.Type) *jsonschema.Schema {
	if _, ok := ownForms()[t.Name()]; !ok {
		return nil
	}
	return &jsonschema.Schema{Ref: "#/$defs/" + t.Name()}
}

// verdictForm is the form verdict: KIND.
func verdictForm() *jsonschema.Schema {
	var kinds []any
	for _, k := range verdictWords() {
		kinds = append(kinds, k)
	}
	properties := jsonschema.NewProperties()
	properties.Set(VerdictMetric, &jsonschema.Schema{Enum: kinds})
	properties.Set(goKey, &jsonschema.Schema{Ref: "#/$defs/GoRange"})
	return &jsonschema.Schema{
		Type: "object", Properties: properties, Required: []string{VerdictMetric},
		AdditionalProperties: jsonschema.FalseSchema,
	}
}

// metricForm is the form metric: METRIC OP VALUE, for a range of Go versions.
func metricForm() *jsonschema.Schema {
	properties := jsonschema.NewProperties()
	properties.Set(metricKey, &jsonschema.Schema{Type: "string", Pattern: expectationForm()})
	properties.Set(goKey, &jsonschema.Schema{Ref: "#/$defs/GoRange"})
	return &jsonschema.Schema{
		Type: "object", Properties: properties, Required: []string{metricKey, goKey},
		AdditionalProperties: jsonschema.FalseSchema,
	}
}

func expectationForm() string {
	var states, counts, times []string
	for _, s := range socketstats.States() {
		states = append(states, s.String())
	}
	for _, m := range metric.All() {
		if m.Unit == metric.Milliseconds {
			times = append(times, regexp.QuoteMeta(m.Name))
		} else {
			counts = append(counts, regexp.QuoteMeta(m.Name))
		}
	}
	counts = append(counts, `requests\.errors\.\S+`, `servers\.[a-z0-9-]+\.(requests|connections)`, `process\.kinds\.[a-z_]+`, `values\.[a-z][a-z0-9_]*`, `kernel\.\w+`, `(client|server)\.(peak|final)\.(`+strings.Join(states, "|")+`|open|total)`)
	count, latency := "("+strings.Join(counts, "|")+")", "("+strings.Join(times, "|")+")"
	const op, figure = `\s+(==|!=|<=|>=|<|>)\s+`, `[0-9]+(\.[0-9]+)?([eE][0-9]+)?`
	verdicts := `verdict\s+(==|!=)\s+(` + strings.Join(verdictWords(), "|") + ")"
	return fmt.Sprintf(`^\s*(%s%s(%s|((faulty|fixed)\.)?%s)|%s%s((%s)+|((faulty|fixed)\.)?%s)|%s)\s*$`, count, op, figure, count, latency, op, durationForm, latency, verdicts)
}

// refine adds to a section what its Go type does not say: the bounds that
// check.go holds its values to, and comments in the words of a script.
func refine(section reflect.Type, s *jsonschema.Schema) {
	s.Description = inScriptWords(section, s.Description)
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		p := pair.Value
		p.Description = inScriptWords(section, p.Description)
		if b, ok := bounds[section.Name()+"."+pair.Key]; ok {
			p.Minimum = number(b[0])
			if len(b) > 1 {
				p.Maximum = number(b[1])
			}
		}
		if words := enums()[section.Name()+"."+pair.Key]; words != nil && p.Type == "array" {
			p.Items.Enum = words
		} else if words != nil {
			p.Enum = words
		}
		if section == reflect.TypeFor[Script]() && pair.Key == "implementation" {
			p.Enum, p.AnyOf = nil, []*jsonschema.Schema{{Enum: p.Enum}, {Pattern: `[/\\]`}}
		}
		if p.Type == "array" {
			p.MinItems = new(uint64(1))
		}
	}
	switch section.Name() {
	case "Script":
		s.Description = "One scenario: what it needs, how its server behaves, what load each side gets, and what each side must show."
		property(s, "id").Pattern = idForm.String()
		property(s, "title").Pattern = `\S`
	case "Server":
		var texts []string
		for _, p := range Protocols() {
			texts = append(texts, p.Name+" ("+p.Text+")")
		}
		property(s, "protocol").Description = "What the server speaks: " + strings.Join(texts, "; ") + ". Default: http."
	case "Fault":
		property(s, "kind").MinLength = new(uint64(1))
		property(s, "fix").MinLength = new(uint64(1))
	case "Telling":
		property(s, "say").Pattern = `^(.*[^.\s])$`
		property(s, "say").MaxLength = new(uint64(longestSay))
	case "Sweep":
		values := property(s, "values")
		values.MinItems, values.MaxItems = new(uint64(minSweep)), new(uint64(maxSweep))
		show := property(s, "show")
		show.MinItems, show.MaxItems = new(uint64(2)), new(uint64(2))
	case "Phase":
		s.OneOf = []*jsonschema.Schema{
			{Required: []string{"rate", "for"}}, {Required: []string{"burst"}}, {Required: []string{"pause"}},
		}
		s.DependentRequired = map[string][]string{
			"for": {"rate"}, "jitter_requests": {"rate"}, "repeat": {"burst", "every"}, "every": {"burst"},
		}
	}
}

var bounds = map[string][]float64{
	"Script.speed":                   {minSpeed, maxSpeed},
	"Script.max_speed":               {minSpeed, maxSpeed},
	"Script.min_speed":               {minSpeed, maxSpeed},
	"NetworkFault.bandwidth":         {0},
	"Client.send":                    {0, maxBody},
	"Client.max_idle_conns":          {0, maxRequests},
	"Client.max_idle_conns_per_host": {0, maxRequests},
	"Client.pool_size":               {0, maxRequests},
	"Phase.extra":                    {0, maxBurst},
	"Phase.burst":                    {1, maxBurst},
	"Phase.times":                    {1, maxBurst},
}

func enums() map[string][]any {
	var ids []any
	scripts, _ := filepath.Glob("../../scenarios/*/scenario.yaml")
	for _, path := range scripts {
		ids = append(ids, filepath.Base(filepath.Dir(path)))
	}
	var symptoms []any
	for _, s := range Symptoms() {
		symptoms = append(symptoms, s.Name)
	}
	return map[string][]any{
		"Script.requires":       {Loopback, Namespace},
		"Script.sort":           {Pair, Control, Measurement},
		"Script.implementation": ids,
		"Script.symptoms":       symptoms,
		"NetworkFault.firewall": {Drop, Reject, RejectHost, Reset},
		"NetworkFault.packets":  {PacketsNew, PacketsAll, PacketsFIN},
		"Server.protocol":       anys(protocolNames()),
		"Sweep.setting":         anys(Settings()),
	}
}

// propertyOf is the schema of a server's key.
func propertyOf(k *Key) *jsonschema.Schema {
	p := &jsonschema.Schema{}
	switch k.kind {
	case reflect.TypeFor[Duration]():
		p = refer(k.kind)
	case reflect.TypeFor[int]():
		p.Type, p.Minimum = "integer", number(float64(k.Min))
		if k.Max > 0 {
			p.Maximum = number(float64(k.Max))
		}
	case reflect.TypeFor[bool]():
		p.Type = "boolean"
	case reflect.TypeFor[string]():
		p.Type, p.Enum = "string", anys(k.OneOf)
	case reflect.TypeFor[[]string]():
		p.Type, p.MinItems, p.Items = "array", new(uint64(1)), &jsonschema.Schema{Type: "string", Enum: anys(k.OneOf)}
	default: // a list of sections
		p.Type, p.MinItems, p.Items = "array", new(uint64(1)), &jsonschema.Schema{Ref: "#/$defs/" + k.kind.Elem().Name()}
	}
	if !reflect.ValueOf(k.Default).IsZero() {
		p.Default = k.Default
	}
	text := k.describe(inScript)
	p.Description = fmt.Sprintf("%s%s. For %s.", strings.ToUpper(text[:1]), text[1:], strings.Join(k.Speakers(), ", "))
	return p
}

func anys[T any](values []T) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

func property(s *jsonschema.Schema, key string) *jsonschema.Schema {
	p, ok := s.Properties.Get(key)
	if !ok {
		panic("no key " + key)
	}
	return p
}

func number(n float64) json.Number { return json.Number(strconv.FormatFloat(n, 'f', -1, 64)) }

// inScriptWords puts the key in place of the Go field that a comment begins
// with, and one line in place of several.
func inScriptWords(section reflect.Type, comment string) string {
	comment = strings.Join(strings.Fields(comment), " ")
	name, rest, _ := strings.Cut(comment, " ")
	for i, key := range keysOf(section) {
		if section.Field(i).Name == name {
			return key + " " + rest
		}
	}
	return comment
}
