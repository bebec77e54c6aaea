package uprobe_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/internal/uprobe"
	"socketlab/internal/where"
)

// build builds the program of a folder of testdata, with the version of Go that
// scripts/where asks for.
func build(t *testing.T, name string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	source, err := os.ReadFile(filepath.Join("testdata", name, "main.go"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module "+name+"\n\ngo 1.21\n"), 0o600))
	for _, own := range []string{"go.mod", "go.sum"} { // of one that needs other modules
		if text, err := os.ReadFile(filepath.Join("testdata", name, own)); err == nil {
			require.NoError(t, os.WriteFile(filepath.Join(dir, own), text, 0o600))
		}
	}
	c := exec.Command("go", append(append([]string{"build", "-o", name}, flags...), ".")...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if version := os.Getenv("WHERE_TOOLCHAIN"); version != "" {
		c.Env = append(c.Env, "GOTOOLCHAIN="+version)
	}
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return filepath.Join(dir, name)
}

// marks are how many connections the lines of a program hold, as its comments say.
func marks(t *testing.T, name string) map[string]int {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", name, "main.go"))
	require.NoError(t, err)
	want := map[string]int{}
	number := 0
	for line := range strings.Lines(string(source)) {
		number++
		if m := regexp.MustCompile(`// ([a-z-]+): (\d+)\n`).FindStringSubmatch(line); m != nil {
			n := 0
			_, err := fmt.Sscan(m[2], &n)
			require.NoError(t, err)
			want[fmt.Sprintf("%s at %d", m[1], number)] = n
		}
	}
	return want
}

// begin runs a program until it says that it is ready. The function that it returns has it
// go on until it is done.
func begin(t *testing.T, path string, arguments ...string) (pid int32, goOn func()) {
	t.Helper()
	c := exec.Command(path, arguments...)
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	said := bufio.NewReader(out)
	expect := func(word string) {
		line, err := said.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, word+"\n", line)
	}
	expect("ready")
	return int32(c.Process.Pid), func() {
		_, err := io.WriteString(in, "\n")
		require.NoError(t, err)
		expect("done")
	}
}

func open(t *testing.T, pid int32, o uprobe.Options) *uprobe.Prober {
	t.Helper()
	p, err := uprobe.Open(pid, o)
	if errors.Is(err, uprobe.ErrNotAllowed) || errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// found is what a report says, as [marks] has it.
func found(r *where.Report) map[string]int {
	got := map[string]int{}
	for i := range r.Groups {
		got[fmt.Sprintf("%s at %d", r.Groups[i].State, r.Groups[i].Site.Line)] += r.Groups[i].Count()
	}
	return got
}

func TestLinesThatHoldConnectionsAreFound(t *testing.T) {
	want := marks(t, "leaks")
	cases := map[string][]string{
		"stripped":      {"-ldflags", "-s -w"},
		"not optimised": {"-gcflags", "-N -l"},
		"one by one":    {"-ldflags", "-s -w"}, // as on a kernel before 6.10
	}
	if os.Getenv("WHERE_PIE") != "" { // it compiles the standard library once more
		cases["position-independent"] = []string{"-buildmode=pie", "-ldflags", "-s -w"}
	}
	for name, flags := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name == "not optimised" {
				t.Skip("it compiles the standard library once more")
			}
			pid, goOn := begin(t, build(t, "leaks", flags...))
			o := uprobe.Options{Stacks: true}
			if name == "one by one" {
				o = o.OneByOne()
			}
			p := open(t, pid, o)
			goOn()
			r, err := p.Report()
			require.NoError(t, err)
			require.Equal(t, want, found(r), "%+v", r)
			require.Empty(t, r.Unknown)
			require.Equal(t, 31, r.Connections)
			for _, g := range r.Groups {
				pools := map[where.State]int{where.BodyOpen: 1, where.Idle: 6} // the idle ones have a transport each
				require.Equal(t, pools[g.State], g.Pools, "%+v", g)
				require.Equal(t, g.Stack, slices.Compact(slices.Clone(g.Stack)), "no frame twice")
			}
		})
	}
}

// What is closed is not said to hold the connection of another line, although the memory
// is used again.
func TestMemoryThatIsUsedAgainIsNotMistaken(t *testing.T) {
	t.Parallel()
	want := marks(t, "reused")
	pid, goOn := begin(t, build(t, "reused", "-ldflags", "-s -w"))
	p := open(t, pid, uprobe.Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		goOn()
	}()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		case <-time.After(300 * time.Millisecond): // as diagnose does, only more often
		}
		_, err := p.Report()
		require.NoError(t, err)
	}
	require.EventuallyWithT(t, func(t *assert.CollectT) { // the last one is closed by then
		r, err := p.Report()
		require.NoError(t, err)
		require.Equal(t, want, found(r), "%+v", r)
	}, time.Minute, 100*time.Millisecond)
}

