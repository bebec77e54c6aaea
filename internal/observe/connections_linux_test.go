package observe_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/fdtest"
)

func startChurn(t *testing.T, addr string) (pid int32, open func(int)) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "OPEN_AND_CLOSE_TO="+addr)
	in, out := startPiped(t, cmd)
	said := bufio.NewReader(out)
	return int32(cmd.Process.Pid), func(n int) {
		_, err := fmt.Fprintln(in, n)
		require.NoError(t, err)
		line, err := said.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "done\n", line)
	}
}

// serve accepts whatever comes and closes it when the client does.
func serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = c.Read(make([]byte, 1))
			_ = c.Close()
		}()
	}
}

// conns is what came and went of a process.
func conns(m series.Moment, pid int32) series.ConnCounts {
	for _, s := range m.Subjects {
		if s.ID == id(pid) && s.KernelConns != nil {
			return *s.KernelConns
		}
	}
	return series.ConnCounts{}
}

// Connects that are refused, also those of neighbours, are no connections: nobody
// knows whose they were, and nothing is missing in the count for that.
func TestARefusedConnectionIsNoneThatCameOrWent(t *testing.T) {
	src, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	l, port := listen(t)
	go serve(l)
	refusing, refused := listen(t)
	require.NoError(t, refusing.Close())
	w := newWatcher(t, src, series.Target{PIDs: []int32{int32(os.Getpid())}}, observe.Options{})
	// Only of these ports: the kernel may end sockets of a test before this one only now.
	require.NoError(t, w.WithoutPrivilege(port, refused))
	snap, err := w.Sample(t.Context())
	require.NoError(t, err)
	for range 50 {
		_, err := net.Dial("tcp", refusing.Addr().String())
		require.Error(t, err)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		snap, err = w.Sample(t.Context())
		require.NoError(t, err)
		return conns(snap, int32(os.Getpid())).Opened >= 1
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, c.Close())
	// The kernel tells of each end on the processor on which it was, and of those on a busy
	// one later than of others.
	require.Eventually(t, func() bool {
		snap, err = w.Sample(t.Context())
		require.NoError(t, err)
		return conns(snap, int32(os.Getpid())).Closed >= 1 && snap.FailedConnects >= 50
	}, time.Minute, 10*time.Millisecond)
	require.False(t, snap.AtLeast)
}

