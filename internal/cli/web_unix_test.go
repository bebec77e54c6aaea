//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// events opens the stream of a page.
func events(t *testing.T, url string, query ...string) *bufio.Reader {
	t.Helper()
	// It is kept alive: what never comes has to end the test.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"events"+strings.Join(query, ""), nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return bufio.NewReader(resp.Body)
}

func readUntil(t *testing.T, stream *bufio.Reader, text string) (line string) {
	t.Helper()
	for {
		line, err := stream.ReadString('\n')
		require.NoError(t, err, "before %s", text)
		if strings.Contains(line, text) {
			return line
		}
	}
}

// The page follows the run, shows its end for as long as it is wanted, and the
// exit code is the run's.
func TestPageStaysAfterTheRunUntilCtrlC(t *testing.T) {
	t.Parallel()
	r := start(t, "sockwatch", "demo", "body-not-closed", "--speed", "8", "--web")
	at := r.until(t, `^sockwatch: the page is at (http://127\.0\.0\.1:\d+/)$`)
	stream := events(t, at[1])
	readUntil(t, stream, `"scenario"`)
	r.until(t, `^sockwatch: the page stays until Ctrl-C$`)
	readUntil(t, stream, `"over":true`)
	readUntil(t, events(t, at[1]), `"over":true`)
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGINT))
	_, err := io.Copy(io.Discard, stream)
	require.NoError(t, err, "the stream ends in order")
	requireCodeOfRun(t, r)
}

func TestQuietRunDoesNotWaitForItsPage(t *testing.T) {
	t.Parallel()
	r := start(t, "sockwatch", "demo", "body-not-closed", "--speed", "8", "-q", "--web", "127.0.0.1:0")
	r.until(t, `the page is at http://127\.0\.0\.1:`)
	requireCodeOfRun(t, r)
}

// requireCodeOfRun waits for the end of a run of body-not-closed, whose exit code is 0 if
// all expectations were met. At such a speed a busy machine may miss some.
func requireCodeOfRun(t *testing.T, r *running) {
	t.Helper()
	code := r.end(t)
	met := regexp.MustCompile(`(?m)^(\d+) of (\d+) expectations met`).FindStringSubmatch(r.stdout.String())
	require.NotNil(t, met, "%s", r.stdout.String())
	if met[1] == met[2] {
		require.Equal(t, 0, code)
	} else {
		require.Equal(t, 3, code)
	}
}

// A recording is shown on a page like the run that it is of.
func TestRecordingOnAPage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "run.jsonl")
	code := start(t, "sockwatch", "run", "body-not-closed", "--speed", "20", "-q", "--record", file).end(t)
	require.Contains(t, []int{0, 3}, code, "at this speed a busy machine may miss what is expected")
	r := start(t, "sockwatch", "replay", file, "--web")
	at := r.until(t, `^sockwatch: the page is at (http://127\.0\.0\.1:\d+/)$`)
	r.until(t, `^sockwatch: the page stays until Ctrl-C$`)
	stream := events(t, at[1])
	readUntil(t, stream, "will the faulty side open in ")
	readUntil(t, stream, `"over":true`)
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, code, r.end(t), "that of the run")
	require.Contains(t, r.stdout.String(), "expectations met")
}

func TestPageWhereNobodyCanListenStartsNothing(t *testing.T) {
	t.Parallel()
	r := start(t, "sockwatch", "run", "body-not-closed", "--web", "192.0.2.1:80")
	r.until(t, `^sockwatch: page: listen tcp 192\.0\.2\.1:80`)
	require.Equal(t, 1, r.end(t))
}

// A watch of a process that looks at the watch's page does not count that.
func TestWatchLeavesOutItsOwnPage(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash, which can connect")
	}
	visitor := exec.Command(shell, "-c", `read port; exec 3<>/dev/tcp/127.0.0.1/$port; echo connected; read`)
	orders, err := visitor.StdinPipe()
	require.NoError(t, err)
	answers, err := visitor.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, visitor.Start())
	t.Cleanup(func() { orders.Close(); _ = visitor.Wait() })

	pid := fmt.Sprint(visitor.Process.Pid)
	r := start(t, "sockwatch", "watch", "--pid", pid, "--interval", "50ms", "-o", "json", "--web")
	port := r.until(t, `the page is at http://127\.0\.0\.1:(\d+)/$`)[1]
	stream := events(t, "http://127.0.0.1:"+port+"/")
	fmt.Fprintln(orders, port)
	_, err = bufio.NewReader(answers).ReadString('\n')
	require.NoError(t, err)
	for range 6 {
		readUntil(t, stream, `"snapshot"`)
	}
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 130, r.end(t))
	require.Contains(t, r.stdout.String(), `"pid":`+pid)
	require.NotContains(t, r.stdout.String(), "ESTABLISHED\":1")
}
