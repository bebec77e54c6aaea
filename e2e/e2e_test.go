// Package e2e looks at the live page with a real browser. It is a module of its
// own, so that nobody who builds sockwatch needs the browser's driver.
package e2e

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// foreign is a name that points at this machine for the browser, as somebody's
// name server could make it (DNS rebinding).
const foreign = "rebound.example"

// sockwatch is the program under test, and browser the context of one browser
// for all tests.
var (
	sockwatch string
	browser   context.Context
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		fmt.Println("skipped: no browser (apt-get install chromium)")
		return 0
	}
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	sockwatch = filepath.Join(dir, "sockwatch-e2e") // watched by its name, which no other has
	build := exec.Command("go", "build", "-o", sockwatch, "./cmd/sockwatch")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("%s: %v\n", out, err)
		return 1
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(3*time.Minute),
			chromedp.Flag("host-resolver-rules", "MAP "+foreign+" 127.0.0.1"))...)
	defer stop()
	ctx, end := chromedp.NewContext(allocator)
	defer end()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		fmt.Println("the browser does not start:", err)
		return 1
	}
	browser = ctx
	return m.Run()
}

// playing is a run with a page.
type playing struct {
	url string
	cmd *exec.Cmd
	out *os.File // its standard output
}

// play plays a scenario with its page.
func play(t *testing.T, id string, flags ...string) *playing {
	t.Helper()
	if len(flags) == 0 {
		flags = []string{"--web"}
	}
	return begin(t, append([]string{"demo", id, "--isolate", "never"}, flags...)...)
}

// begin starts sockwatch with a page.
func begin(t *testing.T, args ...string) *playing {
	t.Helper()
	cmd := exec.Command(sockwatch, args...)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	t.Cleanup(func() { out.Close() })
	cmd.Stdout = out
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &playing{cmd: cmd, out: out}
	t.Cleanup(func() { p.kill(t) })
	found := make(chan string, 1)
	go func() {
		at := regexp.MustCompile(`the (?:page|board) is at (http://\S+)`)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if m := at.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
			}
		}
	}()
	select {
	case p.url = <-found:
	case <-time.After(time.Minute):
		t.Fatal("no address")
	}
	return p
}

// await plays a scenario on a terminal, where a run waits for its viewers.
func await(t *testing.T, args ...string) *playing {
	t.Helper()
	cmd := exec.Command(sockwatch, append([]string{"demo", "--isolate", "never"}, args...)...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	require.NoError(t, err)
	p := &playing{cmd: cmd, out: terminal}
	t.Cleanup(func() { p.kill(t); terminal.Close() })
	found := make(chan string, 1)
	go func() {
		at := regexp.MustCompile(`the page is at \S*?(http://[^\s\x07]+)`)
		for lines := bufio.NewScanner(terminal); lines.Scan(); {
			if m := at.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
			}
		}
	}()
	select {
	case p.url = <-found:
	case <-time.After(time.Minute):
		t.Fatal("no address")
	}
	return p
}

// kill ends the run as a crash would.
func (p *playing) kill(t *testing.T) {
	if p.cmd.ProcessState == nil {
		require.NoError(t, p.cmd.Process.Kill())
		_ = p.cmd.Wait()
	}
}

// open returns a new tab of its own browser profile.
func open(t *testing.T, width, height int64) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	ctx, end := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(func() { end(); cancel() })
	do(t, ctx, chromedp.EmulateViewport(width, height))
	return ctx
}

func eval[T any](t *testing.T, ctx context.Context, expression string, opts ...chromedp.EvaluateOption) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, opts...))
	require.NoError(t, err, expression)
	return v
}

// wait waits until an expression is true.
func wait(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(3*time.Minute)))
	require.NoError(t, err, expression)
}

// skip leaves the question without an answer; of a run that is over none is asked.
func skip(t *testing.T, ctx context.Context) {
	t.Helper()
	wait(t, ctx, `document.getElementById("ask")?.open || document.getElementById("link")?.textContent.includes("over")`)
	if eval[bool](t, ctx, `document.getElementById("ask").open`) {
		do(t, ctx, chromedp.Click(chromedp.CSS("#skip")))
	}
}

// keep keeps a picture in the folder that E2E_PICTURES names.
func keep(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("E2E_PICTURES")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
}

// freeAddress is an address that is free, with a port below those that the kernel gives
// out, so that no connection takes it before it is used.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		if l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000))); err == nil {
			require.NoError(t, l.Close())
			return l.Addr().String()
		}
	}
	t.Fatal("no port from 10000 to 29999 is free")
	return ""
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, steps...))
}