// Between the list of the descriptors and the uses that were seen a number may become that of
// another socket.
func TestADescriptorThatIsAnotherSocketByNowIsNotMistaken(t *testing.T) {
	t.Parallel()
	want := marks(t, "replaced")
	pid, goOn := begin(t, build(t, "replaced", "-ldflags", "-s -w"))
	p := open(t, pid, uprobe.Options{})
	r, err := p.ReportMeanwhile(goOn)
	require.NoError(t, err)
	require.Equal(t, want, found(r), "%+v", r)
	r, err = p.Report()
	require.NoError(t, err)
	require.Equal(t, want, found(r), "%+v", r)
}

func TestKindsOfHoldersAreToldApart(t *testing.T) {
	t.Parallel()
	want := marks(t, "kinds")
	pid, goOn := begin(t, build(t, "kinds", "-ldflags", "-s -w"))
	p := open(t, pid, uprobe.Options{})
	goOn()
	for mark, n := range want { // several streams are on one connection
		if line, ok := strings.CutPrefix(mark, "streams at "); ok {
			delete(want, mark)
			want["body-not-finished at "+line] = n
		}
	}
	// What is read on is not open for long without a read, and what waits for a read neither.
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		r, err := p.Report()
		require.NoError(t, err)
		require.Equal(t, want, found(r), "%+v", r)
		require.Empty(t, r.Unknown)
		require.Equal(t, 1, r.Groups[0].Connections)
		for _, g := range r.Groups {
			require.Equal(t, g.Pool != "" && (g.Connections > 0 || g.State == where.Reading), g.Pools == 1, "%+v", g)
		}
		require.Equal(t, map[string]int{"main.stream": 1, "main.hold": 1}, unread(r), "%+v", r)
	}, time.Minute, 300*time.Millisecond)
}

// unread are the functions that left bodies open which were not read for some time, with
// of how many connections.
func unread(r *where.Report) map[string]int {
	list := map[string]int{}
	for i := range r.Groups {
		if g := &r.Groups[i]; g.State == where.BodyOpen && g.Lasting > 0 {
			list[g.Site.Function] = g.Lasting
		}
	}
	return list
}

// Connections of packages that others have written, each at the line that took it.
func TestLinesThatCallPackagesAreFound(t *testing.T) {
	if os.Getenv("WHERE_PACKAGES") == "" {
		t.Skip("it needs the module proxy, and minutes to compile: scripts/where --packages")
	}
	want := marks(t, "libraries")
	pid, goOn := begin(t, build(t, "libraries", "-ldflags", "-s -w"))
	p := open(t, pid, uprobe.Options{})
	goOn()
	r, err := p.Report()
	require.NoError(t, err)
	require.Equal(t, want, found(r), "%+v", r)
	require.Empty(t, r.Unknown)
}

func TestConnectionsFromBeforeAreNotKnown(t *testing.T) {
	t.Parallel()
	pid, goOn := begin(t, build(t, "leaks"))
	goOn()
	p := open(t, pid, uprobe.Options{})
	r, err := p.Report()
	require.NoError(t, err)
	require.Empty(t, r.Groups)
	const reason = "they were not used while it was looked at"
	require.Equal(t, []where.Unknown{
		{Connections: 25, Reason: reason, State: where.BodyOpen}, {Connections: 6, Reason: reason, State: where.Idle},
	}, r.Unknown)
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		r, err := p.Report()
		require.NoError(t, err)
		require.Equal(t, 25, r.Lasting(where.BodyOpen), "%+v", r)
	}, time.Minute, 300*time.Millisecond)
}

// A socket that is connected between the two things that are read has a line.
func TestConnectionThatIsMadeMeanwhileHasItsLine(t *testing.T) {
	t.Parallel()
	want := marks(t, "connecting")
	pid, goOn := begin(t, build(t, "connecting", "-ldflags", "-s -w"))
	p := open(t, pid, uprobe.Options{})
	p.BeforeSockets(goOn)
	r, err := p.Report()
	require.NoError(t, err)
	require.Equal(t, want, found(r), "%+v", r)
	require.Empty(t, r.Unknown)
}

func TestWhereAProgramInCConnects(t *testing.T) {
	t.Parallel()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("there is no C compiler: install gcc")
	}
	path := filepath.Join(t.TempDir(), "client")
	out, err := exec.Command(compiler, "-O1", "-g", "-fno-omit-frame-pointer", "-o", path, "testdata/client.c").CombinedOutput()
	require.NoError(t, err, "%s", out)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	pid, goOn := begin(t, path, fmt.Sprint(listener.Addr().(*net.TCPAddr).Port))
	p := open(t, pid, uprobe.Options{})
	goOn()
	r, err := p.Report()
	require.NoError(t, err)
	require.Empty(t, r.Unknown)
	require.Len(t, r.Groups, 1, "%+v", r)
	require.Equal(t, "dial", r.Groups[0].Site.Function)
	require.Equal(t, 18, r.Groups[0].Site.Line)
	require.Equal(t, 5, r.Groups[0].Connections)
	require.Equal(t, "orders", r.Groups[0].Callers[0].Function)
	require.Equal(t, 5, r.Groups[0].Callers[0].Count)
}
