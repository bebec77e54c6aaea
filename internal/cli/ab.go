package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/cli/slowserver"
	"socketlab/internal/lab"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/render/tui"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/server"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker"
)

// abOptions are the flags of ab.
type abOptions struct {
	comparison lab.Comparison
	versions   []string                                       // of Go, that each build the clients
	behaviour  func(protocol string) (scenario.Server, error) // of the parsed flags
	output     outputFlag
	source     program.Choice
	record     string
	keep       keepOptions
	web        webFlag
	quiet      bool
	showOutput bool
}

var _ = register(abCommand)

func abCommand(streams program.Streams) *cobra.Command {
	var o abOptions
	c := &cobra.Command{
		Use:   "ab --faulty 'COMMAND' --fixed 'COMMAND' [--server 'COMMAND'] | --go VERSIONS PACKAGE [PACKAGE] | BEFORE AFTER",
		Short: "Compare two programs of your own, or what two versions of Go make of one",
		Long: `Runs two clients at the same time, each against a server of its own, counts the
sockets of both, and prints the comparison as run does: the way to prove a fix.

The commands go to the shell. In a client's, {url}, {addr}, {host} and {port}
become those of its side's server. That is a slowserver, which also says what
became of the requests, or with --server a server of yours, started once for
each side, with {port}, {addr} or {url} where its port belongs.

The run is over when both clients ended, or after --for; then everything that
the commands started is ended.

With --go it builds a main package with each of these versions of Go, and runs what
they built side by side: what an upgrade changes. Of two packages the first is the
faulty code and the second the fixed one, and each version has to prove the fix. After
a package, in the same word, its arguments may stand; without any it gets {url}.

With two files of sockwatch record it compares what was recorded: the same service
before a change and after it. The change is proved, and the exit code 0, if before
there was a fault and after there is none.`,
		Example: `  sockwatch ab --faulty 'python3 old.py {url}' --fixed 'python3 new.py {url}'
  sockwatch ab --faulty './old {addr}' --fixed './new {addr}' --no-response --for 10s
  sockwatch ab --faulty './old {url}' --fixed './new {url}' --report proof.html
  sockwatch ab --faulty './old {url}' --fixed './new {url}' \
      --server 'python3 -m http.server --bind {host} {port}'
  sockwatch ab --go 1.26.9,1.27.4 ./cmd/client            # what the other Go changes
  sockwatch ab --go 1.26.9,1.27.4 './old -u {url}' './new -u {url}' --body 65536
  sockwatch ab before.jsonl after.jsonl`,
		Args: o.web.args(program.Args(0, 2)),
		RunE: func(c *cobra.Command, args []string) error {
			args = o.web.take(args)
			if len(args) > 0 && !c.Flags().Changed("go") {
				return o.compareRecordings(c, streams, args)
			}
			if err := o.check(c, args); err != nil {
				return err
			}
			return o.run(c, streams, args)
		},
	}
	o.add(c.Flags())
	return c
}

// serverDefaults are what our own server can be told, and what it does without.
var serverDefaults = []scenario.Setting{
	server.DelayKey.Is(0), server.IdleTimeoutKey.Is(scenario.Duration(2 * time.Minute)),
	server.StatusKey.Is(http.StatusOK), server.BodyKey.Is(0), server.NoResponseKey.Is(false),
}