func TestRefusedConnectsAreCountedOfTheProcessThatConnected(t *testing.T) {
	src, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	refusing, _ := listen(t)
	require.NoError(t, refusing.Close())
	w := newWatcher(t, src, series.Target{PIDs: []int32{int32(os.Getpid())}}, observe.Options{})
	snap, err := w.Sample(t.Context())
	require.NoError(t, err)
	if snap.EventSource != "tracepoint" {
		t.Skip("run as root: the tracepoint may not be used")
	}
	before := conns(snap, int32(os.Getpid())).Refused
	for range 20 {
		_, err := net.Dial("tcp", refusing.Addr().String())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
	require.Eventually(t, func() bool {
		snap, err = w.Sample(t.Context())
		require.NoError(t, err)
		return conns(snap, int32(os.Getpid())).Refused >= before+20
	}, time.Minute, 10*time.Millisecond)
	got := conns(snap, int32(os.Getpid()))
	require.Equal(t, before+20, got.Refused)
	require.Equal(t, refusing.Addr().String(), got.RefusedAt)
}

// Connections that no count shows are counted all the same: with privilege for
// the process that made them, and else for no process.
func TestWhatComesAndGoesBetweenTwoCountsIsCounted(t *testing.T) {
	for _, target := range []string{"port", "process", "port, unprivileged"} {
		t.Run(target, func(t *testing.T) {
			src, err := socketstats.OpenSockdiag()
			require.NoError(t, err)
			defer src.Close()
			l, port := listen(t)
			go serve(l)
			pid, open := startChurn(t, l.Addr().String())
			h := startHolder(t, l.Addr().String())
			h.heard("held")

			to := series.Target{Port: port}
			if target == "process" {
				to = series.Target{PIDs: []int32{pid, h.pid}}
			}
			w := newWatcher(t, src, to, observe.Options{})
			row := pid
			if target == "port, unprivileged" {
				require.NoError(t, w.WithoutPrivilege(port))
				row = 0
			}
			snap, err := w.Sample(t.Context())
			require.NoError(t, err)
			if snap.EventSource != "tracepoint" && row != 0 {
				t.Skip("not allowed to hear the tracepoint")
			}
			require.Zero(t, conns(snap, row).Opened)

			const n = 500
			open(n)
			h.tell()
			h.heard("closed")
			require.Eventually(t, func() bool {
				snap, err = w.Sample(t.Context())
				require.NoError(t, err)
				return conns(snap, row).Closed >= n && conns(snap, h.pid).Closed >= 1
			}, time.Minute, 10*time.Millisecond)
			got := conns(snap, row)
			require.Equal(t, n, got.Opened)
			require.Equal(t, n, got.Closed)
			require.Zero(t, got.Accepted, "the client opened them, whichever end is heard")
			held := conns(snap, h.pid)
			require.Zero(t, held.Opened, "they were there before")
			require.Equal(t, 1, held.Closed)
			require.False(t, snap.AtLeast)

			open(10)
			require.Eventually(t, func() bool {
				snap, err = w.Sample(t.Context())
				require.NoError(t, err)
				return conns(snap, row).Closed >= n+10
			}, time.Minute, 10*time.Millisecond)
			require.Equal(t, n+10, conns(snap, row).Opened)
			if row != 0 {
				require.NotEmpty(t, snap.StateDurations)
			}
		})
	}
}

func TestTooFewDescriptorsForAWatcherLeaveNone(t *testing.T) {
	src, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	l, port := listen(t)
	defer l.Close()
	fdtest.LeavesNone(t, func() (io.Closer, error) {
		return observe.New(t.Context(), src, series.Target{Port: port}, observe.Options{Details: true, OwnNamespace: true})
	})
}

// A dialer with a timeout below a second sends one SYN, and leaves nothing behind.
func TestAttemptsThatWereGivenUpAreCountedOfTheProcessThatConnected(t *testing.T) {
	for _, privileged := range []bool{true, false} {
		t.Run(fmt.Sprintf("privileged=%t", privileged), func(t *testing.T) {
			src, err := socketstats.OpenSockdiag()
			require.NoError(t, err)
			defer src.Close()
			full, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			require.NoError(t, err)
			defer unix.Close(full)
			require.NoError(t, unix.Bind(full, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
			require.NoError(t, unix.Listen(full, 0))
			name, err := unix.Getsockname(full)
			require.NoError(t, err)
			to := fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
			place, err := net.Dial("tcp", to) // the only one in the accept queue
			require.NoError(t, err)
			defer place.Close()

			pid := int32(os.Getpid())
			w := newWatcher(t, src, series.Target{PIDs: []int32{pid}}, observe.Options{Details: true})
			if !privileged {
				require.NoError(t, w.WithoutPrivilege())
			}
			snap, err := w.Sample(t.Context())
			require.NoError(t, err)
			if privileged && snap.EventSource != "tracepoint" {
				t.Skip("run as root: the tracepoint may not be used")
			}
			before := conns(snap, pid)
			for range 3 {
				_, err := net.DialTimeout("tcp4", to, 300*time.Millisecond)
				require.Error(t, err)
			}
			require.Eventually(t, func() bool {
				snap, err = w.Sample(t.Context())
				require.NoError(t, err)
				return conns(snap, pid).GivenUp >= before.GivenUp+3
			}, time.Minute, 10*time.Millisecond)
			got := conns(snap, pid)
			require.Equal(t, before.GivenUp+3, got.GivenUp)
			require.Equal(t, before.Opened, got.Opened)
			require.Zero(t, got.Refused)
		})
	}
}
