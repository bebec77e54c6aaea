//go:build unix

package cli_test

import (
	"bytes"
	"fmt"
	"net/http"
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
)

// tmux is a real terminal, on a server of its own.
type tmux struct {
	t      *testing.T
	socket string
}

// inTmux runs a shell command in a terminal of a size. What the command leaves
// stays on the screen.
func inTmux(t *testing.T, width, height int, command string) *tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux here: apt-get install tmux")
	}
	if testing.Short() {
		t.Skip("plays real runs")
	}
	term := &tmux{t, filepath.Join(t.TempDir(), "s")}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", term.socket, "kill-server").Run() })
	term.do("-f", os.DevNull, "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height),
		"sh", "-c", command+"; echo code=$?; stty -a; exec cat")
	return term
}

func (x *tmux) do(args ...string) string {
	x.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-u", "-S", x.socket}, args...)...).CombinedOutput()
	require.NoError(x.t, err, "%s", out)
	return string(out)
}

func (x *tmux) press(key string) { x.do("send-keys", key) }

// screen is what is seen. until waits until all of these are seen at once: a picture may be
// half drawn.
func (x *tmux) screen() string { return x.do("capture-pane", "-p") }

func (x *tmux) until(all ...string) string {
	x.t.Helper()
	var screen string
	if !assert.Eventually(x.t, func() bool {
		screen = x.screen()
		return !slices.ContainsFunc(all, func(what string) bool { return !strings.Contains(screen, what) })
	}, soon, 100*time.Millisecond) {
		x.t.Fatalf("no %q on this screen:\n%s", all, x.do("capture-pane", "-p", "-S", "-"))
	}
	return screen
}

// asBefore says that the terminal is as it was: lines are echoed, the cursor is
// there, and what was on the screen before the view is back.
func (x *tmux) asBefore() {
	x.t.Helper()
	x.until(" icanon ")
	x.until(" echo ")
	require.Equal(x.t, "1 0", strings.TrimSpace(x.do("display-message", "-p", "#{cursor_flag} #{alternate_on}")))
}

