package observe_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// The test binary is also a server with workers, as its standard input tells it.
func init() {
	switch {
	case os.Getenv("WORKER") != "":
		_, _ = io.Copy(io.Discard, os.Stdin)
	case os.Getenv("MASTER") != "":
		master()
	default:
		return
	}
	os.Exit(0)
}

// master has a listener, which its workers inherit, and does what each line says:
// "connect" opens a connection to itself, "fork" starts a worker that inherits every
// connection's client end, too, "close" closes these ends here, "port" says its port. It
// says its workers.
func master() {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	listener, err := l.(*net.TCPListener).File()
	must(err)
	must(l.Close()) // its file is the only one left, and the children's
	var files []*os.File
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); fmt.Println("done") {
		switch in.Text() {
		case "connect":
			near, err := net.Dial("tcp4", l.Addr().String())
			must(err)
			file, err := near.(*net.TCPConn).File()
			must(err)
			must(near.Close())
			files = append(files, file)
		case "fork":
			worker := exec.Command(os.Args[0])
			worker.Env = append(os.Environ(), "WORKER=1")
			worker.ExtraFiles = append([]*os.File{listener}, files...)
			_, err := worker.StdinPipe() // it ends with this process
			must(err)
			must(worker.Start())
			fmt.Println(worker.Process.Pid)
		case "port":
			fmt.Println(l.Addr().(*net.TCPAddr).Port)
		case "close":
			for _, f := range files {
				must(f.Close())
			}
			files = nil
		}
	}
}

// startMaster starts a master, by way of a command if there is one, whose process is pid.
func startMaster(t *testing.T, way ...string) (pid int32, do func(what string) string) {
	t.Helper()
	argv := append(way, os.Args[0])
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stderr = append(os.Environ(), "MASTER=1"), os.Stderr
	in, out := startPiped(t, cmd)
	lines := bufio.NewReader(out)
	until := func(end string) (said string) {
		for {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			if line = strings.TrimSpace(line); line == end {
				return said
			}
			said = line
		}
	}
	until("ready")
	return int32(cmd.Process.Pid), func(what string) string {
		_, err := fmt.Fprintln(in, what)
		require.NoError(t, err)
		return until("done")
	}
}

func TestAProcessAndItsChildrenAreOneSubject(t *testing.T) {
	t.Parallel()
	pid, do := startMaster(t)
	do("connect")
	do("connect")
	w := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{pid}}, details)
	alone := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{pid}, NoChildren: true}, details)
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	require.Len(t, m.Subjects, 1, "it has no child yet")
	require.Equal(t, 2, m.Subjects[0].Client.Counts.Total())

	worker := do("fork")
	m, err = w.Sample(t.Context())
	require.NoError(t, err)
	require.Len(t, m.Subjects, 3)
	tree, own, child := m.Subjects[0], m.Subjects[1], m.Subjects[2]
	require.Equal(t, id(pid), tree.ID)
	require.Empty(t, tree.Identity, "it is who it was")
	require.Equal(t, id(pid), own.Identity.Parent)
	require.Equal(t, id(pid), child.Identity.Parent)
	require.Equal(t, worker, strconv.Itoa(int(child.Identity.PID)))
	require.Equal(t, 2, tree.Client.Counts.Total(), "two processes hold each, and it is one connection")
	require.Equal(t, 1, tree.Server.Counts.Of(socketstats.Listen))
	require.Equal(t, 2, tree.Process.Kinds[socketstats.KindTCP])
	require.Equal(t, 2, child.Process.Kinds[socketstats.KindTCP])
	require.Zero(t, tree.Inherited, "the parent holds them, too")
	require.Equal(t, series.ConnCounts{}, *tree.KernelConns)

	do("close")
	m, err = w.Sample(t.Context())
	require.NoError(t, err)
	tree = m.Subjects[0]
	require.Equal(t, 2, tree.Client.Counts.Total())
	require.Equal(t, 2, tree.Inherited, "only the child holds them")
	require.Zero(t, tree.KernelConns.Closed)
	for range 2 { // the first takes it that they were closed just now
		m, err = alone.Sample(t.Context())
		require.NoError(t, err)
	}
	require.Len(t, m.Subjects, 1)
	require.Zero(t, m.Subjects[0].Client.Counts.Total())

	n, err := strconv.Atoi(worker)
	require.NoError(t, err)
	process, err := os.FindProcess(n)
	require.NoError(t, err)
	require.NoError(t, process.Kill())
	require.Eventually(t, func() bool {
		m, err = w.Sample(t.Context())
		require.NoError(t, err)
		return len(m.Subjects) == 1 && m.Subjects[0].KernelConns.Closed == 2
	}, time.Minute, 10*time.Millisecond, "what its child did remains the subject's: %v", m)
	require.Zero(t, m.Subjects[0].Inherited)
}

