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
	roleEnv    = "STATEFIXTURE_ROLE"
	roleListen = "listen"
	// RoleIdle is a process that does nothing.
	RoleIdle = "idle"
)

// Role is the work of a helper process. It returns a line for the test. What it opened
// stays open until the test ends.
type Role func(args []string) string

// Child does the work of a helper process, and does not return, if [Start] started this
// process. Call it first in TestMain, with the roles of the package's tests.
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

// Helper is a running helper process.
type Helper struct {
	PID  int32
	Said string // the line of its [Role]
}

// Start runs the test binary in a role until the test ends, and waits for its line.
// configure may be nil, or change the command. If it makes it run as another user who
// may not run this binary, the test is skipped.
func Start(t testing.TB, configure func(*exec.Cmd), role string, args ...string) Helper {
	t.Helper()
	// By /proc, because another user cannot read go test's folder.
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

// listen opens a listener with SO_REUSEPORT.
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

// held keeps the garbage collector from closing a helper's listener.
var held net.Listener //nolint:unused // only written, on purpose