func (o *abOptions) add(f *pflag.FlagSet) {
	o.source = program.NewChoice(socketstats.Auto, socketstats.SourceNames()...)
	f.StringVar(&o.comparison.Faulty, "faulty", "", "command of the faulty side's client, with {url} for its server")
	f.StringVar(&o.comparison.Fixed, "fixed", "", "command of the fixed side's client")
	f.StringVar(&o.comparison.Server, "server", "", "command of a server, with {port} for its port (default: slowserver)")
	f.StringSliceVar(&o.versions, "go", nil, "build the PACKAGEs with each of these versions of Go, such as 1.26.9,1.27.4")
	o.behaviour = slowserver.AddFlags(f, "slowserver: ", serverDefaults)
	f.DurationVar(&o.comparison.For, "for", 30*time.Second, "end clients that are still at work after this time")
	f.DurationVar(&o.comparison.Interval, "interval", 100*time.Millisecond, "time between two counts")
	o.output.add(f, "table", fullAnswer)
	f.Var(&o.source, "source", "where counts come from; auto is the cheapest that works here")
	f.StringVar(&o.record, "record", "", "record the run in this new file, as JSON lines")
	o.keep.add(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show nothing while the run goes on")
	o.web.add(f)
	f.BoolVar(&o.showOutput, "show-output", false, "pass on to standard error what the clients say")
}

// checkPackages checks the packages of --go, and takes them for the two codes.
func (o *abOptions) checkPackages(c *cobra.Command, packages []string) error {
	if len(packages) == 0 {
		return program.Usagef(c, "nothing to build: give a main package, such as ./cmd/client, or two")
	}
	for _, name := range []string{"faulty", "fixed"} {
		if c.Flags().Changed(name) {
			return program.Usagef(c, "--%s is a command, and --go builds packages: give them without a flag", name)
		}
	}
	for i, p := range packages {
		if packages[i] = strings.TrimSpace(p); !lab.TakesServer(p) {
			packages[i] += " {url}"
		}
	}
	o.comparison.Faulty, o.comparison.Go = packages[0], o.versions
	if len(packages) > 1 {
		o.comparison.Fixed = packages[1]
	}
	// Until they are built: what is wrong with the rest is said before that.
	o.comparison.Sides = []lab.Side{{ID: string(scenario.Faulty), Code: scenario.Faulty}}
	return checkReleases(c, o.versions)
}

func (o *abOptions) check(c *cobra.Command, packages []string) error {
	if c.Flags().Changed("go") {
		if err := o.checkPackages(c, packages); err != nil {
			return err
		}
	} else if !c.Flags().Changed("faulty") || !c.Flags().Changed("fixed") {
		return program.Usagef(c, "nothing to compare: give --faulty 'COMMAND' and --fixed 'COMMAND', each with {url} for its server")
	}
	if err := o.comparison.Check(); err != nil {
		return program.Usagef(c, "--%w", err)
	}
	if c.Flags().Changed("server") {
		for _, def := range serverDefaults {
			if name := def.Key.FlagName(); c.Flags().Changed(name) {
				return program.Usagef(c, "--%s is for sockwatch's own server, and --server names another", name)
			}
		}
	}
	var err error
	if o.comparison.Behaviour, err = o.behaviour(scenario.DefaultProtocol); err != nil {
		return program.Usagef(c, "%w", err)
	}
	if err := checkRecord(o.record); err != nil {
		return program.Usagef(c, "--record: %w", err)
	}
	return o.keep.check(c, 1, o.record)
}

func (o *abOptions) run(c *cobra.Command, streams program.Streams, packages []string) error {
	if len(packages) > 0 {
		built, sides, err := buildClients(c.Context(), o.versions, packages, streams.Err)
		if err != nil {
			return err
		}
		defer built.remove()
		o.comparison.Sides = sides
	}
	source, err := openSource(o.source.String(), c.ErrOrStderr())
	if err != nil {
		return err
	}
	defer source.Close()
	if down := program.LoopbackDown(); down != "" {
		fmt.Fprintf(streams.Err, "sockwatch: %s\n", down)
	}
	screen := tui.NewTerminal(streams.Err, streams.Err, streams.In)
	page, err := o.web.open(streams.Err)
	if err != nil {
		return err
	}
	if page != nil {
		screen.Pin("the page is at " + page.URL())
		defer func() { _ = linger(c.Context(), page, !o.quiet, streams.Err) }() // what was compared is printed
	}
	ctx, cancel := context.WithCancelCause(c.Context())
	defer cancel(nil)
	show, closeFace := o.face(screen, streams.Err, cancel)
	defer closeFace() // also when something panics
	defer context.AfterFunc(ctx, closeFace)()
	rec := recording.Writer{Path: o.record}
	comparison := o.comparison
	comparison.Source, comparison.Provenance = source, thisProvenance()
	onPage, cost := onPage(page), costWarning{to: screen, source: source, auto: o.source.String() == socketstats.Auto}
	comparison.Observe = func(e series.Event) {
		rec.Write(e)
		show(e)
		onPage(e)
		cost.see(e, comparison.Interval)
	}
	if o.showOutput {
		comparison.Output = streams.Err
	}
	observed, err := lab.Compare(ctx, comparison)
	if err == nil {
		screen.Stay(ctx)
	}
	closeFace()
	quit := errors.Is(err, lab.ErrInterrupted) && errors.Is(context.Cause(ctx), errQuit)
	if quit {
		err = nil
	}
	if recErr := rec.Close(); err == nil {
		err = recErr
	}
	if err != nil {
		err = fmt.Errorf("ab: %w", err)
	}
	if observed.Started.IsZero() || errors.Is(err, lab.ErrNotRun) { // there is nothing to show
		return outcome(nil, err)
	}
	run, runErr := render.Run(observed) // what was seen is never lost
	if runErr != nil {
		return errors.Join(err, runErr)
	}
	runs := []*render.Observed{run}
	kept := o.keep.write(runs)
	if writeErr := o.output.write(streams.Out, render.Runs(runs, false)); writeErr != nil {
		return errors.Join(err, kept, writeErr)
	}
	// A faulty client may well break, once it has connected; a fixed one that does has
	// proved nothing.
	for _, s := range observed.Subjects {
		if err == nil && s.Final != nil && s.Final.Failure != "" && (cmp.Or(s.Half, s.ID) == string(scenario.Fixed) || neverConnected(s)) {
			err = fmt.Errorf("ab: %s: %s", s.ID, s.Final.Failure)
		}
	}
	if quit {
		fmt.Fprintln(streams.Err, "sockwatch: ended early with q: a part of a comparison proves nothing")
		runs = toTheirEnd(runs)
	}
	return outcome(runs, errors.Join(err, kept))
}

func neverConnected(s *series.Subject) bool {
	opened, known := s.Metrics().Connections, s.KernelConns()
	return (opened == nil || opened.Opened == 0) && (known == nil || known.Opened == 0) && s.PeakOpen(socketstats.Client) == 0
}

// face shows the comparison while it goes on, until it is closed.
func (o *abOptions) face(screen *tui.Terminal, w io.Writer, cancel context.CancelCauseFunc) (show func(series.Event), closeFace func()) {
	switch {
	case o.quiet:
		return func(series.Event) {}, func() {}
	case o.showOutput: // what the clients write cannot be drawn over
		return tui.Plain(w, false), func() {}
	default:
		return screen.Show(controls(cancel))
	}
}

// commandSupervisorCommand looks after a command of a comparison.
func commandSupervisorCommand(streams program.Streams) *cobra.Command {
	var controlled bool
	c := &cobra.Command{
		Use:   "supervise-command",
		Short: "Look after a command for sockwatch ab",
		RunE: func(c *cobra.Command, _ []string) error {
			return program.WorkerEnded(worker.SuperviseCommand(c.Context(), streams.In, streams.Out))
		},
	}
	program.ControlledFlag(c.Flags(), &controlled)
	return c
}
