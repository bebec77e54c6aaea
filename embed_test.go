package socketlab

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write embed.go anew")

// embed.go is made from what the programs import by: go test . -update
func TestSourcesAreAllThatTheProgramsNeed(t *testing.T) {
	t.Parallel()
	names := needed(t)
	var patterns strings.Builder
	for _, name := range names {
		fmt.Fprintf(&patterns, "//go:embed %s\n", name)
	}
	got, err := os.ReadFile("embed.go")
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(got), "//go:embed ")
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, "var Sources ")
	require.True(t, ok)
	want := before + patterns.String() + "var Sources " + after
	if *update {
		require.NoError(t, os.WriteFile("embed.go", []byte(want), 0o644))
		got = []byte(want)
	}
	require.Equal(t, want, string(got), "run: go test . -update")
	require.NoError(t, fs.WalkDir(Sources, ".", func(name string, _ fs.DirEntry, err error) error {
		require.NotRegexp(t, `_test\.go$`, name)
		return err
	}))
}

// noTest are patterns of which one matches the name of each file of Go that does not
// end with _test.go: so a new file changes nothing in embed.go.
var noTest = []string{"*[^t].go", "*[^s]t.go", "*[^e]st.go", "*[^t]est.go", "*[^_]test.go"}

// needed are the patterns of the files of which the programs are built, on any system.
func needed(t *testing.T) []string {
	t.Helper()
	root, err := os.Getwd()
	require.NoError(t, err)
	patterns := map[string]bool{"go.mod": true, "go.sum": true}
	for _, system := range []string{"linux", "darwin", "windows"} {
		list := exec.CommandContext(t.Context(), "go", append([]string{
			"list", "-deps", "-f", `{{with .Module}}{{if .Main}}{{$.Dir}}{{range $.EmbedPatterns}}|{{.}}{{end}}{{end}}{{end}}`,
		}, Programs()...)...)
		list.Env = append(os.Environ(), "GOOS="+system)
		out, err := list.Output()
		require.NoError(t, err)
		for line := range strings.Lines(string(out)) {
			dir, embedded, _ := strings.Cut(strings.TrimSpace(line), "|")
			if dir == "" {
				continue
			}
			dir, err = filepath.Rel(root, dir)
			require.NoError(t, err)
			dir = filepath.ToSlash(dir)
			if strings.HasPrefix(dir, "scenarios/") {
				patterns["scenarios/*/*.go"] = true
				continue
			}
			for _, name := range noTest {
				files, err := filepath.Glob(path.Join(dir, name))
				require.NoError(t, err)
				if len(files) > 0 { // one without a match does not compile
					patterns[path.Join(dir, name)] = true
				}
			}
			for _, pattern := range strings.FieldsFunc(embedded, func(r rune) bool { return r == '|' }) {
				patterns[path.Join(dir, pattern)] = true
			}
		}
	}
	for _, part := range []string{"scenarios/*/faulty.go", "scenarios/*/fixed.go"} { // the catalogue embeds its code
		delete(patterns, part)
	}
	return slices.Sorted(maps.Keys(patterns))
}
