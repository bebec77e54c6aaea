//go:build unix

package battery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"socketlab/internal/worker"
)

// program is a command of the user's that makes calls, with the supervisor that ends it
// and all that it started, also where this process is killed.
type program struct {
	*calls
	// group is the process group of the command.
	group      int
	stdin      *os.File
	supervisor *exec.Cmd
	orders     io.Closer
	stderr     *lastWords
	read       chan struct{} // closed once all answers were read
}

// start starts a command in a folder ("" is ours), with environment beside our own.
// The caller ends it with end.
func start(supervisor []string, dir, command string, environment []string) (_ *program, err error) {
	var files []*os.File
	defer func() {
		if err != nil {
			for _, f := range files {
				_ = f.Close()
			}
		}
	}()
	pipe := func() (r, w *os.File) {
		if err == nil {
			if r, w, err = os.Pipe(); err == nil {
				files = append(files, r, w)
			}
		}
		return r, w
	}
	in, stdin := pipe()
	stdout, out := pipe()
	orders, ordersIn := pipe()
	answersOut, answers := pipe()
	if err != nil {
		return nil, err
	}
	p := &program{stdin: stdin, orders: ordersIn, stderr: &lastWords{}, read: make(chan struct{})}
	cmd := exec.Command(supervisor[0], supervisor[1:]...)
	cmd.Dir, cmd.Env = dir, append(slices.DeleteFunc(os.Environ(), namesProxy), environment...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = orders, answers, p.stderr
	// The command has the two under their numbers, which the shell puts in the place of its
	// standard streams: those of the supervisor are for orders.
	cmd.ExtraFiles = []*os.File{in, out}
	ownGroup(cmd) // a terminal's Ctrl-C is for us alone
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the supervisor of COMMAND: %w", err)
	}
	p.supervisor = cmd
	_ = errors.Join(in.Close(), out.Close(), orders.Close(), answers.Close()) // theirs
	send := json.NewEncoder(ordersIn)
	said := json.NewDecoder(answersOut)
	var a worker.Answer
	err = send.Encode(worker.CommandOrder{Command: "{\n" + command + "\n} <&3 >&4 3<&- 4>&-"})
	for _, step := range []func() error{
		func() error { return said.Decode(&a) },
		func() error { return send.Encode(worker.Start) },
		func() error { return said.Decode(&a) },
	} {
		if err == nil && a.Error == "" {
			err = step()
		}
	}
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, fmt.Errorf("start COMMAND: %w", err)
	}
	p.group = a.Started
	go func() {
		// The supervisor says when the command has ended. It holds the command's pipes too,
		// so that there is an end to what we read only once it has ended as well.
		for said.Decode(&worker.Answer{}) == nil {
			_ = ordersIn.Close()
		}
		_ = answersOut.Close()
	}()
	url := ""
	for _, v := range environment {
		if u, ok := strings.CutPrefix(v, "SOCKETLAB_URL="); ok {
			url = u
		}
	}
	p.calls = &calls{in: stdin, url: url, waiting: map[int]chan string{}}
	go func() {
		p.calls.read(stdout)
		_ = stdout.Close()
		close(p.read)
	}()
	return p, nil
}

// namesProxy reports whether a variable names a proxy, as the user's own environment may:
// calls to loopback are not to go there.
func namesProxy(variable string) bool {
	name, _, _ := strings.Cut(strings.ToLower(variable), "=")
	return strings.HasSuffix(name, "_proxy")
}

// end ends the command and all that it started: first by the end of its input.
func (p *program) end() {
	_ = p.stdin.Close()
	select {
	case <-p.read: // it has closed its output: it has ended, or is about to
	case <-time.After(200 * time.Millisecond):
	}
	_ = p.orders.Close()
	ended := make(chan struct{})
	go func() {
		_ = p.supervisor.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(worker.CommandEndTimeout):
		_ = p.supervisor.Process.Kill()
		<-ended
	}
	<-p.read
}
