package observe_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/netnstest"
)

// The test binary is also a process that holds sockets in a namespace of its own, and
// a watcher of another user's.
func init() {
	switch n := os.Getenv("HOLD_STATES"); {
	case n != "":
		holdStates(n)
	case os.Getenv("WATCH_ONCE") != "":
		watchOnce()
	default:
		return
	}
	os.Exit(0)
}

// holdStates holds n connections to itself that are ESTABLISHED, and one more that its
// client has shut down: FIN_WAIT2 at one end, CLOSE_WAIT at the other. It ends with
// its standard input. It listens on the port HOLD_PORT, if that is set.
func holdStates(count string) {
	_ = netnstest.LoopbackUp() // where it is up already it may not be allowed
	n, err := strconv.Atoi(count)
	must(err)
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:"+cmp.Or(os.Getenv("HOLD_PORT"), "0"))
	must(err)
	var conns []net.Conn
	for range n + 1 {
		near, err := net.Dial("tcp4", l.Addr().String())
		must(err)
		far, err := l.Accept()
		must(err)
		conns = append(conns, near, far)
	}
	must(conns[0].(*net.TCPConn).CloseWrite())
	_, err = conns[1].Read(make([]byte, 1))
	if !errors.Is(err, io.EOF) {
		must(err)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// watchOnce prints what a watcher finds in one sample.
func watchOnce() {
	var target series.Target
	if pid, err := strconv.ParseInt(os.Getenv("WATCH_ONCE"), 10, 32); err == nil {
		target.PIDs = []int32{int32(pid)}
	} else {
		target.Name = os.Getenv("WATCH_ONCE")
	}
	source, err := socketstats.OpenSource(socketstats.Auto)
	must(err)
	w, err := observe.New(context.Background(), source, target, details)
	must(err)
	m, err := w.Sample(context.Background())
	must(err)
	for _, s := range m.Subjects {
		fmt.Println(s.ID, w.Header().Source, s.Client.Counts.Total()+s.Server.Counts.Total())
	}
	fmt.Println("unseen:", m.Unseen)
}

// startStates starts a holder of n connections as attr has it; it skips the test where
// that is not allowed.
func startStates(t *testing.T, path string, n int, attr *syscall.SysProcAttr, args ...string) (pid int32, port string) {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.SysProcAttr, cmd.Stderr = append(os.Environ(), fmt.Sprintf("HOLD_STATES=%d", n)), attr, os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("not allowed here:", err)
	} else {
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		require.NoError(t, cmd.Wait())
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, line)
	return int32(cmd.Process.Pid), strings.TrimSpace(line)
}

// below counts the ports that portOfNobody gave.
var below atomic.Uint32

// portOfNobody sets the port on which holds-states listens to one below the range from which
// the kernel chooses (ip_local_port_range): no other test has it by chance, in any namespace.
func portOfNobody(t *testing.T) (port uint16) {
	t.Helper()
	for range 1000 {
		port = uint16(16000 + (uint32(os.Getpid())+below.Add(1)*97)%16000)
		if l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, l.Close())
			t.Setenv("HOLD_PORT", fmt.Sprint(port))
			return port
		}
	}
	t.Fatal("no port below those that the kernel gives is free")
	return 0
}

// inNamespaces are the attributes of a process in new namespaces.
func inNamespaces(flags uintptr) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: flags}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// anybody is a user that owns nothing.
const anybody = 61234

// asAnybody are the attributes of a process of another user; the test is skipped
// where there can be none.
func asAnybody(t *testing.T) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root starts processes of another user")
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: anybody, Gid: anybody}}
}

// program is a link to the test binary that everybody may run, so that the process has
// this name.
func program(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "observe")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	data, err := os.ReadFile(self)
	require.NoError(t, err)
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, data, 0o755))
	return path
}

// bySS counts the sockets of connections to a port, by state, as ss does in the
// network namespace of a process. It leaves out TIME_WAIT: the holders here have none,
// and a process that used the same port before leaves some for a minute.
func bySS(t *testing.T, pid int32, port string) map[string]int {
	t.Helper()
	for _, tool := range []string{"ss", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no ", tool, " to compare with")
		}
	}
	list, err := exec.Command("nsenter", "-t", strconv.Itoa(int(pid)), "-n", "ss", "-Htan", "( sport = :"+port+" or dport = :"+port+" )").CombinedOutput()
	require.NoError(t, err, string(list))
	names := map[string]string{
		"ESTAB": "ESTABLISHED", "FIN-WAIT-2": "FIN_WAIT2", "FIN-WAIT-1": "FIN_WAIT1", "CLOSE-WAIT": "CLOSE_WAIT", "TIME-WAIT": "TIME_WAIT", "LISTEN": "LISTEN",
	}
	counts := map[string]int{}
	for line := range strings.Lines(string(list)) {
		state, _, _ := strings.Cut(line, " ")
		require.Contains(t, names, state)
		if state != "TIME-WAIT" {
			counts[names[state]]++
		}
	}
	return counts
}

