package cli_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"socketlab/internal/cli"
	"socketlab/internal/cli/client"
	"socketlab/internal/cli/program"
	"socketlab/internal/cli/slowserver"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats/netnstest"
)

// The commands run as a user's would: as processes, found on PATH.
func TestMain(m *testing.M) {
	commands := map[string]func(){"kubectl": fakeKubectl, asksAgain: askAgain, keepsOpen: keepOpen}
	for _, command := range []func(program.Streams) *cobra.Command{
		cli.Command, slowserver.Command, client.Command(scenario.Faulty), client.Command(scenario.Fixed),
	} {
		commands[command(program.Streams{}).Name()] = func() { program.Main(command) }
	}
	if commands[filepath.Base(os.Args[0])] == nil {
		netnstest.Enter() // the tests, and not a command that one of them has started
	}
	testscript.Main(m, commands)
}

// asksAgain is a program that asks a server again and again, one request after the other on
// one connection: nothing is wrong with it, however busy the machine is.
const asksAgain = "asks-again"

func askAgain() {
	for {
		response, err := http.Get(os.Args[1])
		if err != nil {
			log.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			log.Fatal(err)
		}
		response.Body.Close()
		time.Sleep(100 * time.Millisecond)
	}
}

// keepsOpen is a program that connects to a server, reads to the end of what it sends, and
// keeps the connection: its end stays in CLOSE_WAIT. It says when it is there.
const keepsOpen = "keeps-open"

func keepOpen() {
	c, err := net.Dial("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		log.Fatal(err)
	}
	log.Print("at the end of ", c.LocalAddr())
	time.Sleep(soon)
	c.Close()
}

// soon is how long a test waits for what must happen: long enough for a busy machine,
// as no test measures against it.
const soon = 2 * time.Minute

// With the race detector a program sleeps for a second before it ends, unless
// GORACE says otherwise; scripts/test does.
func passOnGORACE(env *testscript.Env) error {
	env.Setenv("GORACE", os.Getenv("GORACE"))
	return nil
}

// passOnGo gives scripts the go command with its caches, and RELEASE, its own version.
func passOnGo(env *testscript.Env) error {
	out, err := exec.Command("go", "env", "GOVERSION", "GOCACHE", "GOMODCACHE", "GOPROXY").Output()
	if err != nil {
		return nil // a script asks for [release]
	}
	values := strings.Split(strings.TrimSpace(string(out)), "\n")
	env.Setenv("RELEASE", strings.TrimPrefix(values[0], "go"))
	for i, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY"} {
		env.Setenv(name, values[i+1])
	}
	return nil
}

func TestScripts(t *testing.T) {
	t.Parallel() // the other tests do not wait for the longest script
	testscript.Run(t, testscript.Params{
		Setup: func(env *testscript.Env) error {
			return errors.Join(passOnGORACE(env), passOnGo(env))
		},
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"until": until,
			"big":   big,
		},
	})
}

// condition knows [userns], a process may make a user and network namespace, and
// [release], there is a go command, and it is a release.
func condition(cond string) (bool, error) {
	switch cond {
	case "userns":
		return exec.Command("unshare", "-Urn", "true").Run() == nil, nil
	case "release":
		out, err := exec.Command("go", "env", "GOVERSION").Output()
		return err == nil && regexp.MustCompile(`^go1\.\d+\.\d+\n$`).Match(out), nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

// exits CODE PROGRAM ARGS... runs a program that must end with this code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v ended with %d, not %d", args[1:], got, want)
	}
}

// until FILE REGEXP [NAME] waits until a file has a match, and puts the first
// group's text into the environment as NAME.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until FILE REGEXP [NAME]")
	}
	re := regexp.MustCompile(args[1])
	for deadline := time.Now().Add(soon); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		data, _ := os.ReadFile(ts.MkAbs(args[0]))
		if m := re.FindSubmatch(data); m != nil {
			if len(args) > 2 {
				ts.Setenv(args[2], string(m[1]))
			}
			return
		}
	}
	ts.Fatalf("%s never had %q:\n%s", args[0], args[1], ts.ReadFile(args[0]))
}

// big FILE MEGABYTES makes a large file.
func big(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	line := []byte("# a comment that goes on and on and on and on and on and on and\n")
	data := make([]byte, 0, n<<20+len(line))
	for len(data) < n<<20 {
		data = append(data, line...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}
