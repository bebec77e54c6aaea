package scenario

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// schemaFile is for the editors of people who write scripts. It is generated
// from the types by: go test ./internal/scenario -run Schema -update
const schemaFile = "../../scenarios/scenario.schema.json"

func TestSchemaFileIsGeneratedFromTheTypes(t *testing.T) {
	data, err := json.MarshalIndent(generateSchema(t), "", "  ")
	require.NoError(t, err)
	want := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(data)) + "\n"
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, []byte(want), 0o644))
	}
	got, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "run: go test ./internal/scenario -run Schema -update")
}

func TestSchemaAcceptsEveryScriptOfTheCatalogue(t *testing.T) {
	scripts, err := filepath.Glob("../../scenarios/*/scenario.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(scripts), 9)
	schema := compileSchema(t)
	for _, path := range scripts {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, schema.Validate(decode(t, data)), path)
	}
}

// A folder of one's own is no id, and is not looked into by Parse: a recording keeps the
// script without it.
func TestImplementationMayBeAFolder(t *testing.T) {
	schema := compileSchema(t)
	absolute := filepath.Join(t.TempDir(), "mine")
	for path, want := range map[string]string{
		"./mine": filepath.Join("scripts", "mine"), "mine/": filepath.Join("scripts", "mine"), "../mine": "mine", absolute: absolute,
	} {
		text := []byte(good + "implementation: '" + path + "'\n")
		require.NoError(t, schema.Validate(decode(t, text)), path)
		for _, codes := range [][]string{{"my-incident"}, nil} {
			s, err := Parse(filepath.Join("scripts", "my.yaml"), text, codes)
			require.NoError(t, err)
			require.Equal(t, want, s.Folder)
			require.Empty(t, s.Implementation)
		}
	}
}

// Each change makes a good script bad; Parse and the schema both refuse it.
func TestSchemaRefusesWhatParseRefuses(t *testing.T) {
	schema := compileSchema(t)
	require.NoError(t, schema.Validate(decode(t, []byte(good))))
	change := func(before, after string) string { return strings.Replace(good, before, after, 1) }
	for name, text := range map[string]string{
		"unknown key":               good + "colour: blue\n",
		"unknown key in a section":  good + "server: {dealy: 20s}\n",
		"id missing":                change("id: my-incident\n", ""),
		"id with capitals":          change("my-incident", "My_Incident"),
		"title missing":             change("title: T\n", ""),
		"title empty":               change("title: T", `title: ""`),
		"title is a list":           change("title: T", "title: [T]"),
		"load missing":              change(load, ""),
		"load empty":                change(load, "load: []\n"),
		"requires unknown":          good + "requires: internet\n",
		"speed too low":             good + "speed: 0.001\n",
		"speed too high":            good + "speed: 1001\n",
		"fault without fix":         good + "fault: {kind: not-closed}\n",
		"unknown code":              good + "implementation: no-such-code\n",
		"duration without unit":     good + "server: {delay: 20}\n",
		"quoted duration":           good + "server: {delay: '20'}\n",
		"duration in words":         good + "server: {delay: 20 seconds}\n",
		"negative duration":         good + "server: {delay: -20s}\n",
		"protocol unknown":          good + "server: {protocol: smtp}\n",
		"fraction as whole number":  good + "server: {body: 2.5}\n",
		"body negative":             good + "server: {body: -1}\n",
		"status too high":           good + "server: {status: 600}\n",
		"no_response is a number":   good + "server: {no_response: 1}\n",
		"pool_size negative":        good + "client: {pool_size: -1}\n",
		"sweep over nothing":        good + "sweep: {setting: poolsize, values: [1, 2]}\n",
		"sweep from zero":           good + "sweep: {setting: pool_size, values: [0, 1]}\n",
		"sweep of one value":        good + "sweep: {setting: pool_size, values: [1]}\n",
		"rate zero":                 change("rate: 1", "rate: 0"),
		"rate negative":             change("rate: 1", "rate: -1"),
		"rate above the limit":      change("rate: 1", "rate: 5001"),
		"rate is text":              change("rate: 1", "rate: fast"),
		"phase with two kinds":      change("for: 10s", "for: 10s, burst: 5"),
		"phase with nothing":        change("rate: 1, for: 10s", ""),
		"rate without for":          change(", for: 10s", ""),
		"repeated without every":    change("rate: 1, for: 10s", "burst: 1, repeat: 2"),
		"burst too large":           change("rate: 1, for: 10s", "burst: 10001, every: 10s"),
		"expect missing":            change(expect, ""),
		"expect.faulty empty":       change("faulty: [requests.ok == 0]", "faulty: []"),
		"expect.fixed missing":      change("  fixed: [requests.ok == 10]\n", ""),
		"unknown metric":            change("requests.ok == 0", "requests.okay == 0"),
		"unknown state":             change("requests.ok == 0", "client.peak.ESTABLISHD == 0"),
		"operator unknown":          change("requests.ok == 0", "requests.ok = 0"),
		"latency with a number":     change("requests.ok == 0", "latency_ms.p99 <= 20"),
		"latency with a count":      change("requests.ok == 0", "latency_ms.p99 <= requests.ok"),
		"count with a duration":     change("requests.ok == 0", "requests.ok == 20s"),
		"negative count":            change("requests.ok == 0", "requests.ok == -5"),
		"verdict unknown":           change("requests.ok == 0", "verdict == no-such-kind"),
		"verdict unknown, as a key": change("requests.ok == 0", "{verdict: no-such-kind}"),
		"verdict and more":          change("requests.ok == 0", "{verdict: healthy, x: 1}"),
		"verdict with a range":      change("requests.ok == 0", "verdict >= healthy"),
		"expectation of two words":  change("requests.ok == 0", "requests.ok =="),
		"expectation without space": change("requests.ok == 0", "requests.ok==0"),
	} {
		t.Run(name, func(t *testing.T) {
			badError(t, text)
			require.Error(t, schema.Validate(decode(t, []byte(text))))
		})
	}
}

