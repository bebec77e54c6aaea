package observe_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/netnstest"
)

// TestMain lets the test binary be another process: one that holds
// connections to an address until its standard input ends.
func TestMain(m *testing.M) {
	if addr := os.Getenv("HOLD_CONNECTIONS_TO"); addr != "" {
		hold(addr)
		os.Exit(0)
	}
	if addr := os.Getenv("OPEN_AND_CLOSE_TO"); addr != "" {
		churn(addr)
		os.Exit(0)
	}
	netnstest.Enter()
	os.Exit(m.Run())
}

// churn is another process that opens connections and closes each at once, as
// many as its standard input says; for a number below 0, when the server has closed it.
func churn(addr string) {
	var n int
	for in := bufio.NewReader(os.Stdin); ; {
		if _, err := fmt.Fscanln(in, &n); err != nil {
			return
		}
		for range max(n, -n) {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			if n < 0 {
				_, _ = io.Copy(io.Discard, c)
			} else {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
			_ = c.Close()
		}
		fmt.Println("done")
	}
}

func hold(addr string) {
	var conns []net.Conn
	for range 4 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			os.Exit(1)
		}
		conns = append(conns, c)
	}
	_, _ = os.Stdout.WriteString("held\n")
	one := make([]byte, 1)
	for { // each byte closes one connection, until the end
		if _, err := os.Stdin.Read(one); err != nil {
			return
		}
		if len(conns) > 0 {
			_ = conns[0].Close()
			conns = conns[1:]
			_, _ = os.Stdout.WriteString("closed\n")
		}
	}
}

// startPiped starts a command, which ends when its standard input is closed at the end of
// the test.
func startPiped(t *testing.T, cmd *exec.Cmd) (in io.Writer, out io.Reader) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, stdin.Close())
		require.NoError(t, cmd.Wait())
	})
	return stdin, stdout
}

// holder is another process with four connections to addr.
type holder struct {
	pid   int32
	tell  func()
	heard func(string)
}

func startHolder(t *testing.T, addr string) holder {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HOLD_CONNECTIONS_TO="+addr)
	in, out := startPiped(t, cmd)
	return holder{
		pid:  int32(cmd.Process.Pid),
		tell: func() { _, err := in.Write([]byte("x")); require.NoError(t, err) },
		heard: func(want string) {
			got := make([]byte, len(want)+1)
			n, err := out.Read(got)
			require.NoError(t, err)
			require.Equal(t, want+"\n", string(got[:n]))
		},
	}
}

// listen listens on a port of which no connection of another test lingers.
func listen(t *testing.T) (*net.TCPListener, uint16) {
	t.Helper()
	src, err := socketstats.OpenSource(socketstats.Auto)
	require.NoError(t, err)
	defer src.Close()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { l.Close() })
		port := netip.MustParseAddrPort(l.Addr().String()).Port()
		there, err := src.Sockets(t.Context(), socketstats.Query{Ports: []uint16{port}})
		require.NoError(t, err)
		if len(there) == 1 {
			return l.(*net.TCPListener), port
		}
	}
}

// accept accepts n connections and closes each when its client does.
func accept(t *testing.T, l net.Listener, n int) {
	t.Helper()
	for range n {
		c, err := l.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		go func() {
			_, _ = c.Read(make([]byte, 1))
			_ = c.Close()
		}()
	}
}

// details asks for what a verdict needs.
var details = observe.Options{Details: true}

// id is the subject of a process.
func id(pid int32) string {
	if pid == 0 {
		return observe.NoProcess
	}
	return strconv.Itoa(int(pid))
}

func find(t *testing.T, m series.Moment, pid int32) series.SubjectSample {
	t.Helper()
	for _, s := range m.Subjects {
		if s.ID == id(pid) {
			return s
		}
	}
	require.Fail(t, "no such row", "%d in %+v", pid, m)
	return series.SubjectSample{}
}

// eachSource runs a test with every source of this system.
func eachSource(t *testing.T, test func(*testing.T, socketstats.Source)) {
	sources := []socketstats.Source{socketstats.Gopsutil{}}
	for _, name := range []string{"sockdiag", "procfs"} {
		if src, err := socketstats.OpenSource(name); err == nil {
			t.Cleanup(func() { src.Close() })
			sources = append(sources, src)
		}
	}
	for _, src := range sources {
		t.Run(src.Name(), func(t *testing.T) { test(t, src) })
	}
}

// newWatcher watches a port in our namespace only: in another one a neighbour may have a
// connection with the same number of a port.
func newWatcher(t *testing.T, src socketstats.Source, target series.Target, o observe.Options) *observe.Watcher {
	t.Helper()
	o.OwnNamespace = target.Port != 0
	return newWatcherEverywhere(t, src, target, o)
}

