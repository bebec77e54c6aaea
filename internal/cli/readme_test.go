package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func readme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	return string(data)
}

func TestScriptInTheREADMEPlays(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(readme(t))
	require.NotNil(t, block)
	file := filepath.Join(t.TempDir(), "my-incident.yaml")
	require.NoError(t, os.WriteFile(file, []byte(block[1]), 0o644))
	out, err := exec.Command("sockwatch", "run", "-q", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// Commands that take long or need other terminals are read as far as their
// flags; the rest is in the other tests.
func TestCommandsInTheREADMEAreReal(t *testing.T) {
	t.Parallel()
	commands := regexp.MustCompile(`(?m)^\$ (sockwatch|slowserver|client-\w+)([^#\n]*)`).FindAllStringSubmatch(readme(t), -1)
	require.GreaterOrEqual(t, len(commands), 8)
	for _, c := range commands {
		args := append(strings.Fields(c[2]), "--help")
		out, err := exec.Command(c[1], args...).CombinedOutput()
		require.NoError(t, err, "%s %v: %s", c[1], args, out)
	}
	// --help stops before wrong flags are refused only if they come after it.
	require.Error(t, exec.Command("sockwatch", "list", "--no-such-flag", "--help").Run())
}

// The examples of commands that answer from what is in sockwatch work as they stand.
func TestExamplesOfHelpWork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh here")
	}
	dir := t.TempDir()
	profile, err := os.ReadFile("../../profiles/nginx.yaml")
	require.NoError(t, err)
	for _, command := range []string{"list", "show", "explain", "match", "size"} {
		help, err := exec.Command("sockwatch", command, "--help").Output()
		require.NoError(t, err)
		_, examples, _ := strings.Cut(string(help), "Examples:")
		lines := regexp.MustCompile(`(?m)^  (sockwatch `+command+`\b[^#\n]*)`).FindAllStringSubmatch(examples, -1)
		require.GreaterOrEqual(t, len(lines), 3, command)
		for _, example := range lines {
			if strings.Contains(example[1], "--play") {
				continue // takes a minute, and programs that are not here
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "mine.yaml"), profile, 0o644))
			cmd := exec.Command("sh", "-c", example[1])
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s: %s", example[1], out)
		}
	}
}
