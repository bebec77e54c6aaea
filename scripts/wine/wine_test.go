// Package wine runs the Windows programs under Wine, and holds what they print to
// what the programs of this system print. scripts/windows prepares what it needs.
package wine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What scripts/windows says: Wine's command, and the folder of the programs, those
// for Windows and those for this system.
var (
	command = os.Getenv("WINE")
	folder  = os.Getenv("PROGRAMS")
)

func TestMain(m *testing.M) {
	if command == "" || folder == "" {
		fmt.Println("skipped: scripts/windows runs this")
		return
	}
	os.Exit(m.Run())
}

// most is the longest that any program here may take.
const most = 2 * time.Minute

// result is what a program printed, and its exit code.
type result struct {
	stdout, stderr string
	code           int
}

// windows runs a program of Windows to its end.
func windows(t *testing.T, program string, args ...string) result {
	t.Helper()
	return run(t, command, append([]string{filepath.Join(folder, program+".exe")}, args...)...)
}

// native runs the same program of this system.
func native(t *testing.T, program string, args ...string) result {
	t.Helper()
	return run(t, filepath.Join(folder, program), args...)
}

func run(t *testing.T, name string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 10 * time.Second // Wine's server may have been started by it, and keep its pipes
	err := cmd.Run()
	require.NoError(t, ctx.Err(), "%q did not end within %s; it said %s", args, most, &stderr)
	var exit *exec.ExitError
	if !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		require.NoError(t, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// running is a program of Windows under way.
type running struct {
	cmd   *exec.Cmd
	lines chan string // what it prints; closed at its end
	said  []string
}

// begin starts a program of Windows, which ends with the test at the latest.
func begin(t *testing.T, program string, args ...string) *running {
	t.Helper()
	r := &running{
		cmd:   exec.Command(command, append([]string{filepath.Join(folder, program+".exe")}, args...)...),
		lines: make(chan string, 10_000),
	}
	out, err := r.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, r.cmd.Start())
	go func() {
		defer close(r.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			r.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() { r.kill(t) })
	return r
}

// says waits for a line on standard error, and returns its groups.
func (r *running) says(t *testing.T, pattern string) []string {
	t.Helper()
	late := time.After(most)
	for {
		select {
		case line, ok := <-r.lines:
			require.True(t, ok, "ended without %s; it said %q", pattern, r.said)
			r.said = append(r.said, line)
			if m := regexp.MustCompile(pattern).FindStringSubmatch(line); m != nil {
				return m
			}
		case <-late:
			require.FailNow(t, "timeout", "no %s; it said %q", pattern, r.said)
		}
	}
}

// kill ends the program by force, and waits until it is gone.
func (r *running) kill(t *testing.T) {
	t.Helper()
	if r.cmd.ProcessState != nil {
		return
	}
	require.NoError(t, r.cmd.Process.Kill())
	for range r.lines { // until its end: what it started does not have this pipe
	}
	_ = r.cmd.Wait() // it was killed
}

// leaking is a script whose faulty side opens a connection a second. There are few,
// and the test that observes them is the first: Wine looks for the owner of each
// socket, also of those in TIME_WAIT, among the descriptors of all processes.
const leaking = `
id: leaking
title: opens a connection for each request
implementation: transport-per-request
server: {delay: 50ms, idle_timeout: 10m}
load: [{rate: 1, for: 10m}]
sample_interval: 1s
expect:
  faulty: [connections.reused == 0]
  fixed: [requests.failed == 0]
`

// The programs are found in their folder although nobody says .exe, and are
// observed by their names. Those of a run end with it, however it ends.
func TestWatchAndDiagnoseSeeTheLeakOfARun(t *testing.T) {
	script := filepath.Join(t.TempDir(), "leaking.yaml")
	require.NoError(t, os.WriteFile(script, []byte(leaking), 0o644))
	run := begin(t, "sockwatch", "run", script, "--program-dir", folder)
	port := run.says(t, `^  faulty server 127\.0\.0\.1:(\d+) \(process \d+\), client process (\d+)`)
	run.says(t, `faulty: opened [1-9]`)

	got := windows(t, "sockwatch", "watch", "--port", port[1], "--for", "2s", "-o", "json")
	require.Zero(t, got.code, got.stderr)
	samples := 0
	for lines := json.NewDecoder(strings.NewReader(got.stdout)); ; {
		var event struct {
			Moment *struct {
				Subjects []struct {
					Identity       *struct{ PID int }
					Client, Server struct{ Counts map[string]int }
				}
			}
		}
		err := lines.Decode(&event)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, got.stdout)
		if event.Moment == nil {
			continue
		}
		samples++
		require.NotEmpty(t, event.Moment.Subjects, got.stdout)
		client := event.Moment.Subjects[0]
		if samples == 1 {
			require.Contains(t, got.stdout, `"name":"client-faulty (`+port[2]+`)"`)
			require.Equal(t, port[2], strconv.Itoa(client.Identity.PID))
		}
		require.NotZero(t, client.Client.Counts["ESTABLISHED"])
		require.NotZero(t, client.Server.Counts["ESTABLISHED"])
		require.Zero(t, client.Client.Counts["TIME_WAIT"])
	}
	require.NotZero(t, samples)

	got = windows(t, "sockwatch", "diagnose", "--pid", port[2], "--interval", "1s", "--for", "30s")
	require.Equal(t, 3, got.code, "%s%s", got.stdout, got.stderr)
	require.Contains(t, got.stdout, "client-faulty")
	require.Contains(t, got.stdout, "connection-growth")
	require.NotContains(t, got.stdout, "healthy")

	run.kill(t)
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port[1])
		if err != nil {
			return errors.Is(err, syscall.ECONNREFUSED)
		}
		_ = conn.Close()
		return false
	}, most, 50*time.Millisecond, "the server outlives its run")
	got = windows(t, "sockwatch", "watch", "--pid", port[2], "--for", "1s")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "no such process")
}

