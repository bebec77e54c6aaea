package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/judge"
	"socketlab/internal/live"
	"socketlab/internal/record"
	"socketlab/internal/report"
	"socketlab/internal/watch"
)

func recordCommand(streams Streams) *cobra.Command {
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
				return usagef(c, "nowhere to record: give -o FILE")
			case !t.named():
				return usagef(c, "nothing to record: give --pid, --name or --port")
			case length < 0:
				return usagef(c, "--for must not be below 0")
			}
			if err := t.check(c); err != nil {
				return err
			}
			out := record.Writer{Path: file}
			if err := out.Check(); err != nil {
				return usagef(c, "-o: %w", err)
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

func recordTarget(ctx context.Context, streams Streams, t *targetFlags, length time.Duration, out *record.Writer) error {
	target := t.target()
	target.Closely = true
	f, err := t.open(ctx, target, length, streams.Err)
	if err != nil {
		return err
	}
	defer f.close()
	samples := 0
	begin := &watch.Begin{
		Schema: record.Schema, Port: target.Port, PIDs: target.PIDs, Name: target.Name,
		Source: f.source.Name(), Interval: f.interval, Started: time.Now(),
	}
	err = f.follow(ctx, func(s watch.Snapshot) error {
		if samples == 0 {
			out.Write(watch.Event{Watch: begin})
		}
		samples++
		out.Write(watch.Event{Snapshot: &s})
		return out.Err()
	})
	ending := &watch.Ending{Gone: errors.Is(err, watch.ErrGone)}
	switch {
	case ctx.Err() != nil:
		ending.Stopped = "interrupted"
	case err != nil && !ending.Gone:
		ending.Stopped = err.Error()
	}
	if samples > 0 {
		out.Write(watch.Event{End: ending})
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

func replayCommand(streams Streams) *cobra.Command {
	var (
		format = choice{"table", report.Formats()}
		pace   float64
		quiet  bool
	)
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "Show a recording again, with the same verdict",
		Long: `Reads a file of sockwatch record, or of run --record, and prints what was
printed when it was made: the same samples, the same verdict, the same exit
code. With --pace it also shows it as it went on, at that many times its speed.

A file that is cut off is an error (exit code 1), after what could be read of it.`,
		Example: `  sockwatch replay incident.jsonl
  sockwatch replay run.jsonl --pace 4
  sockwatch replay run.jsonl -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if pace < 0 {
				return usagef(c, "--pace must not be below 0")
			}
			r, err := record.Read(args[0])
			if r == nil {
				return err
			}
			return firstOf(err, replay(c.Context(), streams, r, format.value, pace, quiet))
		},
	}
	f := c.Flags()
	f.VarP(&format, "output", "o", "form of the result; of a watch table or json")
	f.Float64Var(&pace, "pace", 0, "show it at this many times its speed; 0 goes straight to the result")
	f.BoolVarP(&quiet, "quiet", "q", false, "show only the result")
	return c
}

// replay shows a recording, and returns the exit code that its making had.
func replay(ctx context.Context, streams Streams, r *record.Recording, format string, pace float64, quiet bool) error {
	if r.Run != nil {
		return replayRun(ctx, streams, r, format, pace, quiet)
	}
	if r.History.Len() == 0 {
		return errors.New("the recording has no sample")
	}
	if pace > 0 && !quiet {
		show := live.Watch(streams.Err, live.CanRedraw(streams.Err, os.Getenv("TERM")))
		var before time.Duration
		for _, s := range r.History.Snapshots() {
			if !wait(ctx, s.After-before, pace) {
				return &codeError{code: exitInterrupted}
			}
			before = s.After
			show(s)
		}
	}
	return printDiagnosis(ctx, streams, &r.History, r.Watch.Source, format, r.Gone())
}

// wait waits for a time at a pace, and returns false if the context ended.
func wait(ctx context.Context, d time.Duration, pace float64) bool {
	t := time.NewTimer(time.Duration(float64(d) / pace))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func replayRun(ctx context.Context, streams Streams, r *record.Recording, format string, pace float64, quiet bool) error {
	if pace > 0 && !quiet {
		show := live.Run(streams.Err, live.CanRedraw(streams.Err, os.Getenv("TERM")))
		var before time.Duration
		for _, e := range r.Events {
			if e.Sample != nil {
				if !wait(ctx, e.Sample.At-before, pace) {
					return &codeError{code: exitInterrupted}
				}
				before = e.Sample.At
			}
			show(e)
		}
	}
	if !r.Ended && r.Run.Stopped == "" {
		r.Run.Stopped = "the recording has no end"
	}
	entries := []report.Entry{{Run: r.Run, Judgement: judge.Judge(r.Run)}}
	if err := report.Write(streams.Out, format, entries, false); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return outcome(entries, nil)
}

// diagnoseFile judges a recording as it stands.
func diagnoseFile(streams Streams, path, format string) error {
	r, err := record.Read(path)
	switch {
	case r == nil:
		return err
	case r.Run == nil && r.History.Len() > 0:
		return firstOf(err, printDiagnosis(context.Background(), streams, &r.History, r.Watch.Source, format, r.Gone()))
	case r.Run == nil:
		return firstOf(err, fmt.Errorf("%s has no sample", path))
	}
	d := report.Diagnosis{Source: r.Run.Source, Duration: r.Run.Duration, Samples: r.Run.Sampling.Samples}
	for _, s := range judge.Sides(r.Run) {
		d.Judgements = append(d.Judgements, watch.Judgement{Subject: watch.Subject{Name: s.Name, Series: s.Series}, Verdict: s.Verdict})
	}
	if d.Samples == 0 {
		return firstOf(err, fmt.Errorf("%s has no sample", path))
	}
	if writeErr := report.WriteDiagnosis(streams.Out, format, d); writeErr != nil {
		return fmt.Errorf("write the verdict: %w", writeErr)
	}
	return firstOf(err, verdictCode(watch.Worst(d.Judgements).Verdict))
}
