package recording_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// schemaFile is for programs that read recordings. It is generated from the types
// by: go test ./internal/recording -run Schema -update
const schemaFile = "../../docs/recording.schema.json"

var update = flag.Bool("update", false, "write the schema file")

// A change of any name in a recording changes the file, and so is seen.
func TestSchemaFileIsGeneratedFromTheTypes(t *testing.T) {
	t.Parallel()
	data, err := json.MarshalIndent(generateSchema(t), "", "  ")
	require.NoError(t, err)
	want := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(data)) + "\n"
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, []byte(want), 0o644))
	}
	got, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, want, string(got),
		"the form of a recording has changed: old recordings are refused if series.Schema changes, and are read otherwise. Run: go test ./internal/recording -run Schema -update")
}

// countsForm is that of [socketstats.Counts].
func countsForm() *jsonschema.Schema {
	number := func() *jsonschema.Schema { return &jsonschema.Schema{Type: "integer", Minimum: "0"} }
	properties := jsonschema.NewProperties()
	for _, s := range socketstats.States() {
		properties.Set(s.String(), number())
	}
	properties.Set("total", number())
	properties.Set("unowned", number())
	return &jsonschema.Schema{
		Type: "object", Properties: properties, Required: []string{"total"}, AdditionalProperties: jsonschema.FalseSchema,
		Description: "Sockets by state; a state that is absent has none. Of the unowned no process has a descriptor, those in TIME_WAIT aside.",
	}
}

func stateForm() *jsonschema.Schema {
	var states []any
	for _, s := range socketstats.States() {
		states = append(states, s.String())
	}
	return &jsonschema.Schema{Type: "string", Enum: states}
}

// generateSchema returns the schema of a line as the types have it.
func generateSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	reflector := &jsonschema.Reflector{
		Anonymous: true, // no address of its own that an editor would try to fetch
		Mapper: func(of reflect.Type) *jsonschema.Schema {
			switch of {
			case reflect.TypeFor[socketstats.Counts]():
				return countsForm()
			case reflect.TypeFor[socketstats.State]():
				return stateForm()
			}
			return nil
		},
	}
	require.NoError(t, reflector.AddGoComments("socketlab/internal/series", "../series"))
	require.NoError(t, reflector.AddGoComments("socketlab/internal/socketstats", "../socketstats"))
	schema := reflector.Reflect(&series.Event{})
	schema.Title = "a line of a " + series.Schema + " recording"
	names := goNames(reflect.TypeFor[series.Event](), map[reflect.Type]bool{})
	for _, d := range schema.Definitions {
		d.Description = strings.Join(strings.Fields(d.Description), " ")
		for p := d.Properties.Oldest(); p != nil; p = p.Next() {
			p.Value.Description = inJSONWords(p.Value.Description, names)
		}
	}
	event := schema.Definitions["Event"]
	event.Description = "One event: the first line is the header, and the last the end; a recording without one was cut off."
	for p := event.Properties.Oldest(); p != nil; p = p.Next() {
		event.OneOf = append(event.OneOf, &jsonschema.Schema{Required: []string{p.Key}})
	}
	return schema
}

// goNames are the Go names of all fields that a type has, with their JSON names.
func goNames(of reflect.Type, seen map[reflect.Type]bool) map[string]string {
	names := map[string]string{}
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return goNames(of.Elem(), seen)
	case reflect.Struct:
		if seen[of] || of == reflect.TypeFor[time.Time]() {
			return nil
		}
		seen[of] = true
		for i := range of.NumField() {
			f := of.Field(i)
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				names[f.Name] = name
			}
			for goName, name := range goNames(f.Type, seen) {
				names[goName] = name
			}
		}
	}
	return names
}

