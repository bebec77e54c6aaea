//go:build unix

package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/fixes"
	"socketlab/internal/recording"
)

// shortLoad is a script with few requests, which the fixed side's code answers over one
// connection or two. They begin after a pause, in which a program starts, and the first two
// have as long for their responses: a program may load what it needs with them.
func shortLoad(t *testing.T, pause string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "short.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`id: short
title: A few requests
implementation: body-not-drained
load:
  - pause: `+pause+`
  - burst: 2
  - pause: `+pause+`
  - {rate: 20, for: 1400ms}
  - pause: `+pause+`
sample_interval: 100ms
expect:
  faulty: [requests.ok == 30]
  fixed: [requests.ok == 30, connections.opened <= 5, connections.reused >= 25]
`), 0o600))
	return path
}

// The adapters of the documentation are those of the exercises, and work with the clients
// that stand beside them.
func TestAdaptersOfTheDocumentation(t *testing.T) {
	t.Parallel()
	for _, of := range []struct{ language, adapter, client, needs, build, command, runtime string }{
		{"python", "main.py", "client.py", "python3", "python3 -c 'import requests'", "python3 main.py", "python"},
		{"js", "main.js", "client.js", "node", "", "node main.js", "node"},
		{"java", "Main.java", "Client.java", "javac", "javac *.java", "java Main", "java"},
		{"go", "main.go", "client/client.go", "go", "go build -o mine .", "./mine", "go"},
	} {
		t.Run(of.language, func(t *testing.T) {
			t.Parallel()
			adapter, client := adapterOf(t, of.language)
			if _, err := exec.LookPath(of.needs); err != nil {
				t.Skip(of.needs, " is not installed")
			}
			dir := t.TempDir()
			write(t, dir, map[string]string{of.adapter: adapter, of.client: client, "go.mod": "module exercise\n\ngo 1.21\n"})
			build := exec.CommandContext(t.Context(), "sh", "-c", of.build)
			build.Dir = dir
			if out, err := build.CombinedOutput(); err != nil {
				if of.language == "python" {
					t.Skip("requests is not installed: python3 -m pip install requests")
				}
				require.NoError(t, err, "%s", out)
			}
			command := "cd '" + dir + "' && exec " + of.command
			var run struct {
				Fixed struct {
					Requests    struct{ Sent, OK int }
					Connections struct{ Opened, Reused int }
				}
			}
			var said string
			for _, pause := range []string{"1s", "5s", "20s"} { // the last ones for java on a busy machine
				file := filepath.Join(t.TempDir(), "run.jsonl")
				_, stdout, stderr := toItsEnd(t, "run", "-q", "-o", "json", "--record", file, "--fixed", command, shortLoad(t, pause))
				require.NoError(t, json.Unmarshal(stdout, &run), "%s", stderr)
				said += string(stderr)
				if run.Fixed.Requests.OK != 30 || run.Fixed.Connections.Reused < 5 {
					continue
				}
				if runtime.GOOS == "linux" { // so that a fix is in its words
					rec, err := recording.Read(t.Context(), file)
					require.NoError(t, err)
					id := rec.Observation.Subject("fixed").Identity
					require.Equal(t, []string{of.runtime, "http", "client"}, []string{id.Runtime, id.Protocol, id.Role})
					require.NotEmpty(t, fixes.For("idle-connections-not-reused", &id, ""))
					require.Empty(t, rec.Observation.Subject("faulty").Runtime, "it is the scenario's own code")
				}
				break
			}
			require.Equal(t, 30, run.Fixed.Requests.OK, "%s", said)
			require.GreaterOrEqual(t, run.Fixed.Connections.Reused, 5, "%s", said)
			// On a busy machine a connection is opened for a request that has another one by then.
			require.GreaterOrEqual(t, run.Fixed.Connections.Opened+run.Fixed.Connections.Reused, 30, "one connection or another for each request")
		})
	}
}

// The folder of the documentation shows what its script expects, from wherever it is run.
func TestFolderOfTheDocumentation(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not installed")
	}
	adapter, code := adapterOf(t, "go")
	faulty := strings.NewReplacer("\t_, err = io.Copy(io.Discard, resp.Body)\n", "", "\t\"io\"\n", "").Replace(code)
	require.Len(t, strings.Split(faulty, "\n"), len(strings.Split(code, "\n"))-2)
	dir := filepath.Join(t.TempDir(), "a folder") // whose name a shell would take for two
	const module = "module exercise\n\ngo 1.21\n"
	write(t, dir, map[string]string{
		"my-own-code.yaml":   block(t, "../../docs/scripts.md", "yaml", "id: my-own-code"),
		"mine/faulty/go.mod": module, "mine/faulty/main.go": adapter, "mine/faulty/client/client.go": faulty,
		"mine/fixed/go.mod": module, "mine/fixed/main.go": adapter, "mine/fixed/client/client.go": code,
	})
	exit, stdout, stderr := toItsEnd(t, "run", "-q", filepath.Join(dir, "my-own-code.yaml"))
	require.Equal(t, 0, exit, "%s\n%s", stdout, stderr)
	require.NotContains(t, string(stdout), "The difference of the two codes", "of the catalogue")
}

// adapterOf is the adapter of a language, which the documentation shows as it stands in the
// exercises, and the client beside it.
func adapterOf(t *testing.T, language string) (adapter, client string) {
	t.Helper()
	folders := map[string]string{"python": "python/main.py", "js": "node/main.js", "java": "java/Main.java", "go": "go/main.go.txt"}
	text, err := os.ReadFile(filepath.Join("../../exercises/harness", folders[language]))
	require.NoError(t, err)
	doc, err := os.ReadFile("../../docs/own-code.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(doc, -1)
	require.Len(t, blocks, 2)
	require.Equal(t, string(text), string(blocks[0][1]))
	return string(text), string(blocks[1][1])
}

// write writes files into a folder, which it makes.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
}

// block is the block of code in a page that is of a language and begins so.
func block(t *testing.T, page, language, begin string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)```" + language + "\n(" + begin + ".*?)```").FindSubmatch(text)
	require.NotNil(t, found)
	return string(found[1])
}

// A program that ends before its load is an error with what it said, and one that
// answers with names of errors is counted by them.
func TestProgramsThatFail(t *testing.T) {
	t.Parallel()
	exit, _, stderr := toItsEnd(t, "run", "-q", "--fixed", "echo no such $((20+2)) >&2; exit 4", shortLoad(t, "1s"))
	require.Equal(t, 1, exit)
	require.Contains(t, string(stderr), "exit status 4")
	require.Contains(t, string(stderr), "no such 22", "what it wrote, and not the command")

	exit, stdout, _ := toItsEnd(t, "run", "-q", "-o", "json", "--fixed", "while read number url; do echo $number timeout; done", shortLoad(t, "1s"))
	require.Equal(t, 3, exit)
	var run struct {
		Fixed struct {
			Requests struct {
				Failed int
				Errors map[string]int
			}
		}
	}
	require.NoError(t, json.Unmarshal(stdout, &run))
	require.Equal(t, 30, run.Fixed.Requests.Failed)
	require.Equal(t, map[string]int{"timeout": 30}, run.Fixed.Requests.Errors)

	_, stdout, _ = toItsEnd(t, "run", "-q", "--fixed", "while read number url; do echo $number timeout; done", shortLoad(t, "1s"))
	require.Contains(t, string(stdout), "verdict  healthy, but every request failed")

	for _, wrong := range [][]string{{"--swap-sides", "--fixed", "true"}, {"--fixed", ""}, {"--faulty", " "}} {
		exit, _, stderr = toItsEnd(t, append([]string{"run", shortLoad(t, "1s")}, wrong...)...)
		require.Equal(t, 2, exit, "%s", stderr)
	}
}

// A program that ignores the end of its input and every request to end is ended by force.
func TestProgramThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	exit, stdout, stderr := toItsEnd(t, "run", "-q", "-o", "markdown", "--fixed",
		"trap '' TERM HUP INT; echo $$ >'"+file+"'; while read number url; do echo $number timeout; done; while :; do sleep 0.1; done", shortLoad(t, "1s"))
	require.Equal(t, 3, exit, "%s", stderr)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	require.NotContains(t, string(stdout), "The difference of the two codes", "which were not played")
}

// Nothing of a program is left when sockwatch is killed, nor when the run could not end it
// because its client or the supervisor of its namespace was stopped.
func TestNothingOfAProgramIsLeftBehind(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere what leaves its process group is lost")
	}
	for _, isolate := range []string{"always", "never"} {
		for _, how := range []string{"killed", "client stopped", "namespace stopped"} {
			if isolate == "never" && how == "namespace stopped" {
				continue
			}
			t.Run(isolate+" "+how, func(t *testing.T) {
				t.Parallel()
				if how == "client stopped" && testing.Short() {
					t.Skip("it is waited for")
				}
				if isolate == "always" && exec.Command("unshare", "-Urn", "true").Run() != nil {
					t.Skip("no namespaces here")
				}
				file := filepath.Join(t.TempDir(), "pids")
				program := "trap '' TERM; echo $$ $PPID >>'" + file + "'; setsid sh -c 'echo $$ >>" + file + "; exec sleep 307' & while read number url; do echo $number ok; done"
				cmd := exec.Command("sockwatch", "run", "-q", "--isolate", isolate, "--fixed", program, shortLoad(t, "1s"))
				require.NoError(t, cmd.Start())
				defer func() { _ = cmd.Process.Kill() }()
				var pids []int
				require.Eventually(t, func() bool {
					text, _ := os.ReadFile(file)
					pids = nil
					for _, word := range strings.Fields(string(text)) {
						pid, err := strconv.Atoi(word)
						require.NoError(t, err)
						pids = append(pids, pid)
					}
					return len(pids) == 3
				}, soon, 10*time.Millisecond)
				slices.Sort(pids) // the client is the oldest
				switch how {
				case "killed":
					require.NoError(t, cmd.Process.Kill())
				case "client stopped":
					require.NoError(t, syscall.Kill(pids[0], syscall.SIGSTOP))
				case "namespace stopped":
					require.NoError(t, syscall.Kill(parentOf(t, pids[0]), syscall.SIGSTOP))
				}
				_ = cmd.Wait() // with an error, whichever
				for _, pid := range pids {
					require.Eventually(t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }, soon, 20*time.Millisecond)
				}
			})
		}
	}
}

// parentOf is the process that started another.
func parentOf(t *testing.T, pid int) int {
	t.Helper()
	out, err := exec.Command("ps", "-o", "ppid=", "-p", strconv.Itoa(pid)).Output()
	require.NoError(t, err)
	parent, err := strconv.Atoi(strings.TrimSpace(string(out)))
	require.NoError(t, err)
	return parent
}

// toItsEnd runs a command of sockwatch to its end.
func toItsEnd(t *testing.T, args ...string) (exit int, stdout, stderr []byte) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "sockwatch", args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), out.Bytes(), errs.Bytes()
}
