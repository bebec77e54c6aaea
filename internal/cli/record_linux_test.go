package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// leaky is a client-faulty that opens a connection for each request, to a server
// of this test's, and never ends by itself.
func leaky(t *testing.T) *running {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "long.yaml")
	// Slowly: it ends when it has a quarter of the descriptors, and a test may wait for long.
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(longRun, "rate: 50", "rate: 15", 1)), 0o644))
	client := start(t, "client-faulty", "--url", server.URL, "--scenario", file)
	t.Cleanup(func() { end(client) }) // before the server waits for it
	return client
}

// endsWithTests are the attributes of a process that the kernel kills when the tests are
// gone, as after a timeout, in which no cleanup runs.
func endsWithTests() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// end kills a process that is still there.
func end(r *running) {
	if r.cmd.ProcessState == nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	}
}

// shows waits until a recording that is being written shows, of some subject each, these
// verdicts. A busy machine may start a client late: a number of samples says nothing of it.
func shows(t *testing.T, path string, kinds ...verdict.Kind) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, _ := recording.Read(context.Background(), path) // its last line may be half written
		if got == nil {
			return false
		}
		var live render.Live
		for _, e := range got.Events {
			live.Add(e)
		}
		seen := map[verdict.Kind]bool{}
		for _, p := range live.Snapshot(socketstats.Client).Panels {
			seen[p.Verdict.Kind] = true
		}
		return !slices.ContainsFunc(kinds, func(k verdict.Kind) bool { return !seen[k] })
	}, soon, 100*time.Millisecond)
}

func TestARecordingOfAKilledRecorderIsReadBack(t *testing.T) {
	t.Parallel()
	client, path := leaky(t), filepath.Join(t.TempDir(), "it.jsonl")
	recorder := start(t, "sockwatch", "record", "--pid", pidOf(client), "--interval", "50ms", "-o", path)
	shows(t, path, verdict.IdleConnectionsNotReused)
	require.NoError(t, recorder.cmd.Process.Kill())
	require.Equal(t, -1, recorder.end(t))

	data, err := os.ReadFile(path)
	require.NoError(t, err)
	whole := bytes.Count(data, []byte("\n"))
	got, err := recording.Read(t.Context(), path)
	if err != nil { // the last line was being written
		require.ErrorContains(t, err, "cut off")
		require.NotEqual(t, byte('\n'), data[len(data)-1])
	}
	o := got.Observation
	require.GreaterOrEqual(t, o.Cost.Samples, whole-1, "all but the first line are samples")
	require.False(t, o.Over)
	require.Positive(t, o.Duration)
	require.NotNil(t, o.Provenance)
	require.Contains(t, o.Provenance.Command, "sockwatch record --pid "+pidOf(client)+" --interval 50ms -o ")

	replay := start(t, "sockwatch", "replay", path)
	code := replay.end(t)
	require.Equal(t, map[bool]int{true: 3, false: 1}[err == nil], code)
	require.Contains(t, replay.stdout.String(), "LEAK: idle-connections-not-reused")
	require.Contains(t, replay.stdout.String(), fmt.Sprintf("%d samples in ", o.Cost.Samples))
}

func TestARecordingThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "no", "such", "folder.jsonl")
	recorder := start(t, "sockwatch", "record", "--no-children", "--pid", strconv.Itoa(os.Getpid()), "-o", path)
	require.Equal(t, 2, recorder.end(t), "it does not go on for nothing")
	recorder.said(t, `^sockwatch: -o: open .*folder\.jsonl: no such file`)
}

// Of what ends while it is looked at, what was seen is judged.
func TestDiagnoseOfAProcessThatEndsJudgesWhatWasSeen(t *testing.T) {
	t.Parallel()
	// ended is a diagnosis of a client that is killed when a text was said. On a starved
	// machine more is said before the client is gone: then it is another one's turn.
	ended := func(t *testing.T, interval, text string, tooLate func(said string) bool) (*running, int) {
		t.Helper()
		for again := 0; ; again++ {
			client := leaky(t)
			client.until(t, `.`)
			diagnose := start(t, "sockwatch", "diagnose", "--pid", pidOf(client), "--interval", interval)
			diagnose.until(t, text)
			require.NoError(t, client.cmd.Process.Kill())
			_ = client.cmd.Wait()
			code := diagnose.end(t)
			if again == 10 || !tooLate(strings.Join(diagnose.seen, "\n")) {
				return diagnose, code
			}
		}
	}
	t.Run("a leak", func(t *testing.T) {
		t.Parallel()
		// A verdict that is sure takes three seconds with these counts, and ends the diagnosis.
		diagnose, code := ended(t, "1s", `idle-connections-not-reused so far`, func(said string) bool {
			// A count may also come while the kernel closes the connections of the killed one.
			return !strings.Contains(said, "every watched process has ended") || strings.Contains(said, "withdrawn")
		})
		require.Equal(t, 3, code)
		diagnose.said(t, `^sockwatch: every watched process has ended$`)
		require.Contains(t, diagnose.stdout.String(), "LEAK: idle-connections-not-reused")
	})
	t.Run("too early", func(t *testing.T) {
		t.Parallel()
		diagnose, code := ended(t, "500ms", `not-enough-data so far`, func(said string) bool {
			return strings.Contains(said, "idle-connections-not-reused so far")
		})
		require.Equal(t, 1, code)
		diagnose.said(t, `^sockwatch: every watched process has ended$`)
		diagnose.said(t, `not enough was seen for a verdict`)
		require.Contains(t, diagnose.stdout.String(), "verdict  not-enough-data")
	})
}

