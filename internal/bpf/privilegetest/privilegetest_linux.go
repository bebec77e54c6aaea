// Package privilegetest runs a test's binary as a user without privilege, with the capabilities
// that a test names. It needs Linux and root.
package privilegetest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// unprivileged is the id of a user and a group that own nothing.
const unprivileged = 65534

// Copy copies the test's binary to where every user can run it, until the end of the test: go
// test's folder is its owner's alone. It skips the test where it is not root's.
func Copy(t *testing.T) (binary string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir, err := os.MkdirTemp("", "privilege")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	in, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer in.Close()
	binary = filepath.Join(dir, "test")
	out, err := os.OpenFile(binary, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, errors.Join(err, out.Close()))
	return binary
}

// Says runs a binary without privilege but for these capabilities, with a variable NAME=VALUE in
// its environment, and returns what it prints, without spaces around.
func Says(t *testing.T, binary, variable string, capabilities []uintptr) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), variable, "GORACE=atexit_sleep_ms=0")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}, AmbientCaps: capabilities}
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return strings.TrimSpace(string(said))
}
