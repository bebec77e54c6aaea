package battery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"socketlab/internal/profile"
	"socketlab/internal/scratch"
	"socketlab/internal/worker"
)

// Supervisor is the first argument of the program of ours that looks after a command.
const Supervisor = "supervise-command"

// startTimeout is how long a program may take until it answers. A machine that runs
// eight batteries compiles and loads slowly.
const startTimeout = 40 * time.Second

// Program is a server or a proxy as the user starts it.
type Program struct {
	// Command is a line for the system's shell. {port} and {backend} in it are replaced.
	Command string
	// Dir is where it runs; "" is here.
	Dir string
	// Backend is the address of the server behind a proxy; "" of a server.
	Backend string
	// Supervisor starts the program that looks after the command; nil is this program.
	Supervisor []string
}

// Instance is one running process of a program, with a port of its own.
type Instance struct {
	Addr string
	// PID is the process that was started; what it started in turn is not known here.
	PID int
	// Ended is closed once that process is over.
	Ended <-chan struct{}

	cmd    *exec.Cmd
	in     io.Closer
	dir    *scratch.Folder
	stderr *lastWords
	over   chan struct{}
}

// Start starts an instance and waits until it answers a request for "/". The caller
// stops it.
func (p Program) Start(ctx context.Context) (*Instance, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := scratch.New("profile")
	if err != nil {
		return nil, err
	}
	i, err := p.launch(port, dir)
	if err != nil {
		return nil, errors.Join(err, dir.Remove())
	}
	if err := i.awaitAnswer(ctx); err != nil {
		i.Stop() // and with it all that it says
		return nil, fmt.Errorf("%w%s", err, i.stderr)
	}
	return i, nil
}

// line is the command with the placeholders filled in.
func (p Program) line(port string) string {
	return strings.NewReplacer("{port}", port, "{backend}", p.Backend).Replace(p.Command)
}

func (p Program) launch(port string, dir *scratch.Folder) (*Instance, error) {
	command := p.Supervisor
	if command == nil {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command = []string{self, Supervisor, "--controlled"}
	}
	ended := make(chan struct{})
	i := &Instance{Addr: net.JoinHostPort("127.0.0.1", port), Ended: ended, dir: dir, stderr: &lastWords{}, over: make(chan struct{})}
	i.cmd = exec.Command(command[0], command[1:]...)
	i.cmd.Dir = p.Dir
	i.cmd.Stderr = i.stderr
	i.cmd.Env = append(os.Environ(), "SOCKETLAB_PORT="+port, "PORT="+port, "SOCKETLAB_BACKEND="+p.Backend, "SOCKETLAB_DIR="+dir.Path)
	in, err := i.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	i.in = in
	out, err := i.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	ownGroup(i.cmd)
	if err := i.cmd.Start(); err != nil {
		return nil, err
	}
	orders := json.NewEncoder(in)
	_ = orders.Encode(worker.CommandOrder{Command: p.line(port), ShowOutput: true})
	_ = orders.Encode(worker.Start)
	started := make(chan int, 1)
	go func() {
		defer close(i.over)
		defer sync.OnceFunc(func() { close(started) })()
		done := sync.OnceFunc(func() { close(ended) })
		defer done()
		for answers := json.NewDecoder(out); ; {
			var a worker.Answer
			if answers.Decode(&a) != nil {
				break
			}
			if a.Started != 0 {
				started <- a.Started
			}
			if a.Ended != nil {
				done()
			}
		}
		_ = i.cmd.Wait()
	}()
	i.PID = <-started
	if i.PID == 0 {
		i.Stop()
		return nil, fmt.Errorf("cannot start %s%s", p.line(port), i.stderr)
	}
	return i, nil
}

// awaitAnswer waits until the instance answers.
func (i *Instance) awaitAnswer(ctx context.Context) error {
	give := time.After(startTimeout)
	why := "does the command take its port from {port}, or from SOCKETLAB_PORT in its environment?"
	for again := time.NewTicker(50 * time.Millisecond); ; {
		if c, err := dial(ctx, i.Addr); err == nil {
			_, err = c.roundTrip(time.Now().Add(5*time.Second), "GET", "/", "Connection: close")
			c.Close()
			if err == nil {
				again.Stop()
				return nil
			}
			why = "something listens there, and a request GET / of HTTP/1.1 has no answer: " + reason(err)
		}
		select {
		case <-again.C:
		case <-i.Ended:
			return errors.New("the program ended before it answered")
		case <-give:
			return fmt.Errorf("no answer on %s within %s: %s", i.Addr, startTimeout, why)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Terminate sends SIGTERM to the process that was started.
func (i *Instance) Terminate() error {
	p, err := os.FindProcess(i.PID)
	if err != nil {
		return err
	}
	return p.Signal(syscall.SIGTERM)
}

// Stop ends the instance and all that it started, and waits for that.
func (i *Instance) Stop() {
	_ = i.in.Close()
	<-i.over
	_ = i.dir.Remove()
}

// freePort returns a port of loopback that is free now. It is below those that the
// kernel gives to connections, so that none of them takes it before the program listens.
func freePort() (string, error) {
	for range 200 {
		port := netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(10000+rand.IntN(20000)))
		if l, err := net.Listen("tcp4", port.String()); err == nil {
			return strconv.Itoa(int(port.Port())), l.Close()
		}
	}
	return "", errors.New("no free port between 10000 and 30000")
}

// lastWords keeps the end of what is written to it, for an error message.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if most := 2000; len(w.text) > most {
		w.text = w.text[len(w.text)-most:]
	}
	return len(p), nil
}

func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := bytes.TrimSpace(w.text)
	if len(text) == 0 {
		return ""
	}
	return "\n" + string(text)
}

// Install copies the adapter of a program, which is in a folder of the atlas, and
// installs the program in the copy. The error says what is missing on this machine. What
// it writes goes to log.
func Install(ctx context.Context, p *profile.Profile, atlas, into string, log io.Writer) error {
	if p.Adapter == "" || p.Command == "" {
		return fmt.Errorf("%s has no adapter", p.Name)
	}
	adapter := filepath.Join(atlas, filepath.FromSlash(p.Adapter))
	if _, err := os.Stat(adapter); err != nil { // which names it
		return fmt.Errorf("%s: its adapter: %w", p.Name, err)
	}
	if err := os.CopyFS(into, os.DirFS(adapter)); err != nil {
		return fmt.Errorf("%s: its adapter: %w", p.Name, err)
	}
	for _, step := range []string{"setup", "version"} {
		if _, err := os.Stat(filepath.Join(into, step)); err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, "sh", "-e", "./"+step)
		cmd.Dir, cmd.Stdout, cmd.Stderr = into, log, log
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s is not installed here: its %s: %w", p.Name, step, err)
		}
	}
	return nil
}