func TestVersion(t *testing.T) {
	for _, program := range []string{"sockwatch", "slowserver", "client-faulty", "client-fixed"} {
		got := windows(t, program, "--version")
		require.Zero(t, got.code, got.stderr)
		require.Equal(t, native(t, program, "--version").stdout, got.stdout)
	}
}

// ofThisSystem is the command of a lesson that is of Windows alone.
var ofThisSystem = regexp.MustCompile("(?s)\nOn this system \\(windows\\):\n\n```console\n.*?```\n")

func TestListAndShowPrintTheSameAsHere(t *testing.T) {
	for _, args := range [][]string{{"list"}, {"list", "-o", "json"}, {"show", "transport-per-request"}, {"explain", "close-wait-leak"}} {
		got := windows(t, "sockwatch", args...)
		require.Zero(t, got.code, got.stderr)
		want := native(t, "sockwatch", args...)
		if args[0] == "show" {
			require.Regexp(t, ofThisSystem, got.stdout)
		}
		require.Equal(t, want.stdout, ofThisSystem.ReplaceAllString(got.stdout, ""), args)
		require.NotEmpty(t, got.stdout)
	}
	require.Equal(t, 2, windows(t, "sockwatch", "show", "no-such-scenario").code)
	require.Equal(t, 2, windows(t, "sockwatch", "no-such-command").code)
}

// table is the rows of a run's last table: by label, the faulty side's cell and
// the fixed side's.
type table map[string][2]string

func tableOf(stdout string) table {
	rows := table{}
	label := ""
	for line := range strings.Lines(stdout) {
		cells := strings.Split(strings.TrimSpace(line), "│")
		if len(cells) != 5 {
			continue
		}
		if l := strings.TrimSpace(cells[1]); l != "" {
			label = l
		}
		row := rows[label]
		for side := range row { // a cell may go on in the next line
			row[side] += strings.TrimSpace(cells[2+side])
		}
		rows[label] = row
	}
	return rows
}

