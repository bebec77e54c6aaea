package uprobe_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/bpf/privilegetest"
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

// A program without privilege looks into one of root's, with some capabilities each time.
func TestPrivilegeIsNeeded(t *testing.T) {
	if !uprobe.Allowed() {
		t.Skip("it needs root, and a kernel with uprobes")
	}
	binary := privilegetest.Copy(t)
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
			said := privilegetest.Says(t, binary, "LOOK_INTO="+strconv.Itoa(os.Getpid()), test.caps)
			require.Equal(t, test.want, said)
		})
	}
}