func byState(counts ...socketstats.Counts) map[string]int {
	sum := map[string]int{}
	for _, c := range counts {
		for _, s := range socketstats.States() {
			if n := c.Of(s); n > 0 {
				sum[s.String()] += n
			}
		}
	}
	return sum
}

func TestCountsInOtherNamespacesAreThoseOfSS(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root lists a namespace's sockets by ss")
	}
	path := program(t, "holds-states")
	step := 1
	if testing.Short() {
		step = 6
	}
	for name, attr := range map[string]*syscall.SysProcAttr{
		"a network namespace":           inNamespaces(syscall.CLONE_NEWNET),
		"a pid namespace":               inNamespaces(syscall.CLONE_NEWPID),
		"a network and a pid namespace": inNamespaces(syscall.CLONE_NEWNET | syscall.CLONE_NEWPID),
		"of another user":               asAnybody(t),
		"all of these": {
			Cloneflags:  syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: anybody, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: anybody, Size: 1}},
			Credential:  &syscall.Credential{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for try := 0; try < 20; try += step {
				pid, port := startStates(t, path, try, attr)
				w := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{pid}}, details)
				m, err := w.Sample(t.Context())
				require.NoError(t, err)
				require.Len(t, m.Subjects, 1)
				s := m.Subjects[0]
				want := bySS(t, pid, port)
				require.Equal(t, 2*try+3, want["LISTEN"]+want["ESTABLISHED"]+want["FIN_WAIT2"]+want["CLOSE_WAIT"])
				require.Equal(t, want, byState(s.Client.Counts, s.Server.Counts))
				require.Equal(t, 1, s.FinWait2Held)
				require.Equal(t, attr.Cloneflags&syscall.CLONE_NEWNET != 0, s.Identity.Namespace != "", s.Identity.Namespace)
				require.Equal(t, 2*try+2, s.Process.Kinds[socketstats.KindTCP])
				require.Equal(t, 1, s.Process.Kinds[socketstats.KindTCPListen])
				require.NotNil(t, s.Client.Activity)
				require.Empty(t, m.Unseen)
			}
		})
	}
}

// Two namespaces have the same four-tuples.
func TestNamespacesDoNotMix(t *testing.T) {
	path := program(t, "holds-states")
	var pids []int32
	for range 3 {
		pid, _ := startStates(t, path, 4, inNamespaces(syscall.CLONE_NEWNET))
		pids = append(pids, pid)
	}
	w := newWatcher(t, sockdiag(t), series.Target{PIDs: pids}, details)
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	require.Len(t, m.Subjects, 3)
	for _, s := range m.Subjects {
		require.Equal(t, 5, s.Client.Counts.Total())
		require.Equal(t, 6, s.Server.Counts.Total())
	}
}

func TestAPortIsLookedForInOtherNamespaces(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root sees all namespaces")
	}
	port := portOfNobody(t)
	pid, _ := startStates(t, program(t, "holds-states"), 2, inNamespaces(syscall.CLONE_NEWNET))
	w := newWatcherEverywhere(t, sockdiag(t), series.Target{Port: port}, details)
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	require.Empty(t, m.Unseen)
	s := find(t, m, pid)
	require.NotEmpty(t, s.Identity.Namespace)
	require.Equal(t, 3, s.Client.Counts.Total())
	require.Equal(t, 3, s.Server.Counts.Total())
	require.Equal(t, []string{fmt.Sprintf("holds-states (%d)", pid)}, m.Listeners)
}

// Two containers with a service on the same port have nothing to do with each other.
func TestTheSamePortInTwoNamespacesIsTwoServices(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root sees all namespaces")
	}
	port := portOfNobody(t)
	one, _ := startStates(t, program(t, "holds-states"), 2, inNamespaces(syscall.CLONE_NEWNET))
	other, _ := startStates(t, program(t, "holds-states"), 4, inNamespaces(syscall.CLONE_NEWNET))
	w := newWatcherEverywhere(t, sockdiag(t), series.Target{Port: port}, details)
	window := &observe.Window{}
	header := w.Header()
	window.Add(series.Event{Header: &header})
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	window.Add(series.Event{Moment: &m})
	open := map[string]int{}
	for _, s := range window.Subjects() {
		open[s.Name] = s.Now(socketstats.Client).Open()
	}
	for pid, conns := range map[int32]int{one: 3, other: 5} {
		s := find(t, m, pid)
		require.Equal(t, conns, open[s.Identity.Name])
		require.Contains(t, m.Services, []string{s.Identity.Namespace})
	}
	require.Equal(t, 5, window.Count(socketstats.Counts.Open), "the most that one of them has, and no sum")
}

