package verdict_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"socketlab/internal/metric"
	"socketlab/internal/verdict"
)

var update = flag.Bool("update", false, "write what is generated from the rules")

const (
	pageFile   = "../../docs/verdict.md"
	schemaFile = "../../docs/verdict.schema.json"
	remake     = "run: go test ./internal/verdict -run Generated -update"
)

func TestTableOfTheKindsIsGeneratedFromTheRules(t *testing.T) {
	page, err := os.ReadFile(pageFile)
	require.NoError(t, err)
	const begin, end = "<!-- generated from the rules -->\n", "<!-- end of what is generated -->\n"
	before, rest, found := strings.Cut(string(page), begin)
	require.True(t, found, begin)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, end)
	generated(t, pageFile, before+begin+table()+end+after)
}

func TestSchemaIsGeneratedFromTheRules(t *testing.T) {
	data, err := json.MarshalIndent(generateSchema(t), "", "  ")
	require.NoError(t, err)
	generated(t, schemaFile, strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(data))+"\n")
}

func TestSchemaRefusesWhatNoRuleGives(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	for _, bad := range []string{
		`{}`,
		`{"kind": "no-such-kind", "growth_per_second": 0, "facts": []}`,
		`{"kind": "healthy", "growth_per_second": 0, "facts": [{"name": "no_such_fact"}]}`,
		`{"kind": "healthy", "growth_per_second": 0, "facts": [], "severity": "disaster"}`,
	} {
		document, err := validator.UnmarshalJSON(strings.NewReader(bad))
		require.NoError(t, err)
		require.Error(t, schema.Validate(document), bad)
	}
}

func generated(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(got), remake)
}

func table() string {
	var out strings.Builder
	out.WriteString("| kind | severity | recognised by | limits | needs |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range verdict.Rules() {
		var needs []string
		for _, n := range r.Needs {
			needs = append(needs, n.Name)
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s |\n", r.Kind, r.Severity, r.Recognised, r.Limits, strings.Join(needs, "; "))
	}
	return out.String()
}

func generateSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	enum := func(names ...any) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Enum: names} }
	own := map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[verdict.Kind]():       {},
		reflect.TypeFor[verdict.Severity]():   enum(verdict.Leak, verdict.Fault, verdict.Note),
		reflect.TypeFor[verdict.Confidence](): enum(verdict.Low, verdict.Medium, verdict.High),
		reflect.TypeFor[metric.Unit]():        enum(metric.Count, metric.Milliseconds, metric.Bytes, metric.PerSecond, verdict.Text),
	}
	facts := map[string]bool{"requests": true, "stopped": true, "ended": true, "restarts": true, "held_at": true, "asked_at": true}
	for _, r := range verdict.Rules() {
		kind := own[reflect.TypeFor[verdict.Kind]()]
		kind.OneOf = append(kind.OneOf, &jsonschema.Schema{Const: r.Kind, Title: r.Title, Description: r.Means})
		for name := range r.Sentences {
			facts[name] = true
		}
	}
	reflector := &jsonschema.Reflector{Anonymous: true, Mapper: func(t reflect.Type) *jsonschema.Schema {
		if _, ok := own[t]; ok {
			return &jsonschema.Schema{Ref: "#/$defs/" + t.Name()}
		}
		return nil
	}}
	require.NoError(t, reflector.AddGoComments("socketlab/internal/verdict", "."))
	schema := reflector.Reflect(&verdict.Verdict{})
	schema.Title = "sockwatch verdict"
	for of, definition := range own {
		schema.Definitions[of.Name()] = definition
	}
	name, _ := schema.Definitions["Fact"].Properties.Get("name")
	for _, fact := range slices.Sorted(maps.Keys(facts)) {
		name.Enum = append(name.Enum, fact)
	}
	what, _ := schema.Definitions["Forecast"].Properties.Get("what")
	what.Enum = []any{verdict.Descriptors, verdict.Ports}
	return schema
}

func compileSchema(t *testing.T) *validator.Schema {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	document, err := validator.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	compiler := validator.NewCompiler()
	require.NoError(t, compiler.AddResource("verdict.schema.json", document))
	schema, err := compiler.Compile("verdict.schema.json")
	require.NoError(t, err)
	return schema
}

func TestEveryRuleIsDocumented(t *testing.T) {
	t.Parallel()
	sentence := regexp.MustCompile(`^[A-Z{].*\.$`)
	for i, r := range verdict.Rules() {
		require.NotEmpty(t, r.Title, r.Kind)
		for _, text := range []string{r.Means, r.Recognised} {
			require.Regexp(t, sentence, text, r.Kind)
		}
		if r.Severity != "" {
			require.Regexp(t, sentence, r.Fix, r.Kind)
		}
		require.Equal(t, r.Severity != "", r.Fix != "", r.Kind)
		require.NotEmpty(t, r.Sentences, r.Kind)
		for name, template := range r.Sentences {
			require.Regexp(t, sentence, template, "%s: %s", r.Kind, name)
		}
		again, found := verdict.Lookup(r.Kind)
		require.True(t, found)
		require.Equal(t, r.Title, again.Title)
		require.Equal(t, r.Kind, verdict.Kinds()[i])
		file := "rule_" + strings.ReplaceAll(string(r.Kind), "-", "_")
		require.FileExists(t, file+".go")
		require.FileExists(t, file+"_test.go")
	}
	_, found := verdict.Lookup("no-such-kind")
	require.False(t, found)
}

func TestListOfTheKindsIsGeneratedFromTheRules(t *testing.T) {
	list := "package kind\n\n// Code generated from the rules by go test ./internal/verdict -run Generated -update. DO NOT EDIT.\n\n" +
		"// All lists the kinds in the order in which their rules are tried.\nfunc All() []Kind {\n\treturn []Kind{\n"
	for _, k := range verdict.Kinds() {
		list += fmt.Sprintf("\t\t%q,\n", k)
	}
	generated(t, "kind/list.go", list+"\t}\n}\n")
}
