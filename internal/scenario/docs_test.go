package scenario

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The part of docs/scripts.md between two comments is made from the declarations
// of protocols and keys by: go test ./internal/scenario -run Docs -update
func TestDocsListEveryProtocolAndKey(t *testing.T) {
	const file = "../../docs/scripts.md"
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	generated := regexp.MustCompile(`(?s)(<!-- generated: .*? -->\n).*?(<!-- end -->\n)`)
	require.True(t, generated.Match(data), "the comments around the generated part are gone")
	want := generated.ReplaceAllString(string(data), "${1}\n"+strings.ReplaceAll(serverTables(), "$", "$$")+"\n${2}")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(data), "run: go test ./internal/scenario -run Docs -update")
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
