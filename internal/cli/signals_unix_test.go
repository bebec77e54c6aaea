//go:build unix

package cli_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// longRun is a script that goes on far longer than any test, and leaks.
const longRun = `
id: long
title: goes on and on
implementation: transport-per-request
server: {delay: 200ms, idle_timeout: 120s}
load: [{rate: 50, for: 10m}]
sample_interval: 100ms
expect:
  faulty: [connections.reused == 0]
  fixed: [requests.failed == 0]
`

// running is a program under test, and what it has said on standard error.
type running struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	lines  chan string
	seen   []string
}

func start(t *testing.T, name string, args ...string) *running {
	t.Helper()
	r := &running{cmd: exec.Command(name, args...), lines: make(chan string, 10_000)}
	r.cmd.Stdout = &r.stdout
	r.cmd.SysProcAttr = endsWithTests()
	stderr, err := r.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, r.cmd.Start())
	go func() {
		defer close(r.lines)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			r.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		if r.cmd.ProcessState == nil {
			_ = r.cmd.Process.Kill()
			_ = r.cmd.Wait()
		}
	})
	return r
}

func pidOf(r *running) string { return strconv.Itoa(r.cmd.Process.Pid) }

// until waits for a line on standard error and returns its groups.
func (r *running) until(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(soon)
	for {
		select {
		case line, ok := <-r.lines:
			require.True(t, ok, "ended without %q; it said %q", pattern, r.seen)
			r.seen = append(r.seen, line)
			if m := re.FindStringSubmatch(line); m != nil {
				return m
			}
		case <-deadline:
			require.FailNow(t, "timeout", "no %q; it said %q", pattern, r.seen)
		}
	}
}

// end waits for the program's end and returns its exit code.
func (r *running) end(t *testing.T) int {
	t.Helper()
	for line := range r.lines {
		r.seen = append(r.seen, line)
	}
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

func (r *running) said(t *testing.T, pattern string) {
	t.Helper()
	for _, line := range r.seen {
		if regexp.MustCompile(pattern).MatchString(line) {
			return
		}
	}
	require.Fail(t, "not said", "%q is not in %q", pattern, r.seen)
}

// asking is a program of a test's own, with one connection to a server of the test's, which
// is there when this returns. Of the test process itself parallel tests open and close others.
func asking(t *testing.T) *running {
	t.Helper()
	var once sync.Once
	answered := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "hello")
		once.Do(func() { close(answered) })
	}))
	t.Cleanup(server.Close)
	client := start(t, asksAgain, server.URL) // its cleanup comes first
	select {
	case <-answered:
	case <-time.After(soon):
		require.FailNow(t, "it asks nothing")
	}
	return client
}

func startLongRun(t *testing.T, args ...string) (run *running, processes map[string]int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "long.yaml")
	require.NoError(t, os.WriteFile(file, []byte(longRun), 0o644))
	run = start(t, "sockwatch", append([]string{"run", file}, args...)...)
	processes = map[string]int{}
	for _, side := range []string{"faulty", "fixed"} {
		m := run.until(t, `^  `+side+` +server .*\(process (\d+)\), client process (\d+)`)
		for i, name := range []string{"server", "client"} {
			pid, err := strconv.Atoi(m[i+1])
			require.NoError(t, err)
			processes[side+" "+name] = pid
		}
	}
	run.until(t, `faulty: opened [1-9]`)
	for i, pid := range supervisors(run.cmd.Process.Pid) {
		processes["supervisor "+strconv.Itoa(i)] = pid
	}
	return run, processes
}

// supervisors are the processes that hold the namespaces of a run, if it is
// isolated.
func supervisors(run int) []int {
	var pids []int
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		status, _ := os.ReadFile(folder + "/status")
		command, _ := os.ReadFile(folder + "/cmdline")
		if bytes.Contains(status, []byte("\nPPid:\t"+strconv.Itoa(run)+"\n")) && bytes.HasSuffix(command, []byte("\x00supervise-namespace\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(folder))
			pids = append(pids, pid)
		}
	}
	return pids
}

func alive(pid int) bool {
	// A process that ended and was not waited for is still there to signal 0.
	state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err == nil {
		after := state[bytes.LastIndexByte(state, ')')+1:]
		return !bytes.HasPrefix(bytes.TrimSpace(after), []byte("Z"))
	}
	return syscall.Kill(pid, 0) == nil
}

