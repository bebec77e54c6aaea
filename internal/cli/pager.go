package cli

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"socketlab/internal/cli/program"
)

// page shows text by the user's pager if it is longer than the terminal that w is, and
// reports whether it did. PAGER names it, with its arguments; "" or "cat" is none.
func page(w io.Writer, text []byte) bool {
	width, height := program.Size(w)
	command, named := os.LookupEnv("PAGER")
	if !named {
		command = "less"
	}
	fields := strings.Fields(command)
	if len(fields) == 0 || fields[0] == "cat" || os.Getenv("TERM") == "dumb" || width == 0 || bytes.Count(text, []byte("\n")) < height {
		return false
	}
	pager := exec.Command(fields[0], fields[1:]...)
	// Standard output is the terminal that w is: by a pipe from here, less would be cat.
	pager.Stdin, pager.Stdout, pager.Stderr = bytes.NewReader(text), os.Stdout, os.Stderr
	pager.Env = os.Environ()
	if _, set := os.LookupEnv("LESS"); !set {
		pager.Env = append(pager.Env, "LESS=FRX") // as git has it: with colours, and on the terminal afterwards
	}
	if pager.Start() != nil {
		return false
	}
	signal.Ignore(os.Interrupt) // it is the pager's
	defer signal.Reset(os.Interrupt)
	_ = pager.Wait() // who closes it before its end has seen enough
	return true
}
