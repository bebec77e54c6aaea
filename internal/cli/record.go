package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/series"
	"socketlab/internal/words"
)

var _ = register(recordCommand)

func recordCommand(streams program.Streams) *cobra.Command {
	var (
		t      targetFlags
		length time.Duration
		file   string
	)
	c := &cobra.Command{
		Use:   "record --pid N | --name S | --port N -o FILE",
		Short: "Record the sockets of running processes, to be judged or replayed later",
		Long: `Watches processes and writes what it sees to a new file: a line of JSON for each
count, written at once, so that a crash loses at most the last. It goes on until
Ctrl-C, until --for is over, or until the processes have ended.

sockwatch replay FILE shows it again, and sockwatch diagnose FILE judges it.`,
		Example: `  sockwatch record --name myservice -o incident.jsonl --for 10m
  sockwatch record --port 5432 --interval 5s -o pool.jsonl`,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case file == "":
				return program.Usagef(c, "nowhere to record: give -o FILE")
			case !t.named():
				return program.Usagef(c, "nothing to record: give --pid, --name or --port")
			case length < 0:
				return program.Usagef(c, "--for must not be below 0")
			}
			if err := t.check(c); err != nil {
				return err
			}
			out := recording.Writer{Path: file}
			if err := out.Check(); err != nil {
				return program.Usagef(c, "-o: %w", err)
			}
			return recordTarget(c.Context(), streams, &t, length, &out)
		},
	}
	f := c.Flags()
	t.add(f, "a server's port on this machine: its clients, and itself")
	f.DurationVar(&length, "for", 0, "end after this time; 0 goes on until Ctrl-C")
	f.StringVarP(&file, "output", "o", "", "the file to write, which must not be there yet")
	return c
}

func recordTarget(ctx context.Context, streams program.Streams, t *targetFlags, length time.Duration, out *recording.Writer) error {
	f, err := t.open(ctx, observe.Options{Details: true}, length, streams.Err)
	if err != nil {
		return err
	}
	defer f.close()
	samples := 0
	err = f.follow(ctx, func(e series.Event) error {
		if e.Moment != nil {
			samples++
		}
		out.Write(e)
		return out.Err()
	})
	if closeErr := out.Close(); closeErr != nil {
		return closeErr
	}
	if samples > 0 {
		fmt.Fprintf(streams.Err, "sockwatch: %s in %s\n", words.Plural(samples, "sample"), out.Path)
	}
	if errors.Is(err, observe.ErrGone) && samples > 0 {
		fmt.Fprintln(streams.Err, "sockwatch: "+err.Error())
		return nil
	}
	return interruptedOr(ctx, err)
}
