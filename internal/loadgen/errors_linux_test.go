package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// socket returns the address of a socket that is bound to loopback and, with a
// backlog of 0 or more, listens.
func socket(t *testing.T, backlog int) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	if backlog >= 0 {
		require.NoError(t, unix.Listen(fd, backlog))
	}
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	at := name.(*unix.SockaddrInet4)
	return netip.AddrPortFrom(netip.AddrFrom4(at.Addr), uint16(at.Port)).String()
}

// full returns the address of a listener whose queue is full: the kernel drops
// what else asks for a connection, and a dial hangs.
func full(t *testing.T) string {
	t.Helper()
	addr := socket(t, 0)
	for range 100 {
		conn, err := net.DialTimeout("tcp", addr, brief)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the queue takes any number of connections")
	return ""
}

func TestNameOfEachErrorOfTheKernel(t *testing.T) {
	dialFrom := func(local, remote string) error {
		from, err := net.ResolveTCPAddr("tcp", local)
		if err != nil {
			return err
		}
		conn, err := (&net.Dialer{LocalAddr: from}).Dial("tcp", remote)
		if err == nil {
			conn.Close()
		}
		return err
	}
	tests := []struct {
		want, how string
		err       func(t *testing.T) error
	}{
		{"ECONNREFUSED", "nobody listens", func(t *testing.T) error {
			_, err := net.Dial("tcp", socket(t, -1))
			return err
		}},
		{"ECONNREFUSED", "over HTTP", func(t *testing.T) error { return request(t, socket(t, -1), nil) }},
		{"timeout", "of the dialer", func(t *testing.T) error {
			_, err := net.DialTimeout("tcp", full(t), brief)
			return err
		}},
		{"timeout", "of a dial's context", func(t *testing.T) error {
			ctx, cancel := context.WithTimeout(context.Background(), brief)
			defer cancel()
			_, err := new(net.Dialer).DialContext(ctx, "tcp", full(t))
			return err
		}},
		{"canceled", "in mid-dial", func(t *testing.T) error {
			addr := full(t)
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(brief, cancel)
			_, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			return err
		}},
		{"EPIPE", "a write after the end", func(t *testing.T) error {
			conn, err := net.Dial("tcp", raw(t, func(*net.TCPConn) {}))
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			_, err = conn.Write([]byte("more"))
			return err
		}},
		{"EADDRNOTAVAIL", "a dial from another machine's address", func(t *testing.T) error {
			return dialFrom("192.0.2.1:0", socket(t, 1)) // TEST-NET-1, RFC 5737
		}},
		{"EADDRINUSE", "two listeners on one port", func(t *testing.T) error {
			_, err := net.Listen("tcp", socket(t, 1))
			return err
		}},
	}
	for _, test := range tests {
		t.Run(test.want+" "+test.how, func(t *testing.T) { requireName(t, test.want, test.err(t)) })
	}
}

// childEnv makes the test program dial its value until that fails, in place of
// the tests, with few descriptors to do it.
const childEnv = "SOCKETLAB_CLIENT_TEST_CHILD"

func init() {
	if os.Getenv(childEnv) != "" {
		os.Exit(dialUntilItFails())
	}
}

func child(addr string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+addr, "GORACE=atexit_sleep_ms=0")
	return cmd
}

func dialUntilItFails() int {
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: 64}); err != nil {
		fmt.Println(err)
		return 1
	}
	for range 100 {
		if _, err := net.Dial("tcp", os.Getenv(childEnv)); err != nil {
			fmt.Println(ErrorName(err), MaxFDs())
			return 0
		}
	}
	return 1
}

func TestErrorWithoutDescriptorsLeft(t *testing.T) {
	out, err := child(raw(t, func(*net.TCPConn) {})).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "EMFILE 16\n", string(out), "and a load may take a quarter of 64")
}

func TestErrorWithoutANetwork(t *testing.T) {
	cmd := child("192.0.2.1:80")
	// A network of its own, which has no routes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EACCES) {
		t.Skip("this machine gives no namespaces to its users (user_namespaces(7)):", err)
	}
	require.NoError(t, err, "%s", out)
	require.Equal(t, "ENETUNREACH 16\n", string(out))
}
