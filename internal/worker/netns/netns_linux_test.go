package netns_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/worker/netns"
)

// The test binary is also the supervisor, and what runs inside.
func TestMain(m *testing.M) {
	if os.Getenv("NETNS_TEST_WORKER") == "supervisor" {
		os.Unsetenv("NETNS_TEST_WORKER")
		os.Exit(netns.Supervise())
	}
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "listen":
			listen()
		case "lab":
			lab()
		case "make":
			_, err := netns.New(supervisorCmd())
			fmt.Println(err)
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// listen says where it listens and holds one connection to itself until
// standard input ends.
func listen() {
	l, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("holding", c.LocalAddr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(7)
}

func supervisor(t *testing.T) *exec.Cmd {
	cmd := supervisorCmd()
	require.NoError(t, cmd.Err)
	return cmd
}

// supervisorCmd is the test binary as a namespace's supervisor.
func supervisorCmd() *exec.Cmd {
	self, err := os.Executable()
	cmd := exec.Command(self)
	cmd.Err = errors.Join(cmd.Err, err)
	cmd.Env = append(os.Environ(), "NETNS_TEST_WORKER=supervisor")
	cmd.Stderr = os.Stderr
	return cmd
}

// spaceOf makes a namespace, and skips the test where there can be none.
func spaceOf(t *testing.T, supervisor *exec.Cmd) *netns.Namespace {
	n, err := netns.New(supervisor)
	if errors.Is(err, netns.ErrForbidden) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return n
}

func TestAProcOfAnotherPIDNamespaceIsNamed(t *testing.T) {
	t.Parallel()
	space(t) // or no user namespace can be made
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "make")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
	said, err := cmd.CombinedOutput()
	require.NoError(t, err)
	require.Regexp(t, `/proc is of another PID namespace: there this process is \d+, and here 1: mount one of its own`, string(said))
}

func space(t *testing.T) *netns.Namespace {
	n := spaceOf(t, supervisor(t))
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// hold starts a process that holds a connection, and returns with it how to end
// it. It waits until the connection is there.
func hold(t *testing.T, n *netns.Namespace) (*netns.Process, func()) {
	in, parentDeath, err := os.Pipe()
	require.NoError(t, err)
	said, out, err := os.Pipe()
	require.NoError(t, err)
	defer said.Close()
	self, err := os.Executable()
	require.NoError(t, err)
	p, err := n.Start([]string{self, "listen"}, in, out, os.Stderr)
	require.NoError(t, err)
	require.NoError(t, in.Close())
	require.NoError(t, out.Close())
	line := make([]byte, 100)
	read, err := said.Read(line)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(line[:read]), "holding"), "%s", line[:read])
	return p, func() { parentDeath.Close() }
}