// final is how many sockets a side had at the end, of a row with peak / final. A
// state that was never seen has no row.
func (rows table) final(t *testing.T, label string, side int) int {
	t.Helper()
	row, ok := rows[label]
	if !ok {
		return 0
	}
	_, final, ok := strings.Cut(row[side], " / ")
	require.True(t, ok, "%s: %q", label, row)
	n, err := strconv.Atoi(final)
	require.NoError(t, err, label)
	return n
}

func (rows table) number(t *testing.T, label string, side int) int {
	t.Helper()
	require.Contains(t, rows, label)
	n, err := strconv.Atoi(rows[label][side])
	require.NoError(t, err, label)
	return n
}

// The figures of the fixed side's connections differ from run to run, here too:
// whether one is free when a request is due is a matter of microseconds. So do
// peaks, latencies, trends and what a process uses.
func TestDemoEndsWithTheTableOfLinux(t *testing.T) {
	const faulty, fixed = 0, 1
	here, there := native(t, "sockwatch", "demo"), windows(t, "sockwatch", "demo")
	require.Zero(t, here.code, here.stderr)
	require.Zero(t, there.code, there.stderr)
	want, got := tableOf(here.stdout), tableOf(there.stdout)

	for _, label := range []string{"requests sent", "requests ok", "requests failed", "requests in flight", "verdict"} {
		require.Contains(t, want, label)
		require.Equal(t, want[label], got[label], label)
	}
	for _, label := range []string{
		"connections opened", "connections reused", "persistent connections", "idle handling", "closes on error",
	} {
		require.Contains(t, want, label)
		require.Equal(t, want[label][faulty], got[label][faulty], "%s, faulty", label)
	}
	states := map[string]bool{}
	for _, rows := range []table{want, got} {
		for label, row := range rows {
			if strings.Contains(row[faulty], " / ") && (strings.HasPrefix(label, "client ") || strings.HasPrefix(label, "server ")) {
				states[label] = true
			}
		}
	}
	require.Contains(t, states, "client ESTABLISHED")
	require.Contains(t, states, "server LISTEN")
	for label := range states {
		require.Equal(t, want.final(t, label, faulty), got.final(t, label, faulty), "%s at the end, faulty", label)
		if label != "client TIME_WAIT" && label != "client total" {
			require.Equal(t, want.final(t, label, fixed), got.final(t, label, fixed), "%s at the end, fixed", label)
		}
	}
	for _, rows := range []table{want, got} {
		sent, opened := rows.number(t, "requests sent", fixed), rows.number(t, "connections opened", fixed)
		require.Equal(t, sent, opened+rows.number(t, "connections reused", fixed))
		require.Less(t, opened, sent/2)
		// The client closed all but one, which the server closed.
		require.Equal(t, opened-1, rows.final(t, "client TIME_WAIT", fixed))
	}
	require.Contains(t, there.stdout, "counted by iphlpapi")
}

// Each checks its own figures: exit code 0 says that all expectations were met.
func TestScenariosShowWhatTheyExpect(t *testing.T) {
	for _, id := range []string{"error-body-not-closed", "pool-checkout-leak", "dial-per-query", "stale-pool-after-restart", "http2-pinned-behind-balancer"} {
		t.Run(id, func(t *testing.T) {
			got := windows(t, "sockwatch", "run", id, "-q")
			require.Zero(t, got.code, "%s%s", got.stdout, got.stderr)
			met := regexp.MustCompile(`(?m)^(\d+) of (\d+) expectations met`).FindStringSubmatch(got.stdout)
			require.NotNil(t, met, got.stdout)
			require.Equal(t, met[1], met[2])
		})
	}
}

func TestWhatNeedsANamespaceIsSkipped(t *testing.T) {
	got := windows(t, "sockwatch", "run", "timeout-connect", "-q")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, got.stderr, "timeout-connect: skipped")
}

func TestWatchOfNothingFails(t *testing.T) {
	got := windows(t, "sockwatch", "watch", "--name", "no-such-program", "--for", "1s")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "no such process")
}
