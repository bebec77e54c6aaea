package worker

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// SuperviseCommand looks after one command of the user's, under orders from in. It
// returns the exit code. When the lab is done or gone, or ctx ends, it ends the
// command and all that the command started, and waits for it.
//
// It is a process of its own because a command does not know of the parent-death pipe
// that workers have.
func SuperviseCommand(ctx context.Context, in io.Reader, out io.Writer) int {
	// The kernel ends the command with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	answers := json.NewEncoder(out)
	var order CommandOrder
	gone := make(chan struct{})
	orders, err := receive(in, &order, func() { close(gone) })
	if err != nil {
		return fail(answers, err)
	}
	// Nothing that happens to the lab may end us before the command. Signals
	// that are caught, unlike ignored ones, are not handed on to it.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGPIPE)
	if err := answers.Encode(Answer{Ready: true}); err != nil {
		return 1
	}
	select {
	case <-orders.commands:
	case <-gone:
		return 1
	case <-ctx.Done():
		return 1
	}
	c, err := startCommand(order)
	if err != nil {
		return fail(answers, err)
	}
	defer c.end()
	if err := answers.Encode(Answer{Started: c.pid}); err != nil {
		return 1
	}
	for {
		var say []Answer
		select {
		case end := <-c.ended: // what it left behind goes on until the lab is done
			say = append(say, Answer{Ended: &end})
		case <-orders.commands:
			select {
			case end := <-c.ended:
				say = append(say, Answer{Ended: &end})
			default:
			}
			say = append(say, Answer{Asked: true})
		case <-gone:
			return 0
		case <-ctx.Done():
			return 1
		}
		for _, a := range say {
			if err := answers.Encode(a); err != nil {
				return 1
			}
		}
	}
}

// command is a command of the user's that was started.
type command struct {
	pid int
	// ended has one value, once the command itself is over.
	ended chan End
	// said is closed when nobody is left who could write to standard error.
	said chan struct{}
	tree tree
}

// startCommand starts a command in the system's shell.
func startCommand(order CommandOrder) (*command, error) {
	var out *os.File
	if order.ShowOutput {
		out = os.Stderr
	}
	return startWith(order.Command, nil, out, nil)
}

// withoutProxy is what keeps a program's requests to a server on loopback from a proxy
// that the environment names: they would neither be counted nor stay on this machine.
// Some programs read the one name only, and some the other.
func withoutProxy() []string {
	const loopback = "localhost,127.0.0.0/8,127.0.0.1,::1"
	var set []string
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		value := loopback
		if before := os.Getenv(name); before != "" {
			value = before + "," + loopback
		}
		set = append(set, name+"="+value)
	}
	return set
}

// startWith starts a command in the system's shell, with these standard streams and
// with environment beside our own. nil is no input, and output that goes nowhere. The
// files stay the caller's to close.
func startWith(line string, in, out *os.File, environment []string) (*command, error) {
	c := &command{ended: make(chan End, 1), said: make(chan struct{})}
	// Our standard error is not given to the command itself: the lab reads it
	// to its end, and that must not hang on what the command leaves behind.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := shell(line)
	cmd.Env = append(append(os.Environ(), withoutProxy()...), environment...)
	cmd.Stderr = w
	if in != nil {
		cmd.Stdin = in
	}
	switch {
	case out == os.Stderr:
		cmd.Stdout = w
	case out != nil:
		cmd.Stdout = out
	}
	err = c.tree.start(cmd)
	_ = w.Close()
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	c.pid = cmd.Process.Pid
	go func() {
		defer close(c.said)
		_, _ = io.Copy(os.Stderr, r)
	}()
	go c.tree.wait(cmd, c.ended)
	return c, nil
}

// outputTimeout is how long is waited for the last words of a command that is
// over. They are in the pipe already; it is only others who may hold it open.
const outputTimeout = 200 * time.Millisecond

func (c *command) waitOutput() {
	select {
	case <-c.said:
	case <-time.After(outputTimeout):
	}
}

const (
	// askTimeout is how long a command has to end when it is asked to, before
	// it is ended by force.
	askTimeout = 2 * time.Second
	// forceTimeout is how long the kernel may take to end what is killed.
	forceTimeout = time.Second
	// CommandEndTimeout is how long a command supervisor may take to end.
	CommandEndTimeout = askTimeout + forceTimeout + outputTimeout + time.Second
)

// end ends the command and all that it started: first it asks.
func (c *command) end() {
	for _, step := range []struct {
		signal  syscall.Signal
		timeout time.Duration
	}{{syscall.SIGTERM, askTimeout}, {syscall.SIGKILL, forceTimeout}} {
		again := time.NewTicker(5 * time.Millisecond)
		defer again.Stop()
		c.tree.signal(step.signal)
		for deadline := time.Now().Add(step.timeout); c.tree.alive() && time.Now().Before(deadline); <-again.C {
			if step.signal == syscall.SIGKILL {
				c.tree.signal(step.signal) // what was started meanwhile
			}
		}
	}
	c.waitOutput()
}