func requireGone(t *testing.T, processes map[string]int) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, pid := range processes {
			if alive(pid) {
				return false
			}
		}
		return true
	}, soon, 10*time.Millisecond, "a process of the run is left: %v", processes)
}

func TestInterruptedRunPrintsWhatItHas(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]syscall.Signal{"interrupt": syscall.SIGINT, "terminate": syscall.SIGTERM, "hang up": syscall.SIGHUP, "quit": syscall.SIGQUIT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(sig) {
				t.Skipf("%s is ignored here, as under nohup, and so by what is started", sig)
			}
			record := filepath.Join(t.TempDir(), "run.jsonl")
			run, processes := startLongRun(t, "--record", record)
			require.NoError(t, run.cmd.Process.Signal(sig))
			require.Equal(t, 130, run.end(t))
			require.Regexp(t, `(?m)^│ connections opened +│ [1-9]`, run.stdout.String())
			require.Equal(t, 1, strings.Count(run.stdout.String(), "interrupted"), "it is said once")
			require.Contains(t, run.stdout.String(), "ended early: interrupted")
			lines, err := os.ReadFile(record)
			require.NoError(t, err)
			require.Regexp(t, `\n{"end":.*"stopped":"interrupted".*}\n$`, string(lines))
			run.said(t, `^sockwatch: long: interrupted$`)
			requireGone(t, processes)
		})
	}
}

func TestNoProcessOutlivesAKilledRun(t *testing.T) {
	t.Parallel()
	run, processes := startLongRun(t)
	require.NoError(t, run.cmd.Process.Kill())
	run.end(t)
	requireGone(t, processes)
}

func TestDeathInMidRunIsAnErrorAndKeepsWhatWasSeen(t *testing.T) {
	t.Parallel()
	for _, victim := range []string{"faulty server", "fixed server", "faulty client", "fixed client"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			record := filepath.Join(t.TempDir(), "run.jsonl")
			run, processes := startLongRun(t, "--record", record)
			require.NoError(t, syscall.Kill(processes[victim], syscall.SIGKILL))
			require.Equal(t, 1, run.end(t))
			side, kind := victim[:len(victim)-7], victim[len(victim)-6:]
			run.said(t, `^sockwatch: long: the `+kind+` of the `+side+` side \(process \d+\) ended in mid-run: signal: killed$`)
			require.Regexp(t, `(?m)^│ connections opened +│ [1-9]`, run.stdout.String())
			data, err := os.ReadFile(record)
			require.NoError(t, err)
			require.Contains(t, string(data), `{"moment":`)
			require.Contains(t, string(data), `{"end":`)
			requireGone(t, processes)
		})
	}
}

func TestLeakIsStoppedAtItsShareOfTheDescriptorLimit(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "long.yaml")
	// Slowly, so that there are enough samples for a verdict on a busy machine, too.
	slowly := strings.Replace(longRun, "rate: 50", "rate: 15", 1)
	require.NoError(t, os.WriteFile(file, []byte(slowly), 0o644))
	run := start(t, "sh", "-c", `ulimit -n 256 && exec sockwatch run "$0" -o json`, file)
	require.Equal(t, 3, run.end(t))
	run.said(t, `stopped: the client of the faulty side holds \d+ descriptors, the most this run may take is 64: a quarter of the descriptor limit of 256, which ulimit -n raises$`)
	require.Contains(t, run.stdout.String(), `"kind": "idle-connections-not-reused"`)
}

func TestSlowserverDrainsOnSIGTERM(t *testing.T) {
	t.Parallel()
	server := start(t, "sh", "-c", `exec slowserver --listen 127.0.0.1:0 --delay 2s --report-every 50ms --source auto 1>&2`)
	addr := server.until(t, `^listening on (127\.0\.0\.1:\d+)$`)[1]
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	server.until(t, `in_progress=1 `)
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGTERM))
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Contains(t, string(answer), "HTTP/1.1 200 OK")
	require.Zero(t, server.end(t))
	server.said(t, `^1 request on 1 connection: 1 answered, 0 abandoned, 0 cut off$`)
}