func TestEveryKeyOfTheSchemaIsExplainedToScriptAuthors(t *testing.T) {
	goNames := map[string]bool{}
	for _, section := range append(sections(), section()) {
		for i := range section.NumField() {
			if name := section.Field(i).Name; regexp.MustCompile(`[a-z][A-Z]`).MatchString(name) {
				goNames[name] = true
			}
		}
	}
	require.NotEmpty(t, goNames)
	keys := 0
	for name, definition := range generateSchema(t).Definitions {
		for pair := definition.Properties.Oldest(); pair != nil; pair = pair.Next() {
			keys++
			text := pair.Value.Description
			require.NotEmpty(t, text, "%s.%s", name, pair.Key)
			require.NotContains(t, text, "\n", "%s.%s", name, pair.Key)
			for _, word := range regexp.MustCompile(`\w+`).FindAllString(text, -1) {
				require.False(t, goNames[word], "%s.%s: %q is Go's word: %s", name, pair.Key, word, text)
			}
		}
	}
	want := section().NumField()
	for _, section := range sections() {
		for i := range section.NumField() {
			if section.Field(i).Tag.Get("yaml") != "-" {
				want++
			}
		}
	}
	require.Equal(t, want, keys)
}

// sections are the types whose fields are keys, but for Server.
func sections() []reflect.Type {
	types := []reflect.Type{
		reflect.TypeFor[Script](), reflect.TypeFor[Fault](), reflect.TypeFor[Says](), reflect.TypeFor[Client](), reflect.TypeFor[Phase](), reflect.TypeFor[Expect](),
		reflect.TypeFor[NetworkFault](), reflect.TypeFor[Sweep](), reflect.TypeFor[NarrationLine](),
	}
	for _, k := range Keys() {
		if !k.IsFlag() {
			types = append(types, k.kind.Elem())
		}
	}
	return types
}

// generateSchema returns the schema of a script as the types have it.
func generateSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	reflector := &jsonschema.Reflector{
		FieldNameTag: "yaml",
		Anonymous:    true, // no address of its own that an editor would try to fetch
		Mapper:       refer,
	}
	require.NoError(t, reflector.AddGoComments("socketlab/internal/scenario", "."))
	require.NoError(t, reflector.AddGoComments("socketlab/internal/server", "../server"))
	schema := reflector.Reflect(&Script{})
	schema.Title = "sockwatch script"
	maps.Copy(schema.Definitions, ownForms())
	for _, section := range sections() {
		maps.Copy(schema.Definitions, reflector.ReflectFromType(section).Definitions)
	}
	for _, section := range append(sections(), reflect.TypeFor[Server]()) {
		refine(section, schema.Definitions[section.Name()])
	}
	for _, k := range Keys() {
		schema.Definitions["Server"].Properties.Set(k.Name, propertyOf(k))
	}
	return schema
}

func compileSchema(t testing.TB) *validator.Schema {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	document, err := validator.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	compiler := validator.NewCompiler()
	require.NoError(t, compiler.AddResource("scenario.schema.json", document))
	schema, err := compiler.Compile("scenario.schema.json")
	require.NoError(t, err)
	return schema
}

// decode returns a YAML text as an editor's language server sees it.
func decode(t testing.TB, text []byte) any {
	t.Helper()
	var value any
	require.NoError(t, yaml.Unmarshal(text, &value))
	data, err := json.Marshal(value)
	require.NoError(t, err)
	out, err := validator.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	return out
}