func newWatcherEverywhere(t *testing.T, src socketstats.Source, target series.Target, o observe.Options) *observe.Watcher {
	t.Helper()
	w, err := observe.New(t.Context(), src, target, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

func TestAConnectionWithBothEndsHereIsListedTwice(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source) {
		t.Parallel()
		l, port := listen(t)
		holder := startHolder(t, l.Addr().String())
		accept(t, l, 4)
		holder.heard("held")
		both := newWatcher(t, src, series.Target{PIDs: []int32{int32(os.Getpid()), holder.pid}}, observe.Options{})
		clients := newWatcher(t, src, series.Target{PIDs: []int32{holder.pid}}, observe.Options{})
		atPort := newWatcher(t, src, series.Target{Port: port}, observe.Options{})
		for w, want := range map[*observe.Watcher]int{both: 4, clients: 0, atPort: 0} {
			_, err := w.Sample(t.Context())
			require.NoError(t, err)
			require.GreaterOrEqual(t, w.ListedTwice(socketstats.Established), want)
			if want == 0 { // the others are of other tests, too
				require.Zero(t, w.ListedTwice(socketstats.Established))
				require.Len(t, w.Listed(socketstats.Established), 4)
			}
			require.Zero(t, w.ListedTwice(socketstats.TimeWait))
		}
	})
}

func TestPortGivesEachProcessBothEndsOfItsConnections(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source) {
		t.Parallel()
		l, port := listen(t)
		first, second := startHolder(t, l.Addr().String()), startHolder(t, l.Addr().String())
		accept(t, l, 8)
		first.heard("held")
		second.heard("held")

		w := newWatcher(t, src, series.Target{Port: port}, observe.Options{})
		snap, err := w.Sample(t.Context())
		require.NoError(t, err)
		require.Len(t, snap.Subjects, 2)
		for _, h := range []holder{first, second} {
			p := find(t, snap, h.pid)
			if runtime.GOOS == "linux" {
				require.WithinDuration(t, time.Now(), p.Identity.Started, time.Minute)
			}
			want := series.Identity{ID: id(h.pid), Name: fmt.Sprintf("observe.test (%d)", h.pid), PID: h.pid, Paired: true, Started: p.Identity.Started}
			require.Equal(t, &want, p.Identity)
			require.Equal(t, 4, p.Client.Counts.Of(socketstats.Established))
			require.Equal(t, 4, p.Server.Counts.Of(socketstats.Established))
			require.Equal(t, 4, p.Server.Counts.Total())
		}
		require.Len(t, snap.Listeners, 1)

		// A connection that its process closed stays in that process's row, but for one that
		// was missing from a list: the kernel's table in /proc may miss one.
		closed, kept := 0, false
		for ; !kept && closed < 3; closed++ {
			first.tell()
			first.heard("closed")
			require.Eventually(t, func() bool {
				snap, err = w.Sample(t.Context())
				require.NoError(t, err)
				kept = find(t, snap, first.pid).Client.Counts.Of(socketstats.TimeWait) == 1
				last := snap.Subjects[len(snap.Subjects)-1] // the row without process comes last
				return kept || src.Name() != "sockdiag" && last.ID == observe.NoProcess && last.Client.Counts.Of(socketstats.TimeWait) == closed+1
			}, time.Minute, 10*time.Millisecond)
		}
		require.True(t, kept)
		require.Equal(t, 4-closed, find(t, snap, first.pid).Client.Counts.Of(socketstats.Established))
		require.Equal(t, 4, find(t, snap, second.pid).Client.Counts.Of(socketstats.Established))
	})
}

func TestConnectionClosedBetweenTwoCountsHasNoProcess(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source) {
		t.Parallel()
		l, port := listen(t)
		w := newWatcher(t, src, series.Target{Port: port}, observe.Options{})
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		accept(t, l, 1)
		require.NoError(t, c.Close())
		require.Eventually(t, func() bool {
			snap, err := w.Sample(t.Context())
			require.NoError(t, err)
			last := len(snap.Subjects) - 1 // the row without process comes last
			return last >= 0 && snap.Subjects[last].ID == observe.NoProcess && snap.Subjects[last].Client.Counts.Of(socketstats.TimeWait) == 1
		}, time.Minute, 10*time.Millisecond)
		snap, err := w.Sample(t.Context())
		require.NoError(t, err)
		require.Equal(t, observe.NoProcess, snap.Subjects[len(snap.Subjects)-1].ID)
	})
}

func TestProcessesAreWatchedWhateverTheyTalkTo(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source) {
		t.Parallel()
		l, _ := listen(t)
		h := startHolder(t, l.Addr().String())
		accept(t, l, 4)
		h.heard("held")
		w := newWatcher(t, src, series.Target{PIDs: []int32{h.pid}}, observe.Options{})
		snap, err := w.Sample(t.Context())
		require.NoError(t, err)
		require.Len(t, snap.Subjects, 1)
		require.Equal(t, 4, snap.Subjects[0].Client.Counts.Total())
		require.Zero(t, snap.Subjects[0].Server.Counts.Total())

		// Ourselves, by number: the four server ends, and the listener.
		self := newWatcher(t, src, series.Target{PIDs: []int32{int32(os.Getpid())}}, observe.Options{})
		snap, err = self.Sample(t.Context())
		require.NoError(t, err)
		require.GreaterOrEqual(t, snap.Subjects[0].Server.Counts.Of(socketstats.Established), 4)
		require.GreaterOrEqual(t, snap.Subjects[0].Server.Counts.Of(socketstats.Listen), 1)
	})
}

