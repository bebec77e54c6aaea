//go:build unix

package worker_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/worker"
)

// supervised starts the supervisor of a command, and the command.
func supervised(t *testing.T, command string) (p *process, pid int) {
	t.Helper()
	p = start(t, "command", with(t, worker.CommandOrder{Command: command}))
	require.True(t, p.answer().Ready)
	p.command(worker.Start)
	pid = p.answer().Started
	require.Positive(t, pid)
	return p, pid
}

func TestSupervisorReportsHowItsCommandEnds(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]worker.End{
		"true":                       {Code: 0, How: "exit status 0"},
		"exit 7":                     {Code: 7, How: "exit status 7"},
		"kill -9 $$":                 {Code: -1, How: "signal: killed"},
		"no-such-program 2>&-":       {Code: 127, How: "exit status 127"},
		"sleep 60 & exit 3":          {Code: 3, How: "exit status 3"}, // what it leaves behind goes on
		"exec sh -c 'exit \"$0\"' 5": {Code: 5, How: "exit status 5"},
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p, _ := supervised(t, command)
			require.Equal(t, want, *p.answer().Ended)
			p.command(worker.Report)
			require.True(t, p.answer().Asked)
			require.NoError(t, p.in.Close())
			p.requireEnd(0)
		})
	}
}

func TestSupervisorSaysThatItsCommandIsAtWork(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "go")
	p, pid := supervised(t, "while ! test -e '"+file+"'; do sleep 0.01; done; exit 4")
	for range 2 {
		p.command(worker.Report)
		a := p.answer()
		require.True(t, a.Asked)
		require.Nil(t, a.Ended)
	}
	require.NoError(t, socketstats.CheckProcess(int32(pid)))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Equal(t, 4, p.answer().Ended.Code, "that is reported at once, unasked")
}

func TestCommandWaitsForItsStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "begun")
	p := start(t, "command", with(t, worker.CommandOrder{Command: "touch '" + file + "'"}))
	require.True(t, p.answer().Ready)
	require.NoFileExists(t, file)
	require.NoError(t, p.in.Close())
	p.requireEnd(1)
	require.NoFileExists(t, file)
}

// pidsIn waits until a file holds n process ids, and returns them.
func pidsIn(t *testing.T, file string, n int) []int {
	t.Helper()
	var pids []int
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		pids = nil
		for _, word := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				return false
			}
			pids = append(pids, pid)
		}
		return len(pids) == n
	}, patience, 5*time.Millisecond)
	return pids
}

// family is a command that starts others: a child, and where setsid is a daemon
// that left the process group. Each writes its id to the file and then sleeps.
func family(t *testing.T) (command, file string, n int) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "pids")
	member := "'echo $$ >>" + file + "; exec sleep 60'"
	command, n = "echo $$ >>"+file+"; sh -c "+member+" & ", 2
	if runtime.GOOS == "linux" { // elsewhere a daemon is lost from sight
		command, n = command+"setsid sh -c "+member+" & ", 3
	}
	return command + "sleep 60; true", file, n
}

func TestNothingOfACommandOutlivesItsSupervisor(t *testing.T) {
	t.Parallel()
	command, file, n := family(t)
	p, pid := supervised(t, command)
	pids := pidsIn(t, file, n)
	require.Contains(t, pids, pid)
	require.NoError(t, p.in.Close())
	p.requireEnd(0)
	for _, pid := range pids {
		require.ErrorIs(t, socketstats.CheckProcess(int32(pid)), socketstats.ErrNoProcess)
	}
}

func TestNothingOfACommandOutlivesALabThatIsKilled(t *testing.T) {
	t.Parallel()
	command, file, n := family(t)
	lab, workers := workersOf(t, map[string]string{
		"Worker": "command", "Order": with(t, worker.CommandOrder{Command: command}), "Then": with(t, worker.Start),
	})
	pids := pidsIn(t, file, n)
	require.Contains(t, pids, workers[0].Answer.Started)
	require.NoError(t, lab.Process.Kill())
	for _, pid := range append(pids, workers[0].PID) {
		requireGone(t, pid)
	}
}

// A command is asked to end before it is made to.
func TestCommandMayEndInItsOwnWay(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "said")
	p, _ := supervised(t, "trap 'echo asked >'"+file+"'; exit 0' TERM; echo ready >'"+file+"'; while :; do sleep 0.01; done")
	require.Eventually(t, func() bool { return said(file) == "ready\n" }, patience, 5*time.Millisecond)
	require.NoError(t, p.in.Close())
	p.requireEnd(0)
	require.Equal(t, "asked\n", said(file))
}

func TestCommandThatDoesNotEndIsKilled(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "said")
	p, pid := supervised(t, "trap '' TERM; echo ready >'"+file+"'; while :; do sleep 0.01; done")
	require.Eventually(t, func() bool { return said(file) == "ready\n" }, patience, 5*time.Millisecond)
	begun := time.Now()
	require.NoError(t, p.in.Close())
	p.requireEnd(0)
	require.Less(t, time.Since(begun), worker.CommandEndTimeout)
	require.ErrorIs(t, socketstats.CheckProcess(int32(pid)), socketstats.ErrNoProcess)
}

func said(file string) string {
	text, _ := os.ReadFile(file)
	return string(text)
}

// What Ctrl-C means is the lab's affair: a supervisor goes on, and a client does.
func TestWorkersDoNotEndWithCtrlC(t *testing.T) {
	t.Parallel()
	p, _ := supervised(t, "sleep 60")
	client := start(t, "client", with(t, clientOf("127.0.0.1:9", 1)))
	require.True(t, client.answer().Ready)
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	require.NoError(t, client.cmd.Process.Signal(os.Interrupt))
	p.command(worker.Report)
	require.True(t, p.answer().Asked)
	client.command(worker.Start)
	client.command(worker.Report)
	require.NotNil(t, client.answer().Report)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGPIPE))
	p.command(worker.Report)
	require.True(t, p.answer().Asked)
}

// What a proxy is sent would not be counted, and might leave the machine.
func TestACommandDoesNotReachLoopbackByAProxy(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "said")
	p, _ := supervised(t, `echo "$NO_PROXY $no_proxy" >`+file)
	for p.command(worker.Report); p.answer().Ended == nil; {
	}
	require.Regexp(t, `localhost,127.0.0.0/8,127.0.0.1,::1 .*localhost,127.0.0.0/8,127.0.0.1,::1\n$`, said(file))
}

// A client whose program says when it is ready is not ready before.
func TestClientWaitsUntilItsProgramIsReady(t *testing.T) {
	t.Parallel()
	p := start(t, "client", with(t, worker.ClientOrder{Command: "exit 3", SaysReady: true}))
	require.Contains(t, p.answer().Error, "exit status 3", "the first answer: it never was ready")
	p = start(t, "client", with(t, worker.ClientOrder{Command: "echo; echo ready; read line", SaysReady: true}))
	require.True(t, p.answer().Ready)
	p.command(worker.Finish)
	p.requireEnd(0)
}
