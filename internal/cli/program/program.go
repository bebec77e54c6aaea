// Package program is what the commands of all programs share: streams, exit codes,
// errors, flags, and how a scenario is found. It links nothing that one of them
// does not need.
//
// The rules: the answer goes to standard output and everything else to standard
// error; an error is one line, "program: what was tried: what happened", followed
// by what to try where there is something; usage is shown only for a wrong command
// line.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/words"
)

// Exit codes of all programs.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitFault       = 3 // a fault was found, or an expectation was not met
	ExitInterrupted = 130
)

// Streams are a program's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs a program on the streams of this process, and ends the process.
func Main(command func(Streams) *cobra.Command) {
	if fewDescriptors() {
		fmt.Fprintln(os.Stderr, "too few descriptors to begin with: ulimit -n shows and raises the limit")
		os.Exit(ExitFailed)
	}
	os.Exit(Run(command, os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// Run runs a program with its arguments, and returns its exit code.
//
// Where standard output cannot be written to, the program ends in order, with
// [ExitFailed].
//
// An interrupt, SIGTERM, the end of its terminal (SIGHUP) or Ctrl-\ (SIGQUIT) asks it to
// end in order; a second one ends it at once.
func Run(command func(Streams) *cobra.Command, args []string, streams Streams) int {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) { // as by nohup
			signals = append(signals, s)
		}
	}
	signalled, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(signalled, func() {
		stop() // from here on a signal has its usual effect
		atSecondQuit()
	})
	ctx, cancel := context.WithCancel(signalled)
	defer cancel()
	out := &output{failed: cancel}
	if f, ok := streams.Out.(*os.File); ok {
		out.File, streams.Out = f, out
	}

	root := command(streams)
	root.Version = Version()
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(completionCommand(root))
	root.SetHelpCommand(helpCommand())
	plainUsage(root)
	root.SetHelpFunc(writeHelp)
	usageErrors(root)
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	err := root.ExecuteContext(ctx)
	problem := out.problem()
	if problem != nil && (signalled.Err() == nil || errors.Is(err, errors.Unwrap(problem))) {
		err = problem // what else went wrong came of it; Ctrl-C is how some commands end
	}
	if signalled.Err() != nil && errors.Is(err, context.Canceled) {
		err = &CodeError{Code: ExitInterrupted}
	}
	return exitCode(root.Name(), err, streams.Err)
}

// atSecondQuit has SIGQUIT end the program as other signals do: its usual effect is the stacks
// of all goroutines, which look like a crash.
func atSecondQuit() {
	if signal.Ignored(syscall.SIGQUIT) {
		return
	}
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT)
	go func() {
		<-quit
		os.Exit(ExitInterrupted)
	}()
}

// usageErrors makes every wrong command line a [usageError].
func usageErrors(c *cobra.Command) {
	c.SetFlagErrorFunc(flagError)
	check := c.Args
	if check == nil {
		check = Args(0, 0)
	}
	c.Args = func(c *cobra.Command, args []string) error {
		for _, wrong := range []func(*pflag.FlagSet) error{emptyFlag, negativeFlag, lonelyFlag} {
			if err := wrong(c.Flags()); err != nil {
				return Usagef(c, "%w", err)
			}
		}
		if err := check(c, args); err != nil {
			return Usagef(c, "%w", err)
		}
		return nil
	}
	for _, sub := range c.Commands() {
		usageErrors(sub)
	}
}

// UsageError is a wrong command line.
type UsageError struct {
	err     error
	command string
}

func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap returns what is wrong with it.
func (e *UsageError) Unwrap() error { return e.err }

// Usagef makes a wrong command line of a command an error.
func Usagef(c *cobra.Command, format string, args ...any) error {
	return &UsageError{err: fmt.Errorf(format, args...), command: c.CommandPath()}
}

// CodeError ends the program with a code of its own. Err may be nil, when all is said
// already.
type CodeError struct {
	Code int
	Err  error
}

func (e *CodeError) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// Unwrap returns what went wrong.
func (e *CodeError) Unwrap() error { return e.Err }

// exitCode prints an error, which may quote what came from outside, and returns the code.
func exitCode(program string, err error, stderr io.Writer) int {
	stderr = printable{stderr}
	var usage *UsageError
	var code *CodeError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "%s: %s\nTry '%s --help'.\n", program, usage, usage.command)
		return ExitUsage
	case errors.As(err, &code):
		if code.Err != nil {
			fmt.Fprintf(stderr, "%s: %s\n", program, code)
		}
		return code.Code
	default:
		fmt.Fprintf(stderr, "%s: %s\n", program, err)
		if errors.Is(err, syscall.EMFILE) {
			fmt.Fprintf(stderr, "%s: it needs more descriptors than it may have: ulimit -n shows and raises the limit\n", program)
		}
		if errors.Is(err, syscall.EAGAIN) { // of a fork: other calls are tried again
			fmt.Fprintf(stderr, "%s: it needs more processes than it may have: ulimit -u shows and raises the limit of a user, pids.max that of a control group\n", program)
		}
		return ExitFailed
	}
}

// printable writes what may go to a terminal of each text.
type printable struct{ io.Writer }

// Write implements io.Writer.
func (p printable) Write(text []byte) (int, error) {
	_, err := io.WriteString(p.Writer, words.Printable(string(text)))
	return len(text), err
}

// Say writes a message that may quote what came from outside: an argument, a file, the
// name of a process.
func Say(w io.Writer, format string, args ...any) {
	fmt.Fprintf(printable{w}, format, args...)
}

// Logger writes logs for people to standard error.
func Logger(streams Streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(streams.Err, nil))
}

// released is the version of a published build, as v1.2.3. scripts/release sets it.
var released string

// Release is the version of a published build without the v, as its images are tagged; ""
// of any other build.
func Release() string { return strings.TrimPrefix(released, "v") }

// Version is what the build knows of itself.
func Version() string {
	if released != "" {
		return released + ", " + runtime.Version()
	}
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