func TestMissingProcessIsAnError(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source) {
		t.Parallel()
		_, err := observe.New(t.Context(), src, series.Target{PIDs: []int32{999_999_999}}, observe.Options{})
		require.ErrorIs(t, err, socketstats.ErrNoProcess)
		_, err = observe.New(t.Context(), src, series.Target{Name: "no-such-program-anywhere"}, observe.Options{})
		require.ErrorIs(t, err, socketstats.ErrNoProcess)
	})
}

func TestAThreadOfTheKernelIsNoTarget(t *testing.T) {
	if name, err := os.ReadFile("/proc/2/comm"); err != nil || string(name) != "kthreadd\n" {
		t.Skip("the kernel's threads are not seen in here")
	}
	eachSource(t, func(t *testing.T, src socketstats.Source) {
		t.Parallel()
		_, err := observe.New(t.Context(), src, series.Target{PIDs: []int32{2}}, observe.Options{})
		require.ErrorIs(t, err, socketstats.ErrKernelThread)
		_, err = observe.New(t.Context(), src, series.Target{Name: "kthreadd"}, observe.Options{})
		require.ErrorIs(t, err, socketstats.ErrKernelThread)
	})
}

func TestWatchEndsWithItsLastProcess(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source) {
		t.Parallel()
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		l, _ := listen(t)
		cmd.Env = append(os.Environ(), "HOLD_CONNECTIONS_TO="+l.Addr().String())
		require.NoError(t, cmd.Start())
		w := newWatcher(t, src, series.Target{PIDs: []int32{int32(cmd.Process.Pid)}}, observe.Options{})
		_, err = w.Sample(t.Context())
		require.NoError(t, err)
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
		_, err = w.Sample(t.Context())
		require.ErrorIs(t, err, observe.ErrGone)
	})
}

func TestWatchingDoesNotOpenDescriptors(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source) {
		if _, err := os.Stat("/proc/self/fd"); err != nil {
			t.Skip("no /proc/self/fd to count descriptors with")
		}
		descriptors := func() (targets []string) {
			entries, err := os.ReadDir("/proc/self/fd")
			require.NoError(t, err)
			for _, e := range entries {
				target, _ := os.Readlink("/proc/self/fd/" + e.Name())
				targets = append(targets, e.Name()+" "+target)
			}
			return targets
		}
		before := descriptors()
		for range 5 {
			w, err := observe.New(t.Context(), src, series.Target{Name: "observe.test"}, observe.Options{})
			require.NoError(t, err)
			_, err = w.Sample(t.Context())
			require.NoError(t, err)
			require.NoError(t, w.Close())
		}
		// One that is being read is closed when its reader has run, which may wait for a processor.
		if after := descriptors(); len(after) > len(before)+2 {
			require.Eventually(t, func() bool { return len(descriptors()) <= len(before)+2 }, time.Minute, 10*time.Millisecond,
				"%s\nbefore: %s", after, before)
		}
	})
}

// endsWhenListed is a source during whose list a process ends.
type endsWhenListed struct {
	socketstats.Source
	end func()
}

func (s endsWhenListed) Sockets(ctx context.Context, q socketstats.Query) ([]socketstats.Socket, error) {
	sockets, err := s.Source.Sockets(ctx, q)
	s.end()
	return sockets, err
}

// What is listed of a process that ends meanwhile may be a half of it: it does not count.
func TestWhatEndsWhileItIsListedIsInNoSample(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source) {
		t.Parallel()
		l, _ := listen(t)
		start := func() (pid int32, end func()) {
			cmd := exec.Command(os.Args[0], "-test.run=^$")
			in, err := cmd.StdinPipe()
			require.NoError(t, err)
			cmd.Env = append(os.Environ(), "HOLD_CONNECTIONS_TO="+l.Addr().String())
			require.NoError(t, cmd.Start())
			end = sync.OnceFunc(func() {
				require.NoError(t, in.Close())
				require.NoError(t, cmd.Wait())
			})
			t.Cleanup(end)
			return int32(cmd.Process.Pid), end
		}
		only, end := start()
		alone := newWatcher(t, endsWhenListed{src, end}, series.Target{PIDs: []int32{only}}, observe.Options{Details: true})
		_, err := alone.Sample(t.Context())
		require.ErrorIs(t, err, observe.ErrGone)

		ends, end := start()
		stays, _ := start()
		both := newWatcher(t, endsWhenListed{src, end}, series.Target{PIDs: []int32{ends, stays}}, observe.Options{Details: true})
		m, err := both.Sample(t.Context())
		require.NoError(t, err)
		var there []string
		for _, s := range m.Subjects {
			if !observe.IsNoProcess(s.ID) { // which has what lingers
				there = append(there, s.ID)
			}
		}
		require.Equal(t, []string{strconv.Itoa(int(stays))}, there)
	})
}