// quoted makes words for a shell, each after a blank.
func quoted(words ...string) string {
	all := ""
	for _, word := range words {
		all += " '" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return all
}

func longScript(t *testing.T) string {
	file := filepath.Join(t.TempDir(), "long.yaml")
	require.NoError(t, os.WriteFile(file, []byte(longRun), 0o644))
	return file
}

func TestTerminalOfARun(t *testing.T) {
	t.Parallel()
	x := inTmux(t, 120, 45, "sockwatch run --isolate never "+longScript(t))
	x.until("sockets, client end")
	x.press("Tab")
	x.until("sockets, server end")
	x.press("?")
	x.until("The same counts by ss")
	x.press("d")
	x.until("+++ fixed.go")
	x.press("Escape")
	x.until("sockets, server end")
	x.press("Space")
	x.until("PAUSED")
	x.press("Space")
	x.do("resize-window", "-x", "70", "-y", "45")
	x.until("the view needs 80x24")
	x.do("resize-window", "-x", "160", "-y", "45")
	x.until("sockets, server end")
	x.press("q")
	screen := x.until("code=")
	require.Contains(t, screen, "code=0", "q is no failure")
	x.asBefore()
	require.Contains(t, x.do("capture-pane", "-p", "-S", "-"), "interrupted", "and the table says that it ended early")
}

func TestTerminalOfAComparison(t *testing.T) {
	t.Parallel()
	side := "client-%s --scenario " + longScript(t) + " --url {url}"
	x := inTmux(t, 120, 45, "sockwatch ab --for 5m"+quoted("--faulty", fmt.Sprintf(side, "faulty"), "--fixed", fmt.Sprintf(side, "fixed")))
	screen := x.until("verdict: idle-connections-not-reused", "ab: client-faulty ")
	require.NotContains(t, screen, "lesson")
	x.press("Tab")
	x.until("sockets, server end")
	x.press("Space")
	x.until("PAUSED")
	x.press("Tab")
	x.until("sockets, client end", "PAUSED")
	x.press("q")
	screen = x.until("code=")
	require.Contains(t, screen, "code=0", "q is no failure")
	require.Contains(t, screen, "ended early with q")
	x.asBefore()
	require.Contains(t, x.do("capture-pane", "-p", "-S", "-"), "ended early: interrupted")
}

// What the clients say has the terminal to itself.
func TestWithTheOutputOfClientsThereAreLines(t *testing.T) {
	t.Parallel()
	x := inTmux(t, 100, 40, "sockwatch ab --show-output --for 2s --interval 500ms"+
		quoted("--faulty", "echo I am {port}; sleep 9", "--fixed", "sleep 9 # {port}"))
	x.until("code=")
	all := x.do("capture-pane", "-p", "-S", "-")
	require.Regexp(t, `(?m)^faulty: I am \d+$`, all)
	require.Regexp(t, `(?m)^ +\d\.\ds  faulty: opened 0, client none`, all)
	require.NotContains(t, all, "sockets, client end")
}

func TestTerminalOfAReplay(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	run, watched := filepath.Join(folder, "run.jsonl"), filepath.Join(folder, "watch.jsonl")
	recorder := start(t, "sockwatch", "run", "--isolate", "never", "-q", "--record", run, longScript(t))
	require.Eventually(t, func() bool {
		lines, _ := os.ReadFile(run)
		return bytes.Count(lines, []byte("\n")) > 30
	}, soon, 10*time.Millisecond)
	require.NoError(t, recorder.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, 130, recorder.end(t))
	recorder = start(t, "sockwatch", "record", "--pid", pidOf(asking(t)), "--interval", "100ms", "--for", "2s", "-o", watched)
	require.Equal(t, 0, recorder.end(t))
	for file, of := range map[string]struct{ shown, printed string }{
		run:     {"the faulty side holds", "ended early: the replay was ended"},
		watched: {"1 process holds", ", counted by sockdiag"},
	} {
		slowly := "sockwatch replay --replay-speed 0.1 " + file
		x := inTmux(t, 120, 45, slowly)
		x.until(of.shown, "note: a recording of 20")
		x.press("Tab")
		x.until("sockets, server end")
		x.press("q")
		screen := x.until("code=")
		require.Contains(t, screen, "code=0", "q is no failure")
		require.Contains(t, screen, "ended early with q")
		require.Contains(t, x.do("capture-pane", "-p", "-S", "-"), of.printed)
		x.asBefore()

		x = inTmux(t, 120, 45, slowly)
		x.until("sockets, ")
		x.press("C-c")
		require.Contains(t, x.until("code="), "code=130")
		x.asBefore()

		x = inTmux(t, 120, 45, "sockwatch replay --replay-speed 100 "+file)
		x.until("Enter end and table") // the last picture stays
		x.press("Enter")
		require.NotContains(t, x.until("code="), "ended early with q")
		x.asBefore()
	}
}

func TestQBeginsNoOtherRun(t *testing.T) {
	t.Parallel()
	script := longScript(t)
	x := inTmux(t, 160, 50, "sockwatch run --isolate never -o csv "+script+" "+script+" >"+os.DevNull)
	x.until("sockets, ")
	x.press("q")
	screen := x.until("code=")
	require.Contains(t, screen, "code=0")
	require.Contains(t, screen, "ended early with q")
	require.Equal(t, 1, strings.Count(screen, "long: ended after"), screen)
}

func TestTerminalAfterCtrlC(t *testing.T) {
	t.Parallel()
	x := inTmux(t, 100, 50, "sockwatch run --isolate never "+longScript(t))
	x.until("sockets, ")
	x.press("C-c")
	require.Contains(t, x.until("code="), "code=130")
	x.asBefore()
}

// signalled plays a command in a terminal after another one of the shell, sends it a signal
// once it shows a text, and sees that it ends and leaves the terminal as it was.
func signalled(t *testing.T, signal, before, command, text string) {
	t.Helper()
	pid := filepath.Join(t.TempDir(), "pid")
	x := inTmux(t, 100, 50, before+"; (sh -c 'echo $$ >"+pid+"; exec "+command+"')")
	x.until(text)
	number, err := os.ReadFile(pid)
	require.NoError(t, err)
	require.NoError(t, exec.Command("kill", "-"+signal, strings.TrimSpace(string(number))).Run())
	require.Contains(t, x.until("code="), "code=130")
	x.asBefore()
}

func TestTerminalAfterASignal(t *testing.T) {
	t.Parallel()
	for _, signal := range []string{"TERM", "HUP"} {
		t.Run(signal, func(t *testing.T) {
			t.Parallel()
			signalled(t, signal, "true", "sockwatch run --isolate never "+longScript(t), "sockets, ")
		})
	}
}

func TestTerminalOfAWatch(t *testing.T) {
	t.Parallel()
	x := inTmux(t, 100, 40, fmt.Sprintf("sockwatch watch --pid %s --interval 200ms", pidOf(asking(t))))
	x.until("sockets, ")
	x.press("q")
	screen := x.until("code=")
	require.Contains(t, screen, "code=0")
	require.Contains(t, screen, "client total", "what was seen last stays")
	x.asBefore()
}

func TestWhereNothingCanBeDrawnThereAreLines(t *testing.T) {
	t.Parallel()
	watch := fmt.Sprintf("sockwatch watch --for 500ms --interval 200ms --pid %s", pidOf(asking(t)))
	for name, command := range map[string]string{
		"a dumb terminal": "TERM=dumb " + watch,
		"the background":  "set -m; " + watch + " & wait $!",
		"a pipe":          watch + " | cat",
	} {
		x := inTmux(t, 100, 60, command)
		screen := x.until("code=")
		require.Regexp(t, `\d\d:\d\d:\d\d  .*: client `, screen, name)
		require.Contains(t, screen, "client total", name)
		require.NotContains(t, screen, "sockets, client end", name)
	}
}

func TestOnASmallTerminalATableIsRedrawn(t *testing.T) {
	t.Parallel()
	x := inTmux(t, 79, 24, "trap : INT; sockwatch run --isolate never "+longScript(t))
	screen := x.until("held  +") // it climbs
	require.Equal(t, 1, strings.Count(screen, "client ESTABLISHED"), screen)
	require.NotContains(t, screen, "╭")
	x.press("C-c")
	require.Contains(t, x.until("code="), "code=130")
}

func TestTerminalWithoutKeyboard(t *testing.T) {
	t.Parallel()
	x := inTmux(t, 100, 40, fmt.Sprintf("trap : INT; sockwatch watch --pid %s --interval 200ms </dev/null", pidOf(asking(t))))
	x.until("no keys")
	// Each line begins at the left. What is on the screen may be half of a view.
	border := regexp.MustCompile(`(?m)^╭─+╮$`)
	require.Eventually(t, func() bool { return border.MatchString(x.screen()) }, soon, 100*time.Millisecond)
	x.press("C-c")
	require.Contains(t, x.until("code="), "code=130")
	x.asBefore()
}

func TestNoColorIsHeeded(t *testing.T) {
	t.Parallel()
	coloured := regexp.MustCompile(`\x1b\[([0-9;]*;)?3[0-8][;m]`)
	for variable, want := range map[string]bool{"NO_COLOR=yes": false, "NO_COLOR=": true} {
		x := inTmux(t, 100, 40, variable+" sockwatch run --isolate never "+longScript(t))
		x.until("ESTABLISHED", "q quit and table") // the whole picture
		require.Equal(t, want, coloured.MatchString(x.do("capture-pane", "-p", "-e")), variable)
	}
}

// For phones the address of a page is a QR code, too, where it fits.
func TestAddressForOtherMachinesIsAQRCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		width, height    int
		variable, addr   string
		wantCode, beyond bool
	}{
		{80, 28, "NO_COLOR=", "0.0.0.0:0", true, true},
		{80, 28, "NO_COLOR=", "127.0.0.1:0", false, false},
		{80, 28, "NO_COLOR=yes", "0.0.0.0:0", false, true},
		{80, 20, "NO_COLOR=", "0.0.0.0:0", false, true},
	} {
		x := inTmux(t, c.width, c.height, c.variable+" sockwatch demo --web "+c.addr)
		screen := x.until("The run begins ")
		require.Contains(t, screen, "sockwatch: the page is at http://")
		require.Equal(t, c.beyond, strings.Contains(screen, "other machines can reach it"), "%+v", c)
		require.Equal(t, c.wantCode, strings.Contains(screen, "▄▄"), "%+v\n%s", c, screen)
		x.press("C-c")
		x.until("code=130")
	}
}