// inJSONWords puts the JSON name in place of the Go name that a comment begins
// with, or that cannot be an ordinary word, and one line in place of several.
func inJSONWords(comment string, names map[string]string) string {
	comment = strings.Join(strings.Fields(comment), " ")
	comment = regexp.MustCompile(`\[(?:\w+\.)*(\w+)\]`).ReplaceAllString(comment, "$1")
	comment = regexp.MustCompile(`\bnil\b`).ReplaceAllString(comment, "absent")
	first := true
	return regexp.MustCompile(`\w+`).ReplaceAllStringFunc(comment, func(word string) string {
		name, ok := names[word]
		if ok && (first || regexp.MustCompile(`[a-z][A-Z]`).MatchString(word)) {
			word = name
		}
		first = false
		return word
	})
}

func TestEveryNameOfASchemaIsExplainedAndInSnakeCase(t *testing.T) {
	t.Parallel()
	for name, d := range generateSchema(t).Definitions {
		for p := d.Properties.Oldest(); p != nil; p = p.Next() {
			require.Regexp(t, `^[a-z][a-z0-9]*(_[a-z0-9]+)*$`, p.Key, "%s.%s has no JSON name of its own", name, p.Key)
			require.NotRegexp(t, `[a-z][A-Z]|\[`, p.Value.Description, "%s.%s speaks Go", name, p.Key)
		}
	}
}

func compileSchema(t testing.TB) *validator.Schema {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	document, err := validator.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	compiler := validator.NewCompiler()
	require.NoError(t, compiler.AddResource("recording.schema.json", document))
	schema, err := compiler.Compile("recording.schema.json")
	require.NoError(t, err)
	return schema
}

// validate holds each line of a recording to the schema.
func validate(t testing.TB, schema *validator.Schema, data []byte) {
	t.Helper()
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	require.NotEmpty(t, lines)
	for _, line := range lines {
		value, err := validator.UnmarshalJSON(bytes.NewReader(line))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(value), "%s", line)
	}
}

// A recording of a real process, and recordings with every name that there is, have
// the form of the schema.
func TestRecordingsHaveTheFormOfTheSchema(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	validate(t, schema, lined(t, aRun(3)))
	validate(t, schema, lined(t, aWatch(3)))
	full := []series.Event{{Header: &series.Header{}}, {Moment: &series.Moment{}}, {End: &series.Ending{}}}
	for _, e := range []any{full[0].Header, full[1].Moment, full[2].End} {
		fill(reflect.ValueOf(e).Elem())
	}
	validate(t, schema, lined(t, full))

	source, err := socketstats.OpenSource(socketstats.Auto)
	require.NoError(t, err)
	defer source.Close()
	w, err := observe.New(t.Context(), source, series.Target{PIDs: []int32{int32(os.Getpid())}}, observe.Options{Details: true})
	require.NoError(t, err)
	defer w.Close()
	out := recording.Writer{Path: filepath.Join(t.TempDir(), "it.jsonl")}
	header := w.Header()
	out.Write(series.Event{Header: &header})
	for range 3 {
		m, err := w.Sample(t.Context())
		require.NoError(t, err)
		out.Write(series.Event{Moment: &m})
	}
	out.Write(series.Event{End: &series.Ending{Stopped: "interrupted"}})
	require.NoError(t, out.Close())
	data, err := os.ReadFile(out.Path)
	require.NoError(t, err)
	validate(t, schema, data)

	for name, line := range map[string]string{
		"nothing":           `{}`,
		"two in one":        `{"moment":{"at_ns":0,"took_ns":0,"subjects":[]},"end":{"duration_ns":1}}`,
		"an unknown name":   `{"end":{"duration_ns":1,"why":"?"}}`,
		"an unknown state":  strings.Replace(string(lined(t, aWatch(1)[1:2])), "ESTABLISHED", "ESTABLISHD", 1),
		"text for a number": `{"end":{"duration_ns":"1s"}}`,
		"a missing name":    `{"end":{}}`,
	} {
		value, err := validator.UnmarshalJSON(strings.NewReader(line))
		require.NoError(t, err)
		require.Error(t, schema.Validate(value), name)
	}
}
