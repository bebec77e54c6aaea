package uprobe_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/uprobe"
)

// The test binary also looks into the process that this names, and says how that went.
func init() {
	pid, err := strconv.Atoi(os.Getenv("LOOK_INTO"))
	if err != nil {
		return
	}
	p, err := uprobe.Open(int32(pid), uprobe.Options{})
	switch {
	case err == nil:
		fmt.Println("opened", p.Close())
	case errors.Is(err, uprobe.ErrNotAllowed):
		fmt.Println("not allowed")
	default:
		fmt.Println(err)
	}
	os.Exit(0)
}

// Root gives up all privilege by becoming nobody, and gets back what is given.
func TestPrivilegeIsNeeded(t *testing.T) {
	if !uprobe.Allowed() {
		t.Skip("only root can become another user")
	}
	binary := publicCopy(t)
	for name, test := range map[string]struct {
		caps []uintptr
		want string
	}{
		"none":                       {nil, "not allowed"},
		"without CAP_SYS_ADMIN":      {[]uintptr{unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH}, "not allowed"},
		"without CAP_SYS_PTRACE":     {[]uintptr{unix.CAP_SYS_ADMIN, unix.CAP_DAC_READ_SEARCH}, "not allowed"},
		"of another user's, too few": {[]uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_PTRACE}, "not allowed"},
		"enough":                     {[]uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH}, "opened <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), binary)
			cmd.Env = append(os.Environ(), "LOOK_INTO="+strconv.Itoa(os.Getpid()), "GORACE=atexit_sleep_ms=0")
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: test.caps}
			said, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", said)
			require.Equal(t, test.want, strings.TrimSpace(string(said)))
		})
	}
}

// publicCopy copies the test binary to where every user can run it: go test's folder is its
// owner's alone.
func publicCopy(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "uprobe")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	in, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer in.Close()
	path := filepath.Join(dir, "test")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, errors.Join(err, out.Close()))
	return path
}
