package prom

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

var update = flag.Bool("update", false, "write the generated files")

const deploy = "../../../deploy/"

// everything exports every metric that there is.
func everything(t *testing.T) prometheus.Gatherer {
	t.Helper()
	e := &Exporter{Most: 10}
	show(t, e, judged(process(1, 1, 1), leak()))
	s := judged(process(1, 1, 1), leak())
	s.Samples[0].Client.Activity = &socketstats.Activity{MaxPerDestination: 3}
	e.Show(&View{Subjects: []*Subject{s}, Unobserved: map[string]int{observe.NotPermitted: 1}, Counters: []observe.NamespaceCounters{{Namespace: 1}}, Newest: series.Moment{}})
	return e
}

// The list of metrics in the documentation is generated, too.
func TestDocumentationListsEveryMetric(t *testing.T) {
	t.Parallel()
	families, err := everything(t).Gather()
	require.NoError(t, err)
	table := "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n"
	common := map[string]bool{"process": true, "pid": true, "container": true, "pod": true, "namespace": true}
	for _, f := range families {
		var labels []string
		process := false
		for _, l := range f.GetMetric()[0].GetLabel() {
			if process = process || l.GetName() == "pid"; !common[l.GetName()] {
				labels = append(labels, "`"+l.GetName()+"`")
			}
		}
		if process {
			labels = append([]string{"process"}, labels...)
		}
		table += fmt.Sprintf("| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp())
	}
	const begin, end, path = "<!-- metrics -->\n", "<!-- end of metrics -->", "../../../docs/fleet.md"
	doc, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(doc), begin)
	require.True(t, ok)
	got, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(before+begin+table+end+after), 0o644))
		return
	}
	require.Equal(t, table, got, "run: go test ./internal/render/prom -run Documentation -update")
}

func TestDashboardIsGeneratedAndValid(t *testing.T) {
	t.Parallel()
	const path = deploy + "grafana/dashboard.json"
	want, err := dashboard()
	require.NoError(t, err)
	want = append(want, '\n')
	if *update {
		require.NoError(t, os.WriteFile(path, want, 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run: go test ./internal/render/prom -run Dashboard -update")
	schema, err := jsonschema.NewCompiler().Compile(deploy + "grafana/dashboard.schema.json")
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(got))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(value))
}

// ruleFile is the part of a file of rules that is looked at.
type ruleFile struct {
	Groups []struct {
		Rules []struct{ Record, Alert, Expr string }
	}
}

func rulesOf(t *testing.T) ruleFile {
	t.Helper()
	data, err := os.ReadFile(deploy + "prometheus/rules.yml")
	require.NoError(t, err)
	var f ruleFile
	require.NoError(t, yaml.Unmarshal(data, &f))
	return f
}

func TestQueriesNameMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	families, err := everything(t).Gather()
	require.NoError(t, err)
	known := map[string]bool{"up": true, "process_cpu_seconds_total": true, "process_resident_memory_bytes": true}
	for _, f := range families {
		known[f.GetName()] = true
	}
	queries := map[string]string{}
	for _, g := range rulesOf(t).Groups {
		for _, r := range g.Rules {
			known[r.Record] = true
			queries[r.Record+r.Alert] = r.Expr
		}
	}
	for _, row := range rows {
		for _, p := range row.panels {
			for _, q := range p.queries {
				queries[p.title+": "+q[0]] = q[0]
			}
		}
	}
	name := regexp.MustCompile(`\b(socketlab[a-z0-9_:]+|process_\w+|up)\b`)
	for where, query := range queries {
		found := name.FindAllString(query, -1)
		require.NotEmpty(t, found, where)
		for _, metric := range found {
			require.True(t, known[metric], "%s: no metric is called %s", where, metric)
		}
	}
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool (apt-get install prometheus)")
	}
	out, err := exec.Command(tool, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// Each alert has a test in which it fires, with another process or node that is healthy.
func TestAlertsFireOnWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	tests, err := os.ReadFile(deploy + "prometheus/rules_test.yml")
	require.NoError(t, err)
	for _, g := range rulesOf(t).Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				require.Regexp(t, `alertname: `+r.Alert+`\n\s+eval_time: \S+\n\s+exp_alerts:`, string(tests))
			}
		}
	}
	promtool(t, "check", "rules", deploy+"prometheus/rules.yml")
	promtool(t, "test", "rules", deploy+"prometheus/rules_test.yml")
	promtool(t, "check", "config", deploy+"prometheus/prometheus.yml")
}

// The parser of Prometheus reads the dashboard's queries as those of rules.
func TestDashboardQueriesParse(t *testing.T) {
	t.Parallel()
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var list []rule
	for _, row := range rows {
		for _, p := range row.panels {
			for _, q := range p.queries {
				list = append(list, rule{fmt.Sprintf("q%d", len(list)), q[0]})
			}
		}
	}
	data, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": list}}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	promtool(t, "check", "rules", file)
}

func TestAlertsExplainKindsThatThereAre(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(deploy + "prometheus/rules.yml")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`sockwatch explain ([a-z-]+)`).FindAllStringSubmatch(string(data), -1) {
		_, known := verdict.Lookup(verdict.Kind(m[1]))
		require.True(t, known, m[1])
	}
}
