package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/render/report"
	"socketlab/internal/render/tui"
	"socketlab/internal/render/web"
)

func replayCommand(streams program.Streams) *cobra.Command {
	var (
		format = program.NewChoice("table", report.Formats()...)
		show   replayOptions
	)
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "Show a recording again, with the same verdict",
		Long: `Reads a file of sockwatch record, or of run --record, and prints what was
printed when it was made: the same samples, the same verdict, the same exit
code. With --replay-speed it also shows it as it went on, at that many times its speed;
q ends that, and prints what was shown until then. With --web a page shows it, too.

A file that is cut off is an error (exit code 1), after what could be read of it.`,
		Example: `  sockwatch replay incident.jsonl
  sockwatch replay run.jsonl --replay-speed 4
  sockwatch replay run.jsonl --web
  sockwatch replay run.jsonl -o json`,
		Args: show.web.args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if show.replaySpeed < 0 {
				return program.Usagef(c, "--replay-speed must not be below 0")
			}
			r, err := recording.Read(show.web.take(args)[0])
			if r == nil {
				return err
			}
			return firstOf(err, replay(c.Context(), streams, r, format.String(), show))
		},
	}
	f := c.Flags()
	f.VarP(&format, "output", "o", "form of the result; of a watch table or json")
	f.Float64Var(&show.replaySpeed, "replay-speed", 0, "show it at this many times its speed; 0 goes straight to the result")
	f.BoolVarP(&show.quiet, "quiet", "q", false, "show only the result")
	show.web.add(f)
	return c
}

// replayOptions say how a recording is shown before its result is printed.
type replayOptions struct {
	replaySpeed float64
	quiet       bool
	web         webFlag
}

// replay shows a recording, and returns the exit code that its making had.
func replay(ctx context.Context, streams program.Streams, r *recording.Recording, format string, o replayOptions) error {
	if o.quiet {
		o.replaySpeed = 0
	}
	page, err := o.web.open(streams.Err)
	if err != nil {
		return err
	}
	if page != nil {
		defer func() { _ = linger(ctx, page, !o.quiet, streams.Err) }() // what was recorded is printed
	}
	if r.Run != nil {
		return replayRun(ctx, streams, r, format, o.replaySpeed, page)
	}
	return replayWatch(ctx, streams, r, format, o.replaySpeed, page)
}

func replayRun(ctx context.Context, streams program.Streams, r *recording.Recording, format string, pace float64, page *web.Server) error {
	screen := replayScreen(streams, r.Run.Started, pace, page)
	shown, early := paced(ctx, r.Events, recordedAt, pace, func(c tui.Controls) (func(lab.Event), func()) {
		show, closeFace := screen.Run(c)
		return show, closeFace
	}, onPage(page, (*web.Server).Run))
	run := r.Run
	if early != nil {
		run = &lab.Run{}
		for _, e := range r.Events[:shown] {
			run.Add(e)
		}
		run.Stopped = "the replay was ended"
	} else if !r.Ended && run.Stopped == "" {
		run.Stopped = "the recording has no end"
	}
	if early != nil && run.Sampling.Samples == 0 {
		return endedEarly(streams, early)
	}
	entries := []report.Entry{{Run: run, Outcome: expect.Judge(run)}}
	if err := report.Write(streams.Out, format, entries, false); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if early != nil {
		return endedEarly(streams, early)
	}
	return outcome(entries, nil)
}

// onPage is how a page is shown an event; without a page nothing is.
func onPage[E any](page *web.Server, show func(*web.Server, E)) func(E) {
	if page == nil {
		return func(E) {}
	}
	return func(e E) { show(page, e) }
}

// recordedAt is the time of an event in its run; those that have none come when
// what is before them has come.
func recordedAt(e lab.Event) time.Duration {
	if e.Sample == nil {
		return 0
	}
	return e.Sample.At
}

func replayWatch(ctx context.Context, streams program.Streams, r *recording.Recording, format string, pace float64, page *web.Server) error {
	if r.History.Len() == 0 {
		return errors.New("the recording has no sample")
	}
	screen := replayScreen(streams, r.Watch.Started, pace, page)
	all := r.History.Snapshots()
	shown, early := paced(ctx, all, func(s observe.Snapshot) time.Duration { return s.After }, pace, screen.Watch, onPage(page, (*web.Server).Watch))
	if early == nil {
		return printDiagnosis(ctx, streams, &r.History, r.Watch.Source, format, r.Gone())
	}
	if shown > 0 {
		var seen observe.History
		for _, s := range all[:shown] {
			seen.Add(s)
		}
		ctx, cancel := context.WithCancel(ctx)
		cancel() // the verdict of a part is printed, and is no exit code
		if err := printDiagnosis(ctx, streams, &seen, r.Watch.Source, format, false); err != nil {
			return err
		}
	}
	return endedEarly(streams, early)
}

// replayScreen is the terminal for a recording, with a note that it is one.
func replayScreen(streams program.Streams, started time.Time, pace float64, page *web.Server) *tui.Terminal {
	screen := tui.NewTerminal(streams.Err, streams.Err, streams.In)
	note := fmt.Sprintf("a recording of %s, at pace %g", started.Format(time.DateTime), pace)
	if page != nil {
		note += "; the page is at " + page.URL()
	}
	screen.Pin(note)
	return screen
}

// paced shows events on a face and on a page, each at its time of the recording,
// which is as many times faster as pace says; at pace 0 all at once, on the page
// alone. It returns how many were shown, and why not all of them: [errQuit], or
// the error of the context.
func paced[E any](
	ctx context.Context, events []E, at func(E) time.Duration, pace float64,
	face func(tui.Controls) (func(E), func()), page func(E),
) (shown int, err error) {
	if pace == 0 {
		for _, e := range events {
			page(e)
		}
		return len(events), nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	show, closeFace := face(controls(cancel))
	defer closeFace()
	defer context.AfterFunc(ctx, closeFace)()
	began := time.Now()
	for i, e := range events {
		due := time.NewTimer(time.Until(began.Add(time.Duration(float64(at(e)) / pace))))
		select {
		case <-due.C:
			show(e)
			page(e)
		case <-ctx.Done():
			due.Stop()
			return i, context.Cause(ctx)
		}
	}
	return len(events), nil
}

// endedEarly is the outcome of a replay that was ended: by its viewer, or else by
// Ctrl-C.
func endedEarly(streams program.Streams, early error) error {
	if errors.Is(early, errQuit) {
		fmt.Fprintln(streams.Err, "sockwatch: ended early with q: this is as far as it was replayed")
		return nil
	}
	return &program.CodeError{Code: program.ExitInterrupted}
}