// With a page a run asks its viewers first: on a terminal it begins with Enter, or
// when the page's presenter says so.
func TestARunWaitsForEnterOrThePresenter(t *testing.T) {
	t.Parallel()
	script := longScript(t)
	const waits = "The run begins with Enter, or with Start on the page."
	x := inTmux(t, 120, 40, "sockwatch run --isolate never --web "+script)
	x.until(waits)
	x.press("C-c")
	require.Contains(t, x.until("code="), "code=130")

	x = inTmux(t, 120, 40, "sockwatch run --isolate never --web "+script)
	x.until(waits)
	x.press("Enter")
	x.until("FAULTY")
	x.press("q")
	x.until("the page stays until Ctrl-C")

	x = inTmux(t, 120, 40, "sockwatch run --isolate never --web "+script)
	at := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(x.until(waits))
	x.until("0 viewers, 0 guesses.")
	viewer := strings.Repeat("a", 32)
	stream := events(t, at, "?viewer="+viewer)
	x.until("1 viewer, 0 guesses.")
	poll := regexp.MustCompile(`"poll":("[^"]+")`).FindStringSubmatch(readUntil(t, stream, `"poll"`))
	require.NotNil(t, poll)
	body := fmt.Sprintf(`{"viewer":%q,"poll":%s}`, viewer, poll[1])
	resp, err := http.Post(at+"start", "application/json", strings.NewReader(body)) //nolint:noctx // it is on loopback
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	x.until("FAULTY")
	x.press("C-c")
	x.until("code=")

	x = inTmux(t, 120, 40, "sockwatch run --isolate never --now --web "+script)
	x.until("FAULTY")
	x.press("C-c")
	x.until("code=")
}
