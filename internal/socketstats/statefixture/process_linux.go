package statefixture

import (
	"bufio"
	"context"
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
)

const (
	roleEnv    = "SOCKETSTATSTEST_ROLE"
	roleListen = "listen"
	// RoleIdle is a process that does nothing.
	RoleIdle = "idle"
)

// Role is what a helper process does. It returns the line that it has to say,
// and what it holds stays held until its test ends.
type Role func(args []string) string

// Child makes this process a helper, and does not return, if [Start] made it.
// Call it first in TestMain, with the roles the package's own tests need.
func Child(roles map[string]Role) {
	name := os.Getenv(roleEnv)
	if name == "" {
		return
	}
	role := roles[name]
	switch name {
	case roleListen:
		role = listen
	case RoleIdle:
		role = func([]string) string { return "idle" }
	}
	fmt.Println(role(os.Args[1:]))
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with the test, also a killed one
	os.Exit(0)
}

// Helper is a running process of this test binary in a role.
type Helper struct {
	PID  int32
	Said string // its line
}

// Start runs the test binary in a role until the test ends, and waits for its
// line. Configure, where not nil, changes how it is started; where that is as
// another user who may not run this binary, the test is skipped.
func Start(t testing.TB, configure func(*exec.Cmd), role string, args ...string) Helper {
	t.Helper()
	// Through /proc, because another user cannot reach go test's folder.
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.Stderr = os.Stderr
	if configure != nil {
		configure(cmd)
	}
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	err = cmd.Start()
	if attr := cmd.SysProcAttr; err != nil && attr != nil && attr.Credential != nil {
		t.Skipf("cannot run the test binary as uid %d: %v", attr.Credential.Uid, err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = cmd.Wait() }) // t.Context has ended, so it is killed

	pipe := stdout.(interface{ SetReadDeadline(time.Time) error })
	require.NoError(t, pipe.SetReadDeadline(time.Now().Add(time.Minute)))
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "the %s helper said %q", role, line)
	return Helper{PID: int32(cmd.Process.Pid), Said: strings.TrimSpace(line)}
}

// listen holds a listener that shares its address.
func listen(args []string) string {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if control := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}); control != nil {
			return control
		}
		return err
	}}
	config.SetMultipathTCP(false) // an MPTCP socket shares no port with a TCP one
	l, err := config.Listen(context.Background(), "tcp", args[0])
	if err != nil {
		return err.Error()
	}
	held = l
	return "listening"
}

// held keeps a helper's listener from being collected, and so closed.
var held net.Listener //nolint:unused // only written, on purpose