// junitErrors reads a JUnit file.
func junitErrors(t *testing.T, path string) (tests, failures, errors int, message string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var got struct {
		Suite struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Cases    []struct {
				Error struct {
					Message string `xml:"message,attr"`
				} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(data, &got))
	for _, c := range got.Suite.Cases {
		message += c.Error.Message
	}
	return got.Suite.Tests, got.Suite.Failures, got.Suite.Errors, message
}

// startCheck starts a check that has counted once when this returns: it then
// says that a count takes long.
func startCheck(t *testing.T, pid string, args ...string) *running {
	t.Helper()
	check := start(t, "sockwatch", append([]string{"check", "--pid", pid, "--interval", "2ms", "--source", "gopsutil", "--for", "10m"}, args...)...)
	check.until(t, `sampling by gopsutil takes`)
	return check
}

func TestCheckOfAProcessThatEndsIsAnErrorInItsJUnitFile(t *testing.T) {
	t.Parallel()
	client, dir := leaky(t), t.TempDir()
	path := filepath.Join(dir, "sockets.xml")
	check := startCheck(t, pidOf(client), "--max-open", "100000", "--max-syn-sent", "100000", "--junit", path)
	require.NoError(t, client.cmd.Process.Kill())
	_ = client.cmd.Wait()
	require.Equal(t, 1, check.end(t))
	check.said(t, `^sockwatch: every watched process has ended after \d.*s of 10m0s$`)
	require.Contains(t, check.stdout.String(), "ok        at most 100000 open connections")
	tests, failures, errors, message := junitErrors(t, path)
	require.Equal(t, []int{3, 0, 1}, []int{tests, failures, errors})
	require.Contains(t, message, "every watched process has ended")
	onlyFiles(t, dir, "sockets.xml")
}

func TestAnInterruptedCheckSaysSoInItsJUnitFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "sockets.xml")
	check := startCheck(t, pidOf(asking(t)), "--max-open", "100000", "--junit", path)
	require.NoError(t, check.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 130, check.end(t))
	tests, failures, errors, message := junitErrors(t, path)
	require.Equal(t, []int{2, 0, 1}, []int{tests, failures, errors})
	require.Equal(t, "interrupted", message)
	onlyFiles(t, dir, "sockets.xml")
}

func onlyFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	require.ElementsMatch(t, want, got)
}

func TestTheJUnitFileIsReplacedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check := func(path string) int {
		return start(t, "sockwatch", "check", "--no-children", "--pid", strconv.Itoa(os.Getpid()), "--max-open", "100000", "--for", "1ms", "--junit", path).end(t)
	}
	old := filepath.Join(dir, "old.xml")
	require.NoError(t, os.WriteFile(old, []byte("old"), 0o600))
	require.Zero(t, check(old))
	tests, _, _, _ := junitErrors(t, old)
	require.Equal(t, 1, tests)

	// A folder cannot be replaced.
	folder := filepath.Join(dir, "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "full"), 0o755))
	require.Equal(t, 2, check(folder))
	require.DirExists(t, filepath.Join(folder, "full"))
	onlyFiles(t, dir, "old.xml", "folder")
}

// Were it replaced, root would lose /dev/null by naming it.
func TestTheJUnitFileMayBeAPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	r, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that neither end waits for the other
	require.NoError(t, err)
	defer r.Close()
	check := start(t, "sockwatch", "check", "--no-children", "--pid", strconv.Itoa(os.Getpid()), "--max-open", "100000", "--for", "1ms", "--junit", pipe)
	require.Zero(t, check.end(t))
	info, err := os.Lstat(pipe)
	require.NoError(t, err)
	require.Equal(t, os.ModeNamedPipe, info.Mode().Type(), "it is still one")
	require.NoError(t, r.SetReadDeadline(time.Now().Add(soon)))
	line, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "<?xml")
	onlyFiles(t, dir, "pipe")
}

// Whoever reads has had enough: sockwatch | head -1.
func TestAClosedStandardOutputEndsTheProgram(t *testing.T) {
	t.Parallel()
	client := leaky(t)
	client.until(t, `.`)
	for _, args := range [][]string{
		{"watch", "-o", "json"},
		{"watch"},
		{"diagnose", "--for", "1s", "-q"},
		{"diagnose", "--for", "1s", "-q", "-o", "json"},
		{"check", "--max-open", "100000", "--for", "500ms"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) { // not in parallel: the client would be gone by its turn
			cmd := exec.Command("sockwatch", append(args, "--pid", pidOf(client), "--interval", "50ms")...)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			watchdog := time.AfterFunc(soon, func() { _ = cmd.Process.Kill() })
			if args[0] == "watch" { // which has more to say
				line, err := bufio.NewReader(out).ReadString('\n')
				require.NoError(t, err)
				require.NotEmpty(t, line)
			}
			require.NoError(t, out.Close())
			require.Error(t, cmd.Wait())
			require.True(t, watchdog.Stop(), "it went on")
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			require.True(t, status.Signaled() && status.Signal() == syscall.SIGPIPE, "%v", cmd.ProcessState)
		})
	}
}
