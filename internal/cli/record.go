package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/render/report"
)

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
	target := t.target()
	target.Details = true
	f, err := t.open(ctx, target, length, streams.Err)
	if err != nil {
		return err
	}
	defer f.close()
	samples := 0
	begin := &observe.Begin{
		Schema: recording.Schema, Port: target.Port, PIDs: target.PIDs, Name: target.Name,
		Source: f.source.Name(), Interval: f.interval, Started: time.Now(),
		Provenance: thisProvenance(),
	}
	err = f.follow(ctx, func(s observe.Snapshot) error {
		if samples == 0 {
			out.Write(observe.Event{Watch: begin})
		}
		samples++
		out.Write(observe.Event{Snapshot: &s})
		return out.Err()
	})
	ending := &observe.Ending{Gone: errors.Is(err, observe.ErrGone)}
	switch {
	case ctx.Err() != nil:
		ending.Stopped = "interrupted"
	case err != nil && !ending.Gone:
		ending.Stopped = err.Error()
	}
	if samples > 0 {
		out.Write(observe.Event{End: ending})
	}
	if closeErr := out.Close(); closeErr != nil {
		return closeErr
	}
	if samples > 0 {
		fmt.Fprintf(streams.Err, "sockwatch: %d samples in %s\n", samples, out.Path)
	}
	if ending.Gone && samples > 0 {
		fmt.Fprintln(streams.Err, "sockwatch: "+err.Error())
		return nil
	}
	return interruptedOr(ctx, err)
}

// diagnoseFile judges a recording as it stands.
func diagnoseFile(streams program.Streams, path, format string) error {
	r, err := recording.Read(path)
	switch {
	case r == nil:
		return err
	case r.Run == nil && r.History.Len() > 0:
		return firstOf(err, printDiagnosis(context.Background(), streams, &r.History, r.Watch.Source, format, r.Gone()))
	case r.Run == nil:
		return firstOf(err, fmt.Errorf("%s has no sample", path))
	}
	d := report.Diagnosis{Source: r.Run.Source, Duration: r.Run.Duration, Samples: r.Run.Sampling.Samples}
	for _, s := range expect.Sides(r.Run) {
		d.Verdicts = append(d.Verdicts, observe.SubjectVerdict{Subject: observe.Subject{Name: s.Name, Series: s.Series}, Verdict: s.Verdict})
	}
	if d.Samples == 0 {
		return firstOf(err, fmt.Errorf("%s has no sample", path))
	}
	if writeErr := report.WriteDiagnosis(streams.Out, format, d); writeErr != nil {
		return fmt.Errorf("write the verdict: %w", writeErr)
	}
	return firstOf(err, verdictCode(observe.Worst(d.Verdicts).Verdict))
}
