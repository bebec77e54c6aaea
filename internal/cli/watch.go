package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/live"
	"socketlab/internal/watch"
)

// defaultWatchPort is where slowserver listens.
const defaultWatchPort = 8080

func watchCommand(streams Streams) *cobra.Command {
	var (
		t      targetFlags
		length time.Duration
		format = choice{"table", []string{"table", "json"}}
	)
	c := &cobra.Command{
		Use:   "watch [--port N] [--pid N] [--name S]",
		Short: "Count the sockets of running processes, ours or not",
		Long: `With --port, counts the connections to that port of this machine: a column for
each process that made some, with the states at the client's end and at the
server's end of the same connections. With --pid or --name only, all TCP
sockets of these processes. Without any, the port of slowserver.

A socket that its process has closed stays in the process's column for as long
as the kernel keeps it (in TIME_WAIT, for instance), if it was seen before.`,
		Example: `  sockwatch watch                     # whoever talks to slowserver on 8080
  sockwatch watch --port 5432
  sockwatch watch --name client-faulty --for 10s -o json`,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := t.check(c); err != nil {
				return err
			}
			if length < 0 {
				return usagef(c, "--for must not be below 0")
			}
			if !t.named() {
				t.port = defaultWatchPort
			}
			f, err := t.open(c.Context(), t.target(), length, streams.Err)
			if err != nil {
				return err
			}
			defer f.close()
			return showWatch(c, streams, f, format.value)
		},
	}
	f := c.Flags()
	t.add(f, fmt.Sprintf("a server's port on this machine (default %d, if no process is named)", defaultWatchPort))
	f.DurationVar(&length, "for", 0, "end after this time; 0 goes on until Ctrl-C")
	f.VarP(&format, "output", "o", "table, or a JSON object a line")
	return c
}

func showWatch(c *cobra.Command, streams Streams, f *follower, format string) error {
	redraw := live.CanRedraw(streams.Out, os.Getenv("TERM"))
	show := live.Watch(streams.Out, redraw)
	if format == "json" {
		out := json.NewEncoder(streams.Out)
		show = func(s watch.Snapshot) { _ = out.Encode(s) } // a closed pipe ends us by its signal
	}
	var last watch.Snapshot
	err := f.follow(c.Context(), func(s watch.Snapshot) error {
		last = s
		show(s)
		return nil
	})
	// What was seen last stays on the screen; elsewhere a table sums it up.
	if format == "table" && !redraw && !last.At.IsZero() {
		fmt.Fprintf(streams.Out, "\n%s", live.WatchTable(last))
	}
	switch {
	case c.Context().Err() != nil:
		return &codeError{code: exitInterrupted}
	case errors.Is(err, watch.ErrGone):
		fmt.Fprintln(streams.Err, "sockwatch: "+err.Error())
		return nil
	}
	return err
}
