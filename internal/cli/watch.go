package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/render/tui"
	"socketlab/internal/render/web"
	"socketlab/internal/series"
)

const (
	// defaultWatchPort is where slowserver listens.
	defaultWatchPort = 8080
	// watched is how many samples of a watch are kept.
	watched = 600
)

var _ = register(watchCommand)

func watchCommand(streams program.Streams) *cobra.Command {
	var (
		t      targetFlags
		length time.Duration
		onWeb  webFlag
		output outputFlag
	)
	c := &cobra.Command{
		Use:   "watch [--port N] [--pid N] [--name S]",
		Short: "Count the sockets of running processes, ours or not",
		Long: `With --port, counts the connections to that port of this machine: a column for
each process that made some, with the states at the client's end and at the
server's end of the same connections; in our network namespace, and in each other
one that this user may see and that has some. With --pid, --name, --container,
--cgroup or --unit only, all TCP sockets of these processes, and their open
descriptors by kind. Without any, the port of slowserver.

A process is watched together with its children (--no-children is without), in
whatever network namespace they are: with CAP_SYS_ADMIN by entering it, else through
/proc, without tcp_info and without what comes and goes between two counts. A process
that this user may not see is named.

A view on a terminal, and a page, show the verdict on each process as it forms, by
the newest 600 counts; sockwatch diagnose says more. The exit code does not depend on
it: it is 0 also where a process leaks. diagnose and check exit with 3 then.

A socket that its process has closed stays in the process's column for as long
as the kernel keeps it (in TIME_WAIT, for instance), if it was seen before.`,
		Example: `  sockwatch watch                     # whoever talks to slowserver on 8080
  sockwatch watch --port 5432
  sockwatch watch --name client-faulty --for 10s -o json`,
		Args: onWeb.args(program.Args(0, 0)),
		RunE: func(c *cobra.Command, args []string) error {
			onWeb.take(args)
			if err := t.check(c); err != nil {
				return err
			}
			if !t.named() {
				t.port = defaultWatchPort
			}
			page, err := onWeb.open(streams.Err)
			if err != nil {
				return err
			}
			// Lines of JSON are for programs, which judge by themselves, and cost the less.
			options := observe.Options{Details: output.name != "json"}
			if page != nil {
				options.Except = page.Port()
				defer func() { _ = linger(c.Context(), page, true, streams.Err) }() // what was seen is printed
			}
			shown := streams.Out
			if output.name != "table" { // that is for the answer
				shown = streams.Err
			}
			screen := tui.NewTerminal(shown, streams.Err, streams.In)
			if page != nil {
				screen.Pin("the page is at " + page.URL())
			}
			f, err := t.open(c.Context(), options, length, screen)
			if err != nil {
				return err
			}
			defer f.close()
			return showWatch(c, streams, screen, f, &output, page)
		},
	}
	f := c.Flags()
	t.add(f, fmt.Sprintf("a server's port on this machine (default %d, if no process is named)", defaultWatchPort))
	f.DurationVar(&length, "for", 0, "end after this time; 0 goes on until Ctrl-C")
	output.add(f, "table", fullAnswer)
	f.Lookup("output").Usage = "format of the answer; json is a line for each sample, as in a recording, with the counts alone"
	onWeb.add(f)
	return c
}

func showWatch(c *cobra.Command, streams program.Streams, screen *tui.Terminal, f *follower, output *outputFlag, page *web.Server) error {
	debug.SetGCPercent(garbage)
	ctx, cancel := context.WithCancelCause(c.Context())
	defer cancel(nil)
	show, closeFace := screen.Show(controls(cancel))
	if output.name == "json" { // a line for each event, as in a recording
		out := json.NewEncoder(streams.Out)
		show = func(e series.Event) { _ = out.Encode(e) } // a closed pipe ends us by its signal
	}
	defer closeFace() // also when something panics
	defer context.AfterFunc(ctx, closeFace)()
	seen, pageToo := observe.Window{Most: watched}, onPage(page)
	err := f.follow(ctx, func(e series.Event) error {
		seen.Add(e)
		show(e)
		pageToo(e)
		return nil
	})
	closeFace()
	if output.name != "json" && seen.Len() > 0 { // what was seen last, to keep
		if output.name == "table" {
			fmt.Fprintln(streams.Out)
		}
		if err := output.write(streams.Out, render.Watch(render.Watched(&seen))); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(context.Cause(ctx), errQuit):
		return nil
	case ctx.Err() != nil:
		return &program.CodeError{Code: program.ExitInterrupted}
	case errors.Is(err, observe.ErrGone):
		program.Say(streams.Err, "sockwatch: %v\n", err)
		return nil
	}
	return err
}
