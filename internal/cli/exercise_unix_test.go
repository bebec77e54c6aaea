//go:build unix

package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/exercises"
)

// started makes the folder of an exercise, and a folder for all that is temporary.
func started(t *testing.T, id string) (dir, temporary string) {
	t.Helper()
	if testing.Short() {
		t.Skip("plays real runs")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	dir, temporary = filepath.Join(t.TempDir(), "mine"), t.TempDir()
	out, err := exec.CommandContext(t.Context(), "sockwatch", "exercise", "start", id, dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir, temporary
}

// exerciseIn starts a command of exercises whose temporary files are in a folder. answer
// reads what it has written to standard output so far.
func exerciseIn(t *testing.T, temporary string, args ...string) (r *running, answer func() string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	r = start(t, "sh", append([]string{"-c", `export TMPDIR="$1"; out="$2"; shift 2; exec sockwatch exercise "$@" >"$out"`, "sh", temporary, out}, args...)...)
	return r, func() string {
		data, err := os.ReadFile(out)
		require.NoError(t, err)
		return string(data)
	}
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestCtrlCInACheckLeavesNothing(t *testing.T) {
	t.Parallel()
	dir, temporary := started(t, "health-check-runs-dry")
	check, _ := exerciseIn(t, temporary, "check", dir)
	check.until(t, "^playing health-check-runs-dry against ")
	require.NoError(t, check.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, 130, check.end(t))
	requireEmpty(t, temporary)
	state, err := os.ReadFile(filepath.Join(dir, ".exercise.json"))
	require.NoError(t, err)
	require.NotContains(t, string(state), "checks", "what was ended early is no check")
}

func TestEachSaveIsChecked(t *testing.T) {
	t.Parallel()
	dir, temporary := started(t, "health-check-runs-dry")
	watch, answered := exerciseIn(t, temporary, "watch", dir)
	watch.until(t, "^playing health-check-runs-dry against ")
	watch.until(t, "^Waiting until you save")
	require.Contains(t, answered(), "Not done yet")
	file := filepath.Join(dir, "client", "client.go")
	require.NoError(t, os.WriteFile(file, []byte("package client\n\nfunc New() { return 1 }\n"), 0o600))
	watch.until(t, "client/client.go:3:21: too many return values")
	watch.until(t, "^Waiting until you save")
	answer, err := exercises.Files.ReadFile("health-check-runs-dry/go/answer/client.go")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, answer, 0o600))
	saved := time.Now()
	watch.until(t, "^playing health-check-runs-dry against ")
	watch.until(t, "^Waiting until you save")
	t.Logf("the result came %s after the change was saved", time.Since(saved).Round(10*time.Millisecond))
	require.Contains(t, answered(), "Done: your code does all that was asked.")
	require.NoError(t, watch.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, 0, watch.end(t), "the last check passed")
	requireEmpty(t, temporary)
}

// processesOf starts the processes of a diagnosis.
func processesOf(t *testing.T, dir, temporary string) (*running, map[string]int) {
	t.Helper()
	run, answer := exerciseIn(t, temporary, "run", dir, "-o", "json")
	run.until(t, "^They run for 20m")
	var list struct {
		Processes []struct {
			Name    string
			PID     int
			Profile string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(answer()), &list))
	require.Len(t, list.Processes, 3)
	processes := map[string]int{}
	for _, p := range list.Processes {
		require.NotEmpty(t, p.Profile)
		require.True(t, alive(p.PID))
		processes[p.Name] = p.PID
	}
	return run, processes
}

func TestCtrlCEndsTheProcessesOfADiagnosis(t *testing.T) {
	t.Parallel()
	dir, temporary := started(t, "where-it-waits")
	run, processes := processesOf(t, dir, temporary)
	require.NoError(t, run.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, 0, run.end(t))
	requireGone(t, processes)
	requireEmpty(t, temporary)
}

func TestProcessesOfADiagnosisDoNotOutliveIt(t *testing.T) {
	t.Parallel()
	dir, temporary := started(t, "where-it-waits")
	run, processes := processesOf(t, dir, temporary)
	require.NoError(t, run.cmd.Process.Signal(syscall.SIGKILL))
	run.end(t)
	requireGone(t, processes)
}

func TestAGuessIsAskedForOnATerminal(t *testing.T) {
	t.Parallel()
	dir, temporary := started(t, "health-check-runs-dry")
	screen := inTmux(t, 110, 34, "TMPDIR="+temporary+" sockwatch exercise check "+dir)
	screen.until("Your guess (Enter: none):")
	screen.do("send-keys", "many", "Enter")
	screen.until("That is not a number.")
	screen.do("send-keys", "12", "Enter")
	screen.until("playing health-check-runs-dry against ")
	screen.until("Your guess for the starter was 12, and it came to")
	screen.until("code=3")
	requireEmpty(t, temporary)
}

// The picture has the sockets of both, and not what is wrong.
func TestThePictureOfAnExerciseDoesNotGiveItAway(t *testing.T) {
	t.Parallel()
	dir, temporary := started(t, "health-check-runs-dry")
	screen := inTmux(t, 110, 34, "TMPDIR="+temporary+" sockwatch exercise watch "+dir)
	screen.until("Your guess (Enter: none):")
	screen.press("Enter")
	picture := screen.until("CLOSE_WAIT", "starter", "yours")
	require.NotContains(t, picture, "Fix:")
	require.NotContains(t, picture, "exercise-client")
	require.NotContains(t, screen.until("Waiting until you save"), "Fix:")
}
