package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// below lists a process's descendants.
func below(pid int) []int {
	children := map[int][]int{}
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		child, _ := strconv.Atoi(filepath.Base(folder))
		above := parent(folder)
		children[above] = append(children[above], child)
	}
	pids := slices.Clone(children[pid])
	for i := 0; i < len(pids) && len(pids) < 1000; i++ {
		pids = append(pids, children[pids[i]]...)
	}
	return pids
}

// parent is that of the process with this folder in /proc.
func parent(folder string) int {
	status, _ := os.ReadFile(folder + "/status")
	_, line, _ := bytes.Cut(status, []byte("\nPPid:\t"))
	line, _, _ = bytes.Cut(line, []byte("\n"))
	pid, _ := strconv.Atoi(string(line))
	return pid
}

// families is a comparison of commands that are hard to end. Each client says
// again and again that it is ready, once it has started what it starts.
var families = []string{
	"ab", "--for", "5m",
	"--server", "(exec slowserver --listen {addr}); true # a grandchild",
	// Does not follow when it is asked to end, nor does its child.
	"--faulty", `trap "" TERM; sh -c 'while :; do echo ready {port}; sleep 0.05; done'; true`,
	// A daemon, in a session of its own and with no parent, and an orphan.
	"--fixed", `(setsid sh -c 'trap "" TERM; while :; do sleep 0.05; done' &); (sleep 1000 &); while :; do echo ready {port}; sleep 0.05; done`,
}

// startFamilies starts a comparison of families, and returns all its processes.
func startFamilies(t *testing.T) (ab *running, pids []int) {
	t.Helper()
	ab = start(t, "sockwatch", append(slices.Clone(families), "--show-output")...)
	for _, side := range []string{"faulty", "fixed"} {
		ab.until(t, `^  `+side+` +server 127\.0\.0\.1:\d+ \(process \d+\), client process \d+`)
	}
	ab.until(t, `^faulty: ready \d+$`)
	ab.until(t, `^fixed: ready \d+$`)
	return ab, familiesBelow(t, ab.cmd.Process.Pid)
}

// familiesBelow waits for all processes of a comparison of families.
func familiesBelow(t *testing.T, ab int) (pids []int) {
	t.Helper()
	// For each side two supervisors, shell and server; the faulty side's two shells;
	// the fixed side's shell, daemon and orphan. There is a sleep here and there.
	require.Eventually(t, func() bool {
		pids = below(ab)
		return len(pids) >= 2*(2+2)+2+3
	}, soon, 20*time.Millisecond)
	return pids
}

// describe says what a process is.
func describe(pid int) string {
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	command, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return string(command) + "\n" + string(status)
}

func requireAllGone(t *testing.T, pids []int) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, pid := range pids {
			if alive(pid) {
				return false
			}
		}
		return true
	}, soon, 20*time.Millisecond, "a process of the comparison is left: %v", pids)
}

func TestNothingOutlivesAComparison(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		signal syscall.Signal
		code   int
	}{
		"killed":      {syscall.SIGKILL, -1},
		"interrupted": {syscall.SIGINT, 130},
		"terminated":  {syscall.SIGTERM, 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ab, pids := startFamilies(t)
			require.NoError(t, ab.cmd.Process.Signal(test.signal))
			require.Equal(t, test.code, ab.end(t))
			if test.code == 130 {
				for _, pid := range pids {
					require.False(t, alive(pid), "it ends after all that it started, and this is left: %s", describe(pid))
				}
				require.Contains(t, ab.stdout.String(), "ended early: interrupted")
				ab.said(t, `^sockwatch: ab: interrupted$`)
			}
			requireAllGone(t, pids)
		})
	}
}

// The view changes nothing of how a comparison ends.
func TestNothingOutlivesAComparisonInTheView(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  []string // the words for tmux
		code string   // "" where there is no terminal left to tell
	}{
		"q":                    {[]string{"send-keys", "q"}, "code=0"},
		"Ctrl-C":               {[]string{"send-keys", "C-c"}, "code=130"},
		"the terminal is gone": {[]string{"kill-server"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			x := inTmux(t, 100, 40, quoted("sh", "-c", `echo $$ >"$0"; exec sockwatch "$@"`, file)+quoted(families...))
			x.until("sockets, client end")
			number, err := os.ReadFile(file)
			require.NoError(t, err)
			ab, err := strconv.Atoi(strings.TrimSpace(string(number)))
			require.NoError(t, err)
			pids := familiesBelow(t, ab)
			x.do(test.end...)
			if test.code != "" {
				require.Contains(t, x.until("code="), test.code)
				for _, pid := range pids {
					require.False(t, alive(pid), "it ends after all that it started, and this is left: %s", describe(pid))
				}
				x.asBefore()
			}
			requireAllGone(t, append(pids, ab))
		})
	}
}

// The command of a supervisor that is killed ends, too, and the run says so.
func TestRunnerThatIsKilledTakesItsCommandWithIt(t *testing.T) {
	t.Parallel()
	ab := start(t, "sockwatch", "ab", "--for", "5m", "--show-output",
		"--faulty", `sh -c 'while :; do echo ready {port}; sleep 0.05; done'; true`, "--fixed", "sleep 1000 # {url}")
	command, err := strconv.Atoi(ab.until(t, `^  faulty +server .*, client process (\d+)`)[1])
	require.NoError(t, err)
	ab.until(t, `^faulty: ready`)
	pids := below(ab.cmd.Process.Pid)
	supervisor := parent("/proc/" + strconv.Itoa(command))
	require.Contains(t, pids, supervisor)
	require.NoError(t, syscall.Kill(supervisor, syscall.SIGKILL))
	require.Equal(t, 1, ab.end(t))
	ab.said(t, `^sockwatch: ab: the client of the faulty side \(process \d+\) ended in mid-run: signal: killed$`)
	requireAllGone(t, pids)
}

func TestComparisonIsStoppedAtItsShareOfTheDescriptorLimit(t *testing.T) {
	t.Parallel()
	// Each holds 40, with which it does not stop itself, however late the other one begins.
	file := filepath.Join(t.TempDir(), "forty.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(longRun, "for: 10m", "for: 800ms", 1)), 0o644))
	ab := start(t, "sh", "-c", `ulimit -n 256 && exec sockwatch ab --no-response --for 5m -o json --fixed 'sleep 1000 # {url}' \
		--faulty "client-faulty --url {url} --scenario $0 & client-faulty --url {url} --scenario $0; wait"`, file)
	require.Equal(t, 3, ab.end(t))
	ab.said(t, `^sockwatch: ab: stopped: the client of the faulty side holds \d+ connections, the most this run may take is 64: a quarter of the descriptor limit of 256, which ulimit -n raises$`)
	require.Contains(t, ab.stdout.String(), `"stopped": "the client of the faulty side holds`)
}
