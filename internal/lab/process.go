package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netns"
)

// Programs says how to start the processes of a run. The zero Programs starts
// this same binary, which is all four programs in one.
type Programs struct {
	// Dir is a folder with the programs slowserver, client-faulty and
	// client-fixed.
	Dir string
	// echo, if not nil, is given what the processes say on standard error.
	echo io.Writer
}

// command is a worker's program and its arguments.
func (p Programs) command(name string) ([]string, error) {
	if p.Dir != "" {
		path, err := exec.LookPath(filepath.Join(p.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("%s is not in %s: build the programs with: go build -o %s ./cmd/... (%w)", name, p.Dir, p.Dir, err)
		}
		return []string{path, "--controlled"}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program's own file to start %s from it: %w", name, err)
	}
	return []string{self, name, "--controlled"}, nil
}

// process is one running worker. Its end, whatever the reason, closes answers.
type process struct {
	name    string // for people: "client of the faulty side"
	pid     int
	command int // a supervisor's command, which leads a group; 0 without one
	in      io.WriteCloser
	answers chan worker.Answer
	stderr  *tail
	echo    io.Writer     // given the same as stderr; nil for nobody
	ended   chan struct{} // closed once the process is gone
	err     error         // why; to be read after ended
	child   child
	// patience is how long the process may take to end by itself.
	patience time.Duration
}

// child is a process that was started: beside us, or in a namespace.
type child interface {
	Wait() error
	Kill() error
}

// beside is a child in our own namespaces.
type beside struct{ *exec.Cmd }

func (b beside) Kill() error { return b.Process.Kill() }

// serverOf and clientOf are what processes are called.
func serverOf(side scenario.Side) string { return fmt.Sprintf("server of the %s side", side) }
func clientOf(side scenario.Side) string { return fmt.Sprintf("client of the %s side", side) }

// start starts a program, in a namespace if there is one, and gives it its
// order. The caller ends it with kill.
func (p Programs) start(program, name string, space *netns.Namespace, order any) (*process, error) {
	command, err := p.command(program)
	if err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	proc := &process{
		name: name, stderr: &tail{}, echo: p.echo, patience: endTimeout,
		answers: make(chan worker.Answer, 16), ended: make(chan struct{}),
	}
	if err := proc.launch(command, space); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	if err := proc.send(order); err != nil {
		proc.kill()
		return nil, err
	}
	return proc, nil
}

// launch starts the command with pipes to its standard streams.
func (p *process) launch(command []string, space *netns.Namespace) error {
	var pipes [3]struct{ r, w *os.File }
	for i := range pipes {
		var err error
		if pipes[i].r, pipes[i].w, err = os.Pipe(); err != nil {
			return err
		}
	}
	in, out, errs := pipes[0], pipes[1], pipes[2]
	var err error
	if space != nil {
		var inside *netns.Process
		if inside, err = space.Start(command, in.r, out.w, errs.w); err == nil {
			p.child, p.pid = inside, inside.PID
		}
	} else {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = in.r, out.w, errs.w
		cmd.SysProcAttr = ownGroup()
		if err = cmd.Start(); err == nil {
			p.child, p.pid = beside{cmd}, cmd.Process.Pid
		}
	}
	_ = errors.Join(in.r.Close(), out.w.Close(), errs.w.Close()) // the child's, who has them now
	if err != nil {
		return errors.Join(err, in.w.Close(), out.r.Close(), errs.r.Close())
	}
	p.in = in.w
	go p.read(out.r, errs.r)
	return nil
}

// read passes the answers on until the process ends.
func (p *process) read(out, errs *os.File) {
	var said sync.WaitGroup
	said.Go(func() {
		_, _ = io.Copy(p.hears(), errs)
		_ = errs.Close()
	})
	lines := json.NewDecoder(out)
	for {
		var a worker.Answer
		if err := lines.Decode(&a); err != nil {
			break
		}
		p.answers <- a
	}
	_ = out.Close()
	p.err = p.child.Wait()
	said.Wait()
	close(p.answers)
	close(p.ended)
}

// hears is who hears what the process says on standard error.
func (p *process) hears() io.Writer {
	if p.echo == nil {
		return p.stderr
	}
	return io.MultiWriter(p.stderr, p.echo)
}

func (p *process) send(order any) error {
	line, err := json.Marshal(order)
	if err == nil {
		_, err = p.in.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("tell the %s what to do: %w%s", p.name, err, p.stderr)
	}
	return nil
}

// startTimeout is how long a process may take to be ready. It takes
// milliseconds, but a small machine may be busy compiling.
const startTimeout = 15 * time.Second

// first waits for the process's first answer.
func (p *process) first(ctx context.Context) (worker.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case a, ok := <-p.answers:
		switch {
		case !ok:
			return a, p.death()
		case a.Error != "":
			return a, fmt.Errorf("%s: %s", p.name, a.Error)
		}
		return a, nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return worker.Answer{}, fmt.Errorf("the %s (process %d) was not ready within %s", p.name, p.pid, startTimeout)
		}
		return worker.Answer{}, ctx.Err()
	}
}

// death describes the end of a process that should not have ended. It waits
// for the end.
func (p *process) death() error {
	<-p.ended
	how := "with exit code 0"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("the %s (process %d) ended in mid-run: %s%s", p.name, p.pid, how, p.stderr)
}

// endTimeout is how long a process may take to end by itself.
const endTimeout = 2 * time.Second

// release tells the process to end, by closing its parent-death pipe.
func (p *process) release() { _ = p.in.Close() }

// kill ends the process: by closing its parent-death pipe, and by force if it does not
// follow. It returns once the process is gone.
func (p *process) kill() {
	p.release()
	go func() { // nobody listens any more, and the process must not wait for that
		for range p.answers {
		}
	}()
	select {
	case <-p.ended:
	case <-time.After(p.patience):
		_ = p.child.Kill()
		<-p.ended
	}
	if p.command != 0 && p.err != nil {
		endGroup(p.command) // its supervisor died, and could not do it
	}
}

// shown is the process that people want to see.
func (p *process) shown() int {
	if p.command != 0 {
		return p.command
	}
	return p.pid
}

// tail keeps the end of what a process said on standard error.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 2048

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if len(t.text) > tailSize {
		t.text = bytes.Clone(t.text[len(t.text)-tailSize:])
	}
	return len(b), nil
}

// String returns the text indented on lines of its own, or "".
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.text))
	if text == "" {
		return ""
	}
	return "\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}
