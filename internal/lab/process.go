package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/charmbracelet/x/ansi"
	psutil "github.com/shirou/gopsutil/v3/process"

	"socketlab/internal/scenario"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netns"
	"socketlab/internal/worker/orphans"
)

// Programs says how to start the processes of a run. The zero Programs starts
// this same binary, which is all four programs in one.
type Programs struct {
	// Dir is a folder with the programs slowserver, client-faulty and
	// client-fixed.
	Dir string
	// echo, if not nil, is given what the processes write to standard error.
	echo io.Writer
}

// The first argument of a program of ours says which one it is to be.
const (
	slowserverProgram = "slowserver"
	commandSupervisor = "supervise-command"
	// NamespaceSupervisor is for [NewNamespace].
	NamespaceSupervisor = "supervise-namespace"
)

func clientProgram(code scenario.Side) string { return "client-" + string(code) }

// Check returns an error if one of the programs is not in the folder.
func (p Programs) Check() error {
	if p.Dir == "" {
		return nil
	}
	for _, name := range []string{slowserverProgram, clientProgram(scenario.Faulty), clientProgram(scenario.Fixed)} {
		if _, err := p.command(name); err != nil {
			return err
		}
	}
	return nil
}

// command is a program and its arguments.
func (p Programs) command(name string) ([]string, error) {
	if p.Dir != "" {
		path, err := exec.LookPath(filepath.Join(p.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("%s is not in %s: build the programs with: go build -o %s ./cmd/... (%w)", name, p.Dir, p.Dir, errors.Unwrap(err))
		}
		return []string{path, "--controlled"}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program's own file to start %s from it: %w", name, err)
	}
	return []string{self, name, "--controlled"}, nil
}

// CommandSupervisor is the command that looks after a command of the user's, from this
// same binary, for those who start it themselves.
func CommandSupervisor() ([]string, error) { return Programs{}.command(commandSupervisor) }

// process is a worker that was started.
type process struct {
	side    *side
	name    string // for people: "client of the faulty side"
	pid     int
	command int // a supervisor's command, which leads a group; 0 without one
	// reports says that it is to be asked for what it has done, and asked that it
	// was and has not answered yet.
	ready, reports, asked bool
	// deaf says that it did not answer in time once: it is not waited for again.
	deaf bool
	// stopping says that it was told to end, so that its end is no error; gone that
	// it has ended and that all that it said was taken.
	stopping, gone bool
	// patience is how long it may take to end by itself, and attention how long to read an
	// order: one that was stopped reads none, and a long order does not fit in its pipe.
	patience, attention time.Duration

	in     io.WriteCloser // orders, and the parent-death pipe
	stderr *tail
	echo   io.Writer // given the same as stderr; nil for nobody
	child  child
	// released is closed when nobody takes what it says any more.
	released chan struct{}
	release  func()        // closes in and released; may be called again
	ended    chan struct{} // closed once the process is gone
	err      error         // why; to be read after ended
	reported string        // the last error that it said itself, as err
}

// child is a process that was started: beside us, or in a namespace.
type child interface {
	Wait() error
	Kill() error
}

// beside is a child in our own namespaces.
type beside struct{ *exec.Cmd }

func (b beside) Kill() error { return b.Process.Kill() }

// start starts a program as a side's server or client, in the side's namespace if
// it has one, and gives it its order. What it says goes to the run's messages. The
// caller ends it with kill.
func (p Programs) start(r *run, s *side, program, as string, order any) (*process, error) {
	proc := &process{
		side: s, name: fmt.Sprintf("%s of the %s side", as, s.ID), stderr: &tail{}, echo: p.echo, patience: endTimeout, attention: answerTimeout,
		released: make(chan struct{}), ended: make(chan struct{}),
	}
	command, err := p.command(program)
	if err == nil {
		err = proc.launch(command, s.namespace, r.messages)
	}
	if err != nil {
		return nil, fmt.Errorf("start the %s: %w", proc.name, err)
	}
	if err := proc.mustSend(order); err != nil {
		proc.kill()
		return nil, err
	}
	return proc, nil
}

// pipe is the two ends of one.
type pipe struct{ r, w *os.File }

// openPipes opens n pipes, or none: with an error, those that were opened are
// closed again.
func openPipes(n int) ([]pipe, error) {
	pipes := make([]pipe, 0, n)
	for range n {
		r, w, err := os.Pipe()
		if err != nil {
			for _, p := range pipes {
				err = errors.Join(err, p.r.Close(), p.w.Close())
			}
			return nil, err
		}
		pipes = append(pipes, pipe{r, w})
	}
	return pipes, nil
}

// launch starts the command with pipes to its standard streams.
func (p *process) launch(command []string, namespace *netns.Namespace, messages chan<- message) error {
	pipes, err := openPipes(3)
	if err != nil {
		return err
	}
	in, out, errs := pipes[0], pipes[1], pipes[2]
	if namespace != nil {
		var inside *netns.Process
		if inside, err = namespace.Start(command, in.r, out.w, errs.w); err == nil {
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
	p.release = sync.OnceFunc(func() {
		_ = p.in.Close()
		close(p.released)
	})
	go p.read(out.r, errs.r, messages)
	return nil
}

// read passes on what the process says until it ends.
func (p *process) read(out, errs *os.File, messages chan<- message) {
	say := func(m message) {
		select {
		case messages <- m:
		case <-p.released:
		}
	}
	var said sync.WaitGroup
	said.Go(func() {
		stderr := io.Writer(p.stderr)
		if p.echo != nil {
			stderr = io.MultiWriter(p.stderr, p.echo)
		}
		_, _ = io.Copy(stderr, errs)
		_ = errs.Close()
	})
	for lines := json.NewDecoder(out); ; {
		var a worker.Answer
		err := lines.Decode(&a)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			a = worker.Answer{Error: fmt.Sprintf("process %d said something that is no answer: %v", p.pid, err)}
			p.force() // it may live on, and would be waited for
		} else if err != nil {
			break
		}
		p.reported = cmp.Or(a.Error, p.reported)
		say(message{from: p, answer: a})
		if err != nil {
			break
		}
	}
	_ = out.Close()
	p.err = p.child.Wait()
	said.Wait()
	close(p.ended)
	say(message{from: p, gone: true})
}

// mustSend sends an order to a process that cannot have ended. If it has, the error says
// how, and not only that its pipe is broken.
func (p *process) mustSend(order any) error {
	select {
	case <-p.ended: // its pipe may be whole: a child that is being forked has the other end too, until its exec
		return p.death()
	default:
	}
	err := p.send(order)
	if errors.Is(err, syscall.EPIPE) {
		p.kill()
		return p.death()
	}
	return err
}

// send sends an order. A process that does not read it in time is ended, and with it all
// that it started.
func (p *process) send(order any) error {
	line, err := json.Marshal(order)
	if err == nil {
		deaf := time.AfterFunc(p.attention, p.force)
		_, err = p.in.Write(append(line, '\n'))
		if !deaf.Stop() {
			return fmt.Errorf("the %s (process %d) did not read its order within %s: it was stopped, or the machine is too busy", p.name, p.pid, p.attention)
		}
	}
	if err != nil {
		return fmt.Errorf("send the %s its order: %w%s", p.name, err, p.stderr)
	}
	return nil
}

// startTimeout is how long a process may take to be ready. It takes
// milliseconds, but a small machine may be busy compiling.
const startTimeout = 15 * time.Second

// programTimeout is how long a program of the user's may take to say that it is ready: it
// may have an interpreter and libraries to load.
const programTimeout = time.Minute

// awaitStart waits until a process that was started says that it is ready.
func (r *run) awaitStart(ctx context.Context, p *process, ready func() bool) error {
	timeout := startTimeout
	if p.side.SaysReady {
		timeout = programTimeout
	}
	return r.await(ctx, timeout, ready, func() error {
		if p.side.SaysReady {
			return fmt.Errorf("%s: it was not ready to read requests within %s: does it do something when it starts that does not end?", p.name, timeout)
		}
		return fmt.Errorf("the %s (process %d) was not ready within %s", p.name, p.pid, timeout)
	})
}

// death describes the end of a process that should not have ended. It waits
// for the end. An error that the process said itself may not have been taken yet.
func (p *process) death() error {
	<-p.ended
	if p.reported != "" {
		return p.failure(p.reported)
	}
	how := "with exit code 0"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("the %s (process %d) ended in mid-run: %s%s", p.name, p.pid, how, p.stderr)
}

// failure is an error that the process reported, with what it wrote to standard error.
// It waits for the end, which follows: until then some of that may be under way.
func (p *process) failure(reported string) error {
	select {
	case <-p.ended:
	case <-time.After(p.patience):
	}
	return fmt.Errorf("%s: %s%s", p.name, reported, p.stderr)
}

// unanswered is the error of a process that was asked, and has not answered for so long.
// It ends with what its goroutines did: if it was not the machine, the fault is ours.
func (p *process) unanswered(waited time.Duration) error {
	state := "unknown"
	if words, err := (&psutil.Process{Pid: int32(p.pid)}).Status(); err == nil {
		state = strings.Join(words, ", ")
	}
	p.tellStacks()
	select {
	case <-p.ended:
	case <-time.After(p.patience): // it was stopped
	}
	return fmt.Errorf("the %s (process %d, state: %s) did not report within %s: it was stopped, it hangs, or the machine is too busy%s",
		p.name, p.pid, state, waited, indented(p.stderr.end(stacksSize)))
}

// endTimeout is how long a process may take to end by itself.
const endTimeout = 2 * time.Second

// kill ends the process: by closing its parent-death pipe, and by force if it does
// not follow. It returns once the process is gone.
func (p *process) kill() {
	p.release()
	if p.deaf {
		p.force()
	}
	patience := time.NewTimer(p.patience)
	defer patience.Stop()
	select {
	case <-p.ended:
	case <-patience.C:
		p.force() // it was stopped perhaps, and cannot
		<-p.ended
	}
	if p.command != 0 && p.err != nil {
		endGroup(p.command) // its supervisor died, and could not do it
	}
}

// force ends the process, and all that it started, without its help.
func (p *process) force() {
	orphans.Signal(p.pid, syscall.SIGKILL)
	_ = p.child.Kill()
}

// shown is the process that people want to see; 0 where there is none.
func (p *process) shown() int {
	switch {
	case p == nil:
		return 0
	case p.command != 0:
		return p.command
	}
	return p.pid
}

// CanIsolate returns nil where a run can be isolated, and otherwise an error
// that says why not. It tries.
func CanIsolate() error {
	namespace, err := NewNamespace()
	if err != nil {
		return err
	}
	return namespace.Close()
}

// NewNamespace makes a namespace, which the caller closes. Its supervisor is always this same binary.
func NewNamespace() (*netns.Namespace, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program's own file to start a namespace's supervisor from it: %w", err)
	}
	return netns.New(exec.Command(self, NamespaceSupervisor))
}

// tail keeps the end of what a process wrote to standard error.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// tailSize is how many bytes are kept, and shownSize how many of them are shown, or
// stacksSize where the stacks are what is wanted.
const (
	tailSize   = 64 << 10
	stacksSize = 16 << 10
	shownSize  = 2048
)

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if len(t.text) > 2*tailSize {
		t.text = bytes.Clone(t.text[len(t.text)-tailSize:])
	}
	return len(b), nil
}

// whyGoEnded begins the line in which Go says why a program ends. The stacks of all its
// goroutines may follow.
var whyGoEnded = regexp.MustCompile(`(?m)^(panic|fatal error|SIGQUIT): `)

// end is the part of the text that says most, of so many bytes at most: from where Go said
// why it ended, or else the end, in whole lines where there are some. It is without the
// sequences by which a terminal is coloured.
func (t *tail) end(most int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(ansi.Strip(strings.ReplaceAll(string(t.text), "\r\n", "\n")))
	if len(text) <= most {
		return text
	}
	if found := whyGoEnded.FindAllStringIndex(text, -1); found != nil {
		if text = text[found[len(found)-1][0]:]; len(text) > most {
			text = text[:most]
			text = text[:cmp.Or(strings.LastIndexByte(text, '\n')+1, most)] + "..."
		}
	} else {
		text = text[len(text)-most:]
		text = text[strings.IndexByte(text, '\n')+1:]
	}
	return strings.ToValidUTF8(text, "")
}

// String returns the end of the text indented on lines of its own, or "".
func (t *tail) String() string { return indented(t.end(shownSize)) }

func indented(text string) string {
	if text == "" {
		return ""
	}
	return "\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}