// The same port in another namespace, over its loopback, is another service's.
func TestTheSamePortElsewhereIsAnotherService(t *testing.T) {
	port := portOfNobody(t)
	pid, _ := startStates(t, program(t, "elsewhere"), 3, inNamespaces(syscall.CLONE_NEWNET))
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(t, err)
	go serve(l)
	c, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	w := newWatcherEverywhere(t, sockdiag(t), series.Target{Port: port}, details)
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	for _, s := range m.Subjects {
		require.NotEqual(t, id(pid), s.ID)
	}
	ns, err := socketstats.NamespaceOf(pid)
	require.NoError(t, err)
	apart := fmt.Sprintf("net:[%d] (process %d is in it)", ns, pid)
	require.Equal(t, []string{apart}, m.Apart)
	require.Empty(t, m.Unseen)

	require.NoError(t, c.Close())
	require.NoError(t, l.Close())
	require.Eventually(t, func() bool { // once it is not used here any more
		m, err := newWatcherEverywhere(t, sockdiag(t), series.Target{Port: port}, details).Sample(t.Context())
		require.NoError(t, err)
		return !slices.Contains(m.Apart, apart) && slices.ContainsFunc(m.Subjects, func(s series.SubjectSample) bool { return s.ID == id(pid) })
	}, 2*time.Minute, 100*time.Millisecond)
}

// watchAs prints what a watcher of this user sees.
func watchAs(t *testing.T, path, target string, attr *syscall.SysProcAttr) (string, error) {
	t.Helper()
	cmd := exec.Command(path)
	cmd.Env, cmd.SysProcAttr = append(os.Environ(), "WATCH_ONCE="+target), attr
	said, err := cmd.CombinedOutput()
	return string(said), err
}

func TestAnOrdinaryUserSeesIntoItsOwnNamespaces(t *testing.T) {
	attr := asAnybody(t)
	path := program(t, "holds-states")
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip("no unshare to make a namespace as another user")
	}
	pid, _ := startStates(t, "unshare", 4, attr, "-Urn", path)
	said, err := watchAs(t, path, strconv.Itoa(int(pid)), attr)
	require.NoError(t, err, said)
	require.Equal(t, fmt.Sprintf("%d sockdiag, procfs 11\nunseen: []\n", pid), said)
}

func TestWhatCannotBeSeenIsNamed(t *testing.T) {
	attr := asAnybody(t)
	path, watcher := program(t, "not-to-be-seen"), program(t, "watcher")
	ours, _ := startStates(t, path, 1, &syscall.SysProcAttr{})
	said, err := watchAs(t, watcher, "not-to-be-seen", attr)
	require.Error(t, err, "the only one is another user's")
	require.Contains(t, said, fmt.Sprintf("not-to-be-seen (%d): not allowed to see the sockets of this process", ours))

	theirs, _ := startStates(t, path, 2, attr)
	said, err = watchAs(t, watcher, "not-to-be-seen", attr)
	require.NoError(t, err, said)
	require.Contains(t, said, fmt.Sprintf("%d sockdiag 7\n", theirs))
	require.Contains(t, said, fmt.Sprintf("unseen: [not-to-be-seen (%d)", ours))
}

// A service that is restarted has no process for a moment, and another one then.
func TestARestartedNameGoesOn(t *testing.T) {
	path := program(t, "is-restarted")
	start := func() (*exec.Cmd, io.WriteCloser) {
		cmd := exec.Command(path)
		cmd.Env = append(os.Environ(), "HOLD_STATES=1")
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		return cmd, in
	}
	first, in := start()
	require.Eventually(t, func() bool {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", first.Process.Pid))
		return err == nil && string(name) == "is-restarted\n"
	}, time.Minute, 5*time.Millisecond)
	w := newWatcher(t, sockdiag(t), series.Target{Name: "is-restarted"}, details)
	m, err := w.Sample(t.Context())
	require.NoError(t, err)
	require.Equal(t, id(int32(first.Process.Pid)), m.Subjects[0].ID)
	require.NoError(t, in.Close())
	require.NoError(t, first.Wait())
	m, err = w.Sample(t.Context())
	require.NoError(t, err)
	for _, s := range m.Subjects {
		require.Equal(t, observe.NoProcess, s.ID, "it has ended")
	}
	second, in := start()
	defer func() { require.NoError(t, second.Wait()) }()
	defer in.Close()
	require.Eventually(t, func() bool {
		m, err := w.Sample(t.Context())
		require.NoError(t, err)
		return len(m.Subjects) > 0 && m.Subjects[0].ID == id(int32(second.Process.Pid))
	}, time.Minute, 5*time.Millisecond)
}

// Whoever looks into all namespaces meets processes that have just ended.
func TestANamespaceWhoseProcessHasEndedHidesNothing(t *testing.T) {
	_, port := listen(t)
	done := make(chan struct{})
	var comers sync.WaitGroup
	for range 2 {
		comers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				cmd := exec.Command("true")
				cmd.SysProcAttr = inNamespaces(syscall.CLONE_NEWNET)
				if cmd.Run() != nil {
					return // this user may make none
				}
			}
		})
	}
	defer comers.Wait()
	defer close(done)
	for range 30 {
		m, err := newWatcherEverywhere(t, sockdiag(t), series.Target{Port: port}, observe.Options{}).Sample(t.Context())
		require.NoError(t, err)
		require.Empty(t, m.Unseen)
	}
}
