package scenario

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/metric"
)

// The parts of docs/scripts.md between two comments are made from the declarations of
// protocols and keys, and from the table of metrics, by:
// go test ./internal/scenario -run Docs -update
func TestDocsListEveryProtocolKeyAndMetric(t *testing.T) {
	const file = "../../docs/scripts.md"
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	want := string(data)
	for from, made := range map[string]string{"the declarations in internal/server": serverTables(), "the table of internal/metric": metricTable(t)} {
		generated := regexp.MustCompile(`(?s)(<!-- generated: from ` + from + `, .*? -->\n).*?(<!-- end -->\n)`)
		require.True(t, generated.MatchString(want), "the comments around the generated part are gone")
		want = generated.ReplaceAllString(want, "${1}\n"+strings.ReplaceAll(made, "$", "$$")+"\n${2}")
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(data), "run: go test ./internal/scenario -run Docs -update")
}

// metricTable has a row for each name that a script may use.
func metricTable(t *testing.T) string {
	example := strings.NewReplacer("STATE", "ESTABLISHED", "KIND", "udp", "COUNTER", "OutRsts", "NAME", "name")
	var b strings.Builder
	b.WriteString("| metric | unit | is |\n| --- | --- | --- |\n")
	for _, name := range metric.Forms() {
		m, err := metric.Lookup(example.Replace(name))
		require.NoError(t, err)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, m.Unit, m.Meaning)
	}
	return b.String()
}

func serverTables() string {
	var b strings.Builder
	b.WriteString("| protocol | is |\n| --- | --- |\n")
	for _, p := range Protocols() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", p.Name, p.Text)
	}
	b.WriteString("\n| key | does | for |\n| --- | --- | --- |\n")
	quoted := func(key string) string { return "`" + key + "`" }
	for _, k := range Keys() {
		var has, lacks []string
		for _, p := range Protocols() {
			if slices.Contains(p.Keys, k) {
				has = append(has, quoted(p.Name))
			} else {
				lacks = append(lacks, quoted(p.Name))
			}
		}
		of := strings.Join(has, ", ")
		if len(lacks) == 1 {
			of = "all but " + lacks[0]
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, k.describe(quoted), of)
	}
	return b.String()
}
