//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInterruptedRunKeepsItsReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	page, picture, pages := filepath.Join(dir, "out.html"), filepath.Join(dir, "out.svg"), filepath.Join(dir, "pages")
	for _, report := range []string{page, pages} {
		args := []string{"--report", report}
		if report == page {
			args = append(args, "--svg", picture)
		}
		run, processes := startLongRun(t, args...)
		require.NoFileExists(t, report, "before the end there is nothing")
		require.NoError(t, run.cmd.Process.Signal(syscall.SIGINT))
		require.Equal(t, 130, run.end(t))
		requireGone(t, processes)
	}
	for _, file := range []string{page, filepath.Join(pages, "long.html")} {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(data), "The run ended early: what it should show was not judged.")
		require.Regexp(t, `connections opened</th><td class="number"><data value="[1-9]`, string(data))
	}
	index, err := os.ReadFile(filepath.Join(pages, "index.html"))
	require.NoError(t, err)
	require.Contains(t, string(index), "ended early: interrupted")
	require.FileExists(t, picture)
	left, err := filepath.Glob(filepath.Join(dir, ".sockwatch-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	info, err := os.Stat(page)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode().Perm(), "readable for a web server, too")
}

// A report that cannot be written takes nothing away from what is printed.
func TestReportThatCannotBeWrittenIsAnErrorBesideTheResult(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "out.html")
	run, processes := startLongRun(t, "--report", report)
	require.NoError(t, os.Mkdir(report, 0o755)) // somebody else's
	require.NoError(t, run.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 130, run.end(t))
	run.said(t, `keep the report: .*out\.html is a folder`)
	require.Contains(t, run.stdout.String(), "ended early: interrupted")
	requireGone(t, processes)
}
