package netnstest

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	Enter()
	os.Exit(m.Run())
}

// inside skips a test where Enter found no namespace.
func inside(t *testing.T) {
	t.Helper()
	if !Inside() {
		t.Skip("this system allows no network namespace")
	}
}

func TestTheNamespaceIsAnotherThanOurParents(t *testing.T) {
	inside(t)
	ours, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	theirs, err := os.Readlink("/proc/" + strconv.Itoa(os.Getppid()) + "/ns/net")
	if errors.Is(err, fs.ErrPermission) {
		return // the parent is in another user namespace, and so in another network namespace
	}
	require.NoError(t, err)
	require.NotEqual(t, theirs, ours)
}

func TestLoopbackIsUpInBothFamilies(t *testing.T) {
	inside(t)
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", at)
		if at == "[::1]:0" && err != nil {
			t.Skip("no IPv6 here: ", err)
		}
		require.NoError(t, err)
		defer l.Close()
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
}

// A test's own processes must meet it where it is.
func TestWhatATestStartsIsInTheSameNamespace(t *testing.T) {
	inside(t)
	if os.Getenv("NETNSTEST_WANT") != "" {
		ours, err := os.Readlink("/proc/self/ns/net")
		require.NoError(t, err)
		require.Equal(t, os.Getenv("NETNSTEST_WANT"), ours)
		return
	}
	ours, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	again := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), "NETNSTEST_WANT="+ours)
	out, err := again.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
}

func TestNameAndUserStayTheSame(t *testing.T) {
	inside(t)
	name, err := os.ReadFile("/proc/self/comm")
	require.NoError(t, err)
	require.Equal(t, "netnstest.test\n", string(name))
	id, err := exec.Command("stat", "-c", "%u", "/proc/self").Output()
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(os.Getuid())+"\n", string(id))
	_, err = os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
}
