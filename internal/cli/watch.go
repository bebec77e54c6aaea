package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/live"
	"socketlab/internal/socketstats"
	"socketlab/internal/watch"
)

// defaultWatchPort is where slowserver listens.
const defaultWatchPort = 8080

func watchCommand(streams Streams) *cobra.Command {
	var (
		port     int
		pids     []int32
		name     string
		interval time.Duration
		length   time.Duration
		format   = choice{"table", []string{"table", "json"}}
		source   = choice{socketstats.Auto, socketstats.SourceNames()}
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
			if port < 0 || port > 65535 {
				return usagef(c, "--port %d is not a port", port)
			}
			if interval <= 0 || length < 0 {
				return usagef(c, "--interval must be above 0, and --for not below")
			}
			target := watch.Target{Port: uint16(port), PIDs: pids, Name: name}
			if port == 0 && len(pids) == 0 && name == "" {
				target.Port = defaultWatchPort
			}
			src, err := socketstats.OpenSource(source.value)
			if err != nil {
				return err
			}
			return watchTarget(c, streams, target, src, interval, length, format.value)
		},
	}
	f := c.Flags()
	f.IntVar(&port, "port", 0, fmt.Sprintf("a server's port on this machine (default %d, if no process is named)", defaultWatchPort))
	f.Int32SliceVar(&pids, "pid", nil, "process id; may be given several times")
	f.StringVar(&name, "name", "", "name of the processes' program")
	f.DurationVar(&interval, "interval", time.Second, "time between two counts")
	f.DurationVar(&length, "for", 0, "end after this time; 0 goes on until Ctrl-C")
	f.VarP(&format, "output", "o", "table, or a JSON object a line")
	f.Var(&source, "source", "where counts come from; auto is the cheapest that works here")
	return c
}

func watchTarget(c *cobra.Command, streams Streams, target watch.Target, source socketstats.Source, interval, length time.Duration, format string) error {
	ctx := c.Context()
	w, err := watch.New(ctx, source, target)
	if err != nil {
		return err
	}
	defer w.Close()
	redraw := live.CanRedraw(streams.Out, os.Getenv("TERM"))
	show := live.Watch(streams.Out, redraw)
	if format == "json" {
		out := json.NewEncoder(streams.Out)
		show = func(s watch.Snapshot) { _ = out.Encode(s) } // a closed pipe ends us by its signal
	}
	var last watch.Snapshot
	warned := false
	finish := func() { // what was seen last stays on the screen; elsewhere a table sums it up
		if format == "table" && !redraw && !last.At.IsZero() {
			fmt.Fprintf(streams.Out, "\n%s", live.WatchTable(last))
		}
	}
	var end <-chan time.Time
	if length > 0 {
		end = time.After(length)
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		snap, err := w.Count(ctx)
		switch {
		case ctx.Err() != nil:
			finish()
			return &codeError{code: exitInterrupted}
		case errors.Is(err, watch.ErrGone):
			finish()
			fmt.Fprintln(streams.Err, "sockwatch: "+err.Error())
			return nil
		case err != nil:
			finish()
			return err
		}
		last = snap
		show(snap)
		if !warned && snap.Took > interval/dear {
			warned = true
			warnDear(streams.Err, source, snap.Took, interval)
		}
		select {
		case <-ctx.Done():
			finish()
			return &codeError{code: exitInterrupted}
		case <-end:
			finish()
			return nil
		case <-tick.C:
		}
	}
}
