// Package cli is the commands: their flags, help, streams and exit codes. What
// they do is done by the packages below.
//
// The rules: the answer goes to standard output and everything else to
// standard error; an error is one line, "program: what was tried: what
// happened", followed by what to try where there is something; usage is shown
// only for a wrong command line.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes of all programs.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitLeak        = 3 // a leak was found, or an expectation was not met
	exitInterrupted = 130
)

// Streams are a program's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs a program, one of slowserver, client-faulty, client-fixed and
// sockwatch, with its arguments, and returns its exit code.
//
// An interrupt or SIGTERM asks it to end in order; a second one ends it at
// once.
func Main(program string, args []string, streams Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // from here on a signal has its usual effect

	root := command(program, streams)
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	err := root.ExecuteContext(ctx)
	return exitCode(program, err, streams.Err)
}

func command(program string, streams Streams) *cobra.Command {
	var root *cobra.Command
	switch program {
	case "slowserver":
		root = slowserverCommand(streams)
	case "client-faulty", "client-fixed":
		root = clientCommand(program, streams)
	default:
		root = sockwatchCommand(streams)
	}
	root.Version = version()
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.DisableDefaultCmd = true
	usageErrors(root)
	return root
}

// usageErrors makes every wrong command line a [usageError].
func usageErrors(c *cobra.Command) {
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usagef(c, "%w", err) })
	check := c.Args
	if check == nil {
		check = cobra.NoArgs
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usagef(c, "%w", err)
		}
		return nil
	}
	for _, sub := range c.Commands() {
		usageErrors(sub)
	}
}

// usageError is a wrong command line.
type usageError struct {
	err     error
	command string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(c *cobra.Command, format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...), command: c.CommandPath()}
}

// codeError ends the program with a code of its own; err may be nil, when all
// is said already.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
func (e *codeError) Unwrap() error { return e.err }

func exitCode(program string, err error, stderr io.Writer) int {
	var usage *usageError
	var code *codeError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "%s: %s\nTry '%s --help'.\n", program, usage, usage.command)
		return exitUsage
	case errors.As(err, &code):
		if code.err != nil {
			fmt.Fprintf(stderr, "%s: %s\n", program, code)
		}
		return code.code
	default:
		fmt.Fprintf(stderr, "%s: %s\n", program, err)
		return exitFailed
	}
}

// logger writes logs for people to standard error.
func logger(streams Streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(streams.Err, nil))
}

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(v, s.Value[:min(12, len(s.Value))]) {
			v += " " + s.Value
		}
	}
	return fmt.Sprintf("%s, %s", v, info.GoVersion)
}

// choice is a flag that takes one of some words, so that a wrong one fails
// while the command line is read.
type choice struct {
	value string
	from  []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.from, "|") }
func (c *choice) Set(s string) error {
	for _, f := range c.from {
		if s == f {
			c.value = s
			return nil
		}
	}
	return fmt.Errorf("use one of %s", strings.Join(c.from, ", "))
}
