//go:build unix

package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// shortLoad is a script with few requests, which the fixed side's code answers over one
// connection. They begin after a pause, in which a program starts.
func shortLoad(t *testing.T, pause string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "short.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`id: short
title: A few requests
implementation: body-not-drained
load:
  - pause: `+pause+`
  - {rate: 20, for: 1500ms}
  - pause: 500ms
sample_interval: 100ms
expect:
  faulty: [requests.ok == 30]
  fixed: [requests.ok == 30, connections.opened <= 5, connections.reused >= 25]
`), 0o600))
	return path
}

// The adapters of the documentation work as they stand there.
func TestAdaptersOfTheDocumentation(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/own-code.md")
	require.NoError(t, err)
	for _, of := range []struct{ language, file, needs, command string }{
		{"python", "mine.py", "python3", "python3 %s"},
		{"js", "mine.js", "node", "node %s"},
		{"java", "Mine.java", "java", "java %s"},
		{"go", "mine.go", "go", "go run %s"},
	} {
		t.Run(of.language, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(of.needs); err != nil {
				t.Skip(of.needs, " is not installed")
			}
			code := regexp.MustCompile("(?s)```" + of.language + "\n(.*?)```").FindSubmatch(doc)
			require.NotNil(t, code)
			file := filepath.Join(t.TempDir(), of.file)
			require.NoError(t, os.WriteFile(file, code[1], 0o600))
			command := fmt.Sprintf(of.command, file)
			if of.language == "go" { // what compiles it is not to be measured
				out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file+".exe", file).CombinedOutput()
				require.NoError(t, err, "%s", out)
				command = file + ".exe"
			}
			var exit int
			var stdout, stderr []byte
			for _, pause := range []string{"1s", "5s", "20s"} { // the last for java on a busy machine
				exit, stdout, stderr = toItsEnd(t, "run", "-q", "-o", "json", "--fixed", command, shortLoad(t, pause))
				if exit == 0 {
					break
				}
			}
			require.Equal(t, 0, exit, "%s\n%s", stdout, stderr)
			var run struct {
				Fixed struct {
					Requests    struct{ Sent, OK int }
					Connections struct{ Opened, Reused int }
				}
			}
			require.NoError(t, json.Unmarshal(stdout, &run))
			require.Equal(t, 30, run.Fixed.Requests.OK)
			require.Equal(t, 30, run.Fixed.Connections.Opened+run.Fixed.Connections.Reused, "one connection or another for each request")
		})
	}
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
		"trap '' TERM HUP INT; echo $$ >'"+file+"'; while read number url; do echo $number ok; done; while :; do sleep 0.1; done", shortLoad(t, "1s"))
	require.Equal(t, 3, exit, "%s", stderr)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	require.NotContains(t, string(stdout), "The difference of the two codes", "which were not played")
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