// What a shell, npm or unshare starts is what is meant.
func TestATreeIsNamedByTheProcessThatDoesItsWork(t *testing.T) {
	t.Parallel()
	pid, do := startMaster(t, "sh", "-c", `"$0"; true`)
	do("connect")
	w := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{pid}}, details)
	for range 2 {
		_, err := w.Sample(t.Context())
		require.NoError(t, err)
	}
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	require.Len(t, m.Subjects, 3)
	who := w.Identity(pid)
	require.Regexp(t, `^observe\.test \(\d+\), in sh \(`+id(pid)+`\)$`, who.Name)
	require.Equal(t, id(pid), who.ID)
	require.Equal(t, pid, who.PID)
	require.Equal(t, "go", who.Runtime)

	for range 3 { // the workers hold the listener and the connection, too
		do("fork")
	}
	do("close")
	for range 3 {
		_, err = w.Sample(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, who, w.Identity(pid), "who has opened them does the work")
}

// With a port every client is a subject, and what its children have from it is its own.
func TestOfAPortsClientsTheHeirsAreAPartOfTheOneWhoOpened(t *testing.T) {
	t.Parallel()
	pid, do := startMaster(t)
	port, err := strconv.ParseUint(do("port"), 10, 16)
	require.NoError(t, err)
	w := newWatcher(t, sockdiag(t), series.Target{Port: uint16(port)}, details)
	_, err = w.Sample(t.Context())
	require.NoError(t, err)
	var clients []series.SubjectSample
	sample := func() {
		t.Helper()
		m, err := w.Sample(t.Context())
		require.NoError(t, err)
		clients = slices.DeleteFunc(m.Subjects, func(s series.SubjectSample) bool { return strings.HasPrefix(s.ID, "server") })
	}
	do("connect")
	do("connect")
	sample()
	require.Len(t, clients, 1)
	worker := do("fork")
	sample()
	require.Len(t, clients, 1, "the child has nothing of its own")

	do("close") // only the child holds them now
	require.Eventually(t, func() bool { sample(); return len(clients) == 2 && clients[0].Inherited == 2 }, time.Minute, 10*time.Millisecond)
	tree, child := clients[0], clients[1]
	require.Equal(t, id(pid), tree.ID)
	require.Equal(t, 2, tree.Client.Counts.Total())
	require.Equal(t, id(pid)+"/"+worker, child.ID)
	require.Equal(t, 2, child.Client.Counts.Total())
	require.Equal(t, 2, tree.KernelConns.Opened)
	require.Zero(t, tree.KernelConns.Closed)
}

// A program often begins as a shell that is replaced by it.
func TestANameIsReadAgainAfterExec(t *testing.T) {
	t.Parallel()
	path := program(t, "becomes-this")
	cmd := exec.Command("sh", "-c", "read line; exec "+path)
	cmd.Env = append(os.Environ(), "WORKER=1")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { require.NoError(t, cmd.Wait()) }()
	defer in.Close()
	pid := int32(cmd.Process.Pid)
	w := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{pid}}, details)
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	before := *find(t, m, pid).Identity
	_, err = fmt.Fprintln(in)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		m, err := w.Sample(t.Context())
		require.NoError(t, err)
		now := find(t, m, pid).Identity
		return now != nil && now.Name == fmt.Sprintf("becomes-this (%d)", pid) && now.Started.Equal(before.Started)
	}, time.Minute, 10*time.Millisecond)
}
