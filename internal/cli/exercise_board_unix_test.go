//go:build unix

package cli_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A participant joins a board, which hears of each check; without the board a check is
// as it was, and says so in a line.
func TestBoardHearsOfEachCheck(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // where macOS keeps settings
	b := start(t, "sockwatch", "exercise", "board", "-o", "csv")
	url := b.until(t, `^sockwatch: the board is at (http://127\.0\.0\.1:\d+/)$`)[1]
	require.Equal(t, 2, start(t, "sockwatch", "exercise", "join", url, "--name", " ").end(t))
	require.Equal(t, 2, start(t, "sockwatch", "exercise", "join", "board", "--name", "Ada").end(t))
	require.Zero(t, start(t, "sockwatch", "exercise", "join", url, "--name", "Ada <b>").end(t))

	dir := filepath.Join(t.TempDir(), "mine")
	require.Zero(t, start(t, "sockwatch", "exercise", "start", "one-of-three-leaks", dir).end(t))
	check := start(t, "sockwatch", "exercise", "check", dir)
	code := check.end(t)
	resp, err := http.Get(url + "board") //nolint:noctx // it is on loopback, and the test ends it
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Contains(t, string(text), `"name":"Ada \u003cb\u003e","exercise":"one-of-three-leaks","checks":1,`)

	// The minutes are those since the start.
	state := filepath.Join(dir, ".exercise.json")
	kept, err := os.ReadFile(state)
	require.NoError(t, err)
	earlier := `"started": "` + time.Now().Add(-12*time.Minute-time.Second).UTC().Format(time.RFC3339) + `"`
	kept = regexp.MustCompile(`"started": "[^"]+"`).ReplaceAll(kept, []byte(earlier))
	require.NoError(t, os.WriteFile(state, kept, 0o600))
	// With --board a check needs no join, and leaves none.
	for _, wrong := range [][]string{{"--board", url}, {"--name", "Bob"}, {"--board", "board", "--name", "Bob"}, {"--board", "", "--name", "Bob"}} {
		require.Equal(t, 2, start(t, "sockwatch", append([]string{"exercise", "check", dir}, wrong...)...).end(t), wrong)
	}
	require.Equal(t, code, start(t, "sockwatch", "exercise", "check", dir, "--board", url, "--name", "Bob").end(t))
	require.NoError(t, b.cmd.Process.Signal(syscall.SIGINT))
	require.Zero(t, b.end(t))
	require.Contains(t, b.stdout.String(), "Ada <b>,one-of-three-leaks,no,1,0\nBob,one-of-three-leaks,no,2,12\n")

	check = start(t, "sockwatch", "exercise", "check", dir)
	check.until(t, `^sockwatch: the board does not know of this check: `)
	require.Equal(t, code, check.end(t))
	require.Zero(t, start(t, "sockwatch", "exercise", "leave").end(t))
	check = start(t, "sockwatch", "exercise", "check", dir)
	require.Equal(t, code, check.end(t))
	require.NotContains(t, strings.Join(check.seen, "\n"), "board")
}

// A board ends by a signal; what it could not print then is said as of every command.
func TestBoardSaysWhatItCouldNotPrint(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	b := start(t, "sh", "-c", "exec sockwatch exercise board --listen 127.0.0.1:0 -o json >/dev/full")
	b.until(t, `^sockwatch: the board is at `)
	require.NoError(t, b.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 1, b.end(t))
	b.said(t, `^sockwatch: write the answer: .*no space left on device \(\d+ bytes did not arrive\)$`)
}