func sockdiag(t *testing.T, n *netns.Namespace) socketstats.Source {
	d, err := socketstats.Inside(&socketstats.Sockdiag{}, n.Sockdiag)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func TestEachNamespaceHasItsOwnSocketsAndPorts(t *testing.T) {
	t.Parallel()
	here, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer here.Close()
	var ends []func()
	for range 2 { // both listen on port 8080
		n := space(t)
		p, end := hold(t, n)
		ends = append(ends, end)
		inside := sockdiag(t, n)
		sockets, err := inside.Sockets(t.Context(), socketstats.Query{Owners: true})
		require.NoError(t, err)
		require.Len(t, sockets, 3, "%+v", sockets)
		owned := 0
		for _, s := range sockets {
			if s.PID == int32(p.PID) {
				owned++
			}
		}
		require.Equal(t, 2, owned, "the listener and the client end; nobody accepted the other")
		outside, err := here.Sockets(t.Context(), socketstats.Query{OwnersAmong: []int32{int32(p.PID)}, Owners: true})
		require.NoError(t, err)
		for _, s := range outside {
			require.NotEqual(t, int32(p.PID), s.PID)
		}
	}
	for _, end := range ends {
		end()
	}
}

func TestAProcessEndsWithItsOwnExitCode(t *testing.T) {
	t.Parallel()
	n := space(t)
	p, end := hold(t, n)
	end()
	require.EqualError(t, p.Wait(), "exit status 7")
	killed, end := hold(t, n)
	defer end()
	require.NoError(t, killed.Kill())
	require.EqualError(t, killed.Wait(), "signal: killed")
}

func TestNothingOutlivesANamespace(t *testing.T) {
	t.Parallel()
	cmd := supervisor(t)
	n := spaceOf(t, cmd)
	p, end := hold(t, n)
	defer end()
	require.NoError(t, n.Close())
	require.Error(t, p.Wait())
	require.ErrorIs(t, unix.Kill(p.PID, 0), unix.ESRCH)
	require.ErrorIs(t, unix.Kill(cmd.Process.Pid, 0), unix.ESRCH)
	require.NoError(t, n.Close(), "twice is once")
	_, err := n.Start([]string{"true"}, os.Stdin, os.Stdout, os.Stderr)
	require.Error(t, err)
}

// lab makes a namespace with a process in it, writes the ids of the supervisor and
// the process, and waits to be killed.
func lab() {
	var p *netns.Process
	n, err := netns.New(supervisorCmd())
	switch {
	case errors.Is(err, netns.ErrForbidden):
		fmt.Println("forbidden:", err)
		os.Exit(0)
	case err == nil:
		p, err = n.Start([]string{"sleep", "60"}, os.Stdin, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(n.PID(), p.PID)
	_ = p.Wait()
	os.Exit(1)
}

func TestNothingOfANamespaceOutlivesALabThatIsKilled(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "lab")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	if reason, ok := strings.CutPrefix(line, "forbidden: "); ok {
		require.NoError(t, cmd.Wait())
		t.Skip(reason)
	}
	var supervisor, process int32
	_, err = fmt.Sscan(line, &supervisor, &process)
	require.NoError(t, err)
	require.NoError(t, socketstats.CheckProcess(process))
	require.NoError(t, cmd.Process.Kill())
	for _, pid := range []int32{supervisor, process} {
		require.Eventually(t, func() bool {
			return errors.Is(socketstats.CheckProcess(pid), socketstats.ErrNoProcess)
		}, time.Minute, time.Millisecond)
	}
	require.Error(t, cmd.Wait())
}

func TestAKilledSupervisorTakesItsProcessesWithIt(t *testing.T) {
	t.Parallel()
	cmd := supervisor(t)
	n := spaceOf(t, cmd)
	p, end := hold(t, n)
	defer end()
	require.NoError(t, cmd.Process.Kill())
	require.EqualError(t, p.Wait(), "killed with its namespace's supervisor")
	require.Eventually(t, func() bool { // a zombie, which somebody else is to reap, has ended too
		return errors.Is(socketstats.CheckProcess(int32(p.PID)), socketstats.ErrNoProcess)
	}, time.Minute, time.Millisecond)
	require.NoError(t, n.Close())
}

func TestAStoppedSupervisorIsAnErrorInTime(t *testing.T) {
	t.Parallel()
	cmd := supervisor(t)
	n := spaceOf(t, cmd)
	p, end := hold(t, n)
	defer end()
	n.AnswerWithin(300 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(unix.SIGSTOP))
	_, err := n.Sockdiag()
	require.ErrorContains(t, err, "did not answer within 300ms")
	require.Error(t, p.Wait(), "it is ended with its supervisor")
	require.NoError(t, n.Close())
}

func TestAMissingProgramIsAnError(t *testing.T) {
	t.Parallel()
	n := space(t)
	_, err := n.Start([]string{"/no/such/program"}, os.Stdin, os.Stdout, os.Stderr)
	require.ErrorContains(t, err, "/no/such/program")
	_, end := hold(t, n) // and the namespace goes on
	end()
}

func TestTheTableOfConnectionsIsTheNamespacesOwn(t *testing.T) {
	t.Parallel()
	n := space(t)
	if f, err := os.OpenFile("/proc/sys/net/ipv4/tcp_child_ehash_entries", os.O_WRONLY, 0); err != nil {
		t.Skip("the size cannot be asked for here: ", err)
	} else {
		require.NoError(t, f.Close())
	}
	said, out, err := os.Pipe()
	require.NoError(t, err)
	defer said.Close()
	p, err := n.Start([]string{"cat", "/proc/sys/net/ipv4/tcp_ehash_entries"}, os.Stdin, out, os.Stderr)
	require.NoError(t, err)
	require.NoError(t, out.Close())
	text, err := io.ReadAll(said)
	require.NoError(t, err)
	require.NoError(t, p.Wait())
	require.Equal(t, "8192", strings.TrimSpace(string(text)))
}
