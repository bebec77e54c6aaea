package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"socketlab/internal/cli/program"
)

// pagerEnds is how long a pager may take to put the terminal back.
const pagerEnds = time.Second

// page shows text by the user's pager if it is longer than the terminal that w is, and
// reports whether it did. PAGER names it, with its arguments; "" or "cat" is none. A signal
// that asks this program to end is an error, and ends the pager, too.
func page(w io.Writer, text []byte) (bool, error) {
	width, height := program.Size(w)
	command, named := os.LookupEnv("PAGER")
	if !named {
		command = "less"
	}
	fields := strings.Fields(command)
	if len(fields) == 0 || fields[0] == "cat" || os.Getenv("TERM") == "dumb" || width == 0 || bytes.Count(text, []byte("\n")) < height {
		return false, nil
	}
	pager := exec.Command(fields[0], fields[1:]...)
	// Standard output is the terminal that w is: by a pipe from here, less would be cat.
	pager.Stdin, pager.Stdout, pager.Stderr = bytes.NewReader(text), os.Stdout, os.Stderr
	pager.WaitDelay = pagerEnds // what it started may hold the pipe
	pager.Env = os.Environ()
	if _, set := os.LookupEnv("LESS"); !set {
		pager.Env = append(pager.Env, "LESS=FRX") // as git has it: with colours, and on the terminal afterwards
	}
	if pager.Start() != nil {
		return false, nil
	}
	signal.Ignore(os.Interrupt) // it is the pager's
	defer signal.Reset(os.Interrupt)
	asked := make(chan os.Signal, 1)
	defer signal.Stop(asked)
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) { // as by nohup
			signal.Notify(asked, s)
		}
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = pager.Wait() // who closes it before its end has seen enough
	}()
	select {
	case <-over:
		return true, nil
	case <-asked:
	}
	_ = pager.Process.Signal(syscall.SIGTERM)
	select {
	case <-over:
	case <-time.After(pagerEnds):
		_ = pager.Process.Kill()
		<-over
	}
	return true, context.Canceled
}
