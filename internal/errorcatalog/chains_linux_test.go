package errorcatalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/loadgen"
)

// proof makes one error on real sockets, for one chain of one entry.
type proof struct {
	entry, when string
	// apart has it in a process of its own, root of a network of its own without
	// a route out: what it changes there concerns nobody else.
	apart bool
	make  func(t *testing.T) (*http.Response, error)
}

// notProven are the entries that no test makes, and why.
var notProven = map[string]string{
	"ENFILE": "fs.file-max is one for the whole machine: to reach it would take every other process down, and root is let past it",
}

// alsoTrue is what was seen to be true of another entry's error.
var alsoTrue = map[string]bool{}

func TestChains(t *testing.T) {
	made := 0
	for _, p := range proofs() {
		t.Run(p.entry+" "+p.when, func(t *testing.T) {
			if p.apart && os.Getenv(apartEnv) == "" {
				made++
				runApart(t)
				return
			}
			resp, err := p.make(t)
			p.check(t, resp, err)
			made++
		})
	}
	if made < len(proofs()) {
		return // some were not asked for, or failed
	}
	for _, e := range All() {
		for _, other := range e.Also {
			require.True(t, alsoTrue[e.Name+" of "+other], "%s is not also true of %s", e.Name, other)
		}
	}
}

func (p proof) check(t *testing.T, resp *http.Response, err error) {
	t.Helper()
	e, ok := Find(p.entry)
	require.True(t, ok)
	require.Contains(t, forms(e.chain(t, p.when).Errors), walk(err), "%v", err)
	for name, holds := range conditions {
		of, _ := Find(name)
		switch is := holds(resp, err); {
		case name == p.entry:
			require.True(t, is, "%s\nis not true of %v", of.Test, err)
		case is:
			require.Contains(t, of.Also, p.entry, "%s\nis true of %v too", of.Test, err)
			alsoTrue[name+" of "+p.entry] = true
		}
	}
	switch name := loadgen.ErrorName(err); {
	case err != nil && e.Counted != "":
		require.Equal(t, e.Counted, name)
	case err != nil:
		require.Equal(t, e.Name, name)
	case resp.StatusCode/100 != 2: // the lab's code makes an error of it
		require.Equal(t, e.Name, loadgen.ErrorName(loadgen.StatusError(resp.StatusCode)))
	}
}

func (e Entry) chain(t *testing.T, when string) Chain {
	t.Helper()
	for _, c := range e.Chains {
		if c.When == when {
			return c
		}
	}
	t.Fatalf("%s has no chain when %q", e.Name, when)
	return Chain{}
}

func TestEveryChainIsProven(t *testing.T) {
	proven := map[string]bool{}
	for _, p := range proofs() {
		require.False(t, proven[p.entry+": "+p.when], "%s: %s is there twice", p.entry, p.when)
		proven[p.entry+": "+p.when] = true
	}
	for _, e := range All() {
		for _, c := range e.Chains {
			require.NotEqual(t, notProven[e.Name] != "", proven[e.Name+": "+c.When], "%s: %s", e.Name, c.When)
		}
	}
}

// values are the errors that a chain calls by name, not by type.
var values = map[error]string{
	io.EOF: "io.EOF", io.ErrUnexpectedEOF: "io.ErrUnexpectedEOF", context.Canceled: "context.Canceled",
}

// walk writes an error as a Chain does.
func walk(err error) string {
	if err == nil {
		return "nil"
	}
	var links []string
	for ; err != nil; err = errors.Unwrap(err) {
		link := fmt.Sprintf("%T", err)
		if errno, ok := err.(syscall.Errno); ok { //nolint:errorlint // this link of the chain is asked for
			link = "syscall." + unix.ErrnoName(errno)
		} else if name := values[err]; name != "" {
			link = name
		}
		links = append(links, link)
	}
	return strings.Join(links, " -> ")
}

// forms are the chains that one with "A or B" in it stands for.
func forms(errors string) []string {
	before, last := "", errors
	if i := strings.LastIndex(errors, " -> "); i >= 0 {
		before, last = errors[:i+4], errors[i+4:]
	}
	var all []string
	for _, one := range strings.Split(last, " or ") {
		all = append(all, before+one)
	}
	return all
}

const apartEnv = "SOCKETLAB_ERRORBOOK_APART"

// runApart runs this very test again in a process and namespaces of its own.
func runApart(t *testing.T) {
	t.Helper()
	var parts []string
	for part := range strings.SplitSeq(t.Name(), "/") {
		parts = append(parts, "^"+regexp.QuoteMeta(part)+"$")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+strings.Join(parts, "/"), "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), apartEnv+"=1", "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EACCES) {
		t.Skip("this machine gives no namespaces to its users (user_namespaces(7)):", err)
	}
	require.NoError(t, err, "%s", out)
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
	require.Contains(t, string(out), "--- PASS: "+strings.ReplaceAll(t.Name(), " ", "_"), "it ran")
}
