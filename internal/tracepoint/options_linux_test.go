package tracepoint

import (
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats/fdtest"
	"socketlab/internal/socketstats/netnstest"

	"socketlab/internal/bpf"
	"socketlab/internal/bpf/privilegetest"
)

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"65 ports":          {Ports: slices.Repeat([]uint16{80}, 65)},
		"port 0":            {Ports: []uint16{80, 0}},
		"less than nothing": {Buffer: -1},
		"more than 1 GiB":   {Buffer: 1<<30 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Open(o)
			require.Error(t, err)
			require.NotErrorIs(t, err, ErrNotAllowed)
			require.Nil(t, l)
		})
	}
}

func TestTheBufferIsRoundedUp(t *testing.T) {
	page := uint32(os.Getpagesize())
	for asked, want := range map[int]uint32{
		1: page, int(page): page, int(page) + 1: 2 * page, 16 << 20: 16 << 20, 1 << 30: 1 << 30,
	} {
		require.Equal(t, want, ringSize(asked), "asked for %d", asked)
	}
}

func TestErrorsSayWhatIsMissing(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/sys/kernel/btf/vmlinux", Err: unix.EACCES}
	require.ErrorIs(t, explain(denied), ErrNotAllowed)
	require.ErrorIs(t, explain(unix.EPERM), ErrNotAllowed)
	refused := explain(&bpf.RefusedError{Cause: unix.EACCES})
	require.NotErrorIs(t, refused, ErrNotAllowed, "a fault of the program's")
	require.NotErrorIs(t, refused, errors.ErrUnsupported)
	require.ErrorIs(t, explain(bpf.ErrNoType), errors.ErrUnsupported)
	require.ErrorIs(t, explain(unix.ENOSYS), errors.ErrUnsupported)

	types, err := bpf.KernelTypes()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		t.Skip("this kernel does not describe its types, or not to this user: ", err)
	}
	require.NoError(t, err)
	for _, path := range [][]string{{"skc_none"}, {"skc_net", "none"}} {
		_, err = types.Offset("sock_common", path...)
		require.ErrorIs(t, explain(err), errors.ErrUnsupported)
		require.ErrorContains(t, err, path[len(path)-1])
	}
	_, err = types.Offset("no_such_struct", "x")
	require.ErrorIs(t, explain(err), errors.ErrUnsupported)
}

func TestAClosedListenerHearsNothing(t *testing.T) {
	e := open(t, Options{})
	require.NoError(t, e.l.Close())
	_, _, err := e.l.Drain(nil)
	require.ErrorIs(t, err, os.ErrClosed)
	require.NoError(t, e.l.Close())
}

// A program without privilege opens the tracepoint, with some capabilities each time.
func TestPrivilegeIsNeeded(t *testing.T) {
	open(t, Options{})
	binary := privilegetest.Copy(t)
	for name, test := range map[string]struct {
		caps []uintptr
		want string
	}{
		"none":                    {nil, "not allowed"},
		"CAP_BPF alone":           {[]uintptr{unix.CAP_BPF}, "not allowed"},
		"CAP_PERFMON alone":       {[]uintptr{unix.CAP_PERFMON}, "not allowed"},
		"CAP_BPF and CAP_PERFMON": {[]uintptr{unix.CAP_BPF, unix.CAP_PERFMON}, "opened"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, privilegetest.Says(t, binary, roleEnv+"="+roleOpen, test.caps))
		})
	}
}

// Both namespaces have a server at the same port, so that only the namespace
// tells one from the other.
func TestEachNetworkNamespaceIsHeardAlone(t *testing.T) {
	t.Run("with a buffer each", func(t *testing.T) {
		eachNamespaceAlone(t, func(here *ear, o Options) *ear { return open(t, o) })
	})
	t.Run("with one buffer", func(t *testing.T) {
		eachNamespaceAlone(t, func(here *ear, o Options) *ear {
			l, err := here.l.Beside(o.NetNS)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, l.Close()) })
			_, err = here.l.Beside(o.NetNS)
			require.ErrorContains(t, err, "has a listener")
			return &ear{t: t, l: l}
		})
	})
}

func eachNamespaceAlone(t *testing.T, openThere func(here *ear, o Options) *ear) {
	ln, server := listen(t, "127.0.0.1:0")
	here := open(t, Options{Ports: []uint16{server.Port()}})
	var there *ear
	var namespace uint32
	elsewhere(t, func(inode uint32) {
		namespace = inode
		there = openThere(here, Options{Ports: []uint16{server.Port()}, NetNS: inode})
		ln, _ := listen(t, server.String())
		c, s := connect(t, ln, server.String())
		shut(t, c, s)
		require.NoError(t, ln.Close())
	})
	there.untilClosed(3)
	require.Len(t, there.heard, 12, "a connection, and the listener")

	c, s := connect(t, ln, server.String())
	client := netip.MustParseAddrPort(c.LocalAddr().String())
	shut(t, c, s)
	here.untilClosed(2)
	require.Len(t, here.heard, 10)
	require.Len(t, append(servers(here.heard, client.Port()), clients(here.heard, client.Port())...), 9,
		"all but the first, in which the kernel has not picked the client's port yet")
	there.hear()
	require.Len(t, there.heard, 12)

	// One that is closed hears no more, and the other one does.
	require.NoError(t, there.l.Close())
	_, _, err := there.l.Drain(nil)
	require.ErrorIs(t, err, os.ErrClosed)
	c, s = connect(t, ln, server.String())
	shut(t, c, s)
	here.untilClosed(4)
	require.Len(t, here.heard, 20)
	again := openThere(here, Options{Ports: []uint16{server.Port()}, NetNS: namespace})
	again.hear()
	require.Empty(t, again.heard)
}

// elsewhere runs f on a thread in a new network namespace, with its loopback
// up. The thread is not unlocked, so it ends with the goroutine.
func elsewhere(t *testing.T, f func(inode uint32)) {
	t.Helper()
	failed := make(chan error, 1)
	go func() {
		defer close(failed) // also where f stops the test
		runtime.LockOSThread()
		if err := errors.Join(unix.Unshare(unix.CLONE_NEWNET), netnstest.LoopbackUp()); err != nil {
			failed <- err
			return
		}
		info, err := os.Stat("/proc/thread-self/ns/net")
		if err != nil {
			failed <- err
			return
		}
		f(uint32(info.Sys().(*syscall.Stat_t).Ino))
	}()
	err := <-failed
	if errors.Is(err, unix.EPERM) {
		t.Skip("no new network namespace: ", err)
	}
	require.NoError(t, err)
	if t.Failed() {
		t.FailNow()
	}
}

func TestTooFewDescriptorsToListenLeaveNone(t *testing.T) {
	require.NoError(t, open(t, Options{}).l.Close()) // or it is skipped
	fdtest.LeavesNone(t, func() (io.Closer, error) { return Open(Options{}) })
}
