//go:build unix

package tui

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
)

// helper says what a copy of this test, in a terminal, is to do.
const helper = "LIVE_TEST_HELPER"

// TestRestoreHelper is what TestTerminalIsRestoredAfterAPanic runs.
func TestRestoreHelper(t *testing.T) {
	terminal := NewTerminal(os.Stderr, os.Stderr, os.Stdin)
	switch os.Getenv(helper) {
	case "":
		t.Skip("a part of another test")
	case "view":
		s := terminal.newShow(nil, Controls{}) // no face: the view panics
		terminal.begin(s)
		s.enter(series.Event{})
		<-s.gone
		plain := Plain(os.Stderr, false)
		for _, e := range watched(1) { // the watch goes on, as lines
			if !s.enter(e) {
				plain(e)
			}
		}
		terminal.end(s)
	case "watcher":
		show, end := terminal.Show(Controls{})
		defer end()
		for _, e := range watched(1)[:2] {
			show(e)
		}
		panic("a fault of the watcher")
	case "signals":
		first := make(chan os.Signal, 1)
		signal.Notify(first, syscall.SIGTERM)
		show, _ := terminal.Show(Controls{})
		show(watched(1)[0])
		fmt.Fprintf(terminal, "process %d", os.Getpid())
		<-first
		signal.Stop(first) // as the programs do
		fmt.Fprint(terminal, "it takes its time")
		select {}
	case "signals at a line":
		first := make(chan os.Signal, 1)
		signal.Notify(first, syscall.SIGTERM)
		news := make(chan string, 1)
		go func() {
			news <- fmt.Sprintf("process %d", os.Getpid())
			<-first
			signal.Stop(first)
			news <- "it takes its time"
		}()
		_ = terminal.Wait(context.Background(), "a line", news, func() {})
		select {} // the signal's exit code is asked for, and not that of a test that ends
	}
}

// newTmux returns what runs a command of a tmux server of the test's own, and returns its output.
func newTmux(t *testing.T) func(args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux here: apt-get install tmux")
	}
	socket := filepath.Join(t.TempDir(), "s")
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", socket, "kill-server").Run() })
	return func(args ...string) string {
		out, err := exec.Command("tmux", append([]string{"-u", "-S", socket}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
}

// A second signal ends the process at once, also while a view is shown.
func TestTerminalIsRestoredAfterASecondSignal(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	for _, what := range []string{"signals", "signals at a line"} {
		tmux := newTmux(t)
		until := func(pattern string) (found []string) {
			require.Eventually(t, func() bool {
				found = regexp.MustCompile(pattern).FindStringSubmatch(tmux("capture-pane", "-p"))
				return found != nil
			}, time.Minute, 100*time.Millisecond)
			return found
		}
		tmux("-f", os.DevNull, "new-session", "-d", "-x", "100", "-y", "40",
			"sh", "-c", "GORACE=log_path="+filepath.Join(t.TempDir(), "race")+" "+helper+"='"+what+"' "+self+" -test.run TestRestoreHelper; echo code=$?; stty -a; exec cat")
		pid := until(`process (\d+)`)[1]
		require.NoError(t, exec.Command("kill", "-TERM", pid).Run())
		until("it takes its time")
		require.NoError(t, exec.Command("kill", "-TERM", pid).Run())
		until("code=130")
		until(" icanon ")
		until(" echo ")
		require.Equal(t, "1 0", strings.TrimSpace(tmux("display-message", "-p", "#{cursor_flag} #{alternate_on}")), what)
	}
}

func TestTerminalIsRestoredAfterAPanic(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	for what, said := range map[string]string{"view": "Caught panic", "watcher": "a fault of the watcher"} {
		tmux := newTmux(t)
		// After a panic bubbletea v2.1.1 closes its reader while that still reads, which
		// the race detector reports: not on this screen.
		race := "GORACE=log_path=" + filepath.Join(t.TempDir(), "race")
		tmux("-f", os.DevNull, "new-session", "-d", "-x", "100", "-y", "40",
			"sh", "-c", race+" "+helper+"="+what+" "+self+" -test.run TestRestoreHelper; stty -a; exec cat")
		require.Eventually(t, func() bool {
			screen := tmux("capture-pane", "-p")
			return strings.Contains(screen, " icanon ") && strings.Contains(screen, " echo ")
		}, time.Minute, 100*time.Millisecond)
		require.Equal(t, "1 0", strings.TrimSpace(tmux("display-message", "-p", "#{cursor_flag} #{alternate_on}")))
		everything := tmux("capture-pane", "-p", "-S", "-")
		require.Contains(t, everything, said)
		if what == "view" {
			require.Contains(t, everything, "15:04:39  client (10): client")
		}
	}
}
