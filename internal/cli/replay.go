package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/render/tui"
	"socketlab/internal/render/web"
	"socketlab/internal/series"
)

var _ = register(replayCommand)

func replayCommand(streams program.Streams) *cobra.Command {
	var (
		output outputFlag
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
		Args: show.web.args(program.Args(1, 1)),
		RunE: func(c *cobra.Command, args []string) error {
			if s := show.replaySpeed; s != 0 && !(s >= leastReplaySpeed && s <= mostReplaySpeed) { // NaN is neither
				return program.Usagef(c, "--replay-speed %g is neither 0 nor between %g and %g", s, leastReplaySpeed, mostReplaySpeed)
			}
			r, err := recording.Read(c.Context(), show.web.take(args)[0])
			if r == nil {
				return err
			}
			return cmp.Or(err, replay(c.Context(), streams, r, &output, show))
		},
	}
	f := c.Flags()
	output.add(f, "table", fullAnswer)
	f.Float64Var(&show.replaySpeed, "replay-speed", 0, "show it at this many times its speed; 0 goes straight to the result")
	f.BoolVarP(&show.quiet, "quiet", "q", false, "show only the result")
	show.web.add(f)
	return c
}

// The bounds of --replay-speed: a sample of a second takes a quarter of an hour, or less than
// a screen needs to be drawn.
const (
	leastReplaySpeed = 0.001
	mostReplaySpeed  = 1e6
)

// replayOptions say how a recording is shown before its result is printed.
type replayOptions struct {
	replaySpeed float64
	quiet       bool
	web         webFlag
}

// replay shows a recording, and returns the exit code that its making had.
func replay(ctx context.Context, streams program.Streams, r *recording.Recording, output *outputFlag, o replayOptions) error {
	if o.quiet {
		o.replaySpeed = 0
	}
	if r.Observation.Target != nil && !anySample(r.Events) {
		return recording.ErrNoSample(r.Path)
	}
	page, err := o.web.open(streams.Err)
	if err != nil {
		return err
	}
	if page != nil {
		defer func() { _ = linger(ctx, page, !o.quiet, streams.Err) }() // what was recorded is printed
	}
	screen := replayScreen(streams, r.Observation.Started, o.replaySpeed, page)
	shown, early := paced(ctx, r.Events, o.replaySpeed, screen, onPage(page))
	result := replayRun
	if r.Observation.Target != nil {
		result = replayWatch
	}
	if early == nil {
		return doneUntil(ctx, func() error { return result(ctx, streams, r.Events, output) })
	}
	if part := r.Events[:shown]; anySample(part) {
		part = append(slices.Clone(part), series.Event{End: &series.Ending{Stopped: "the replay was ended"}})
		ctx, cancel := context.WithCancel(ctx)
		cancel() // what a part shows is printed, and is no exit code
		if err := result(ctx, streams, part, output); err != nil {
			return err
		}
	}
	return endedEarly(streams, early)
}

func anySample(events []series.Event) bool {
	return slices.ContainsFunc(events, func(e series.Event) bool { return e.Moment != nil })
}

// replayRun prints what the events of a run show, and returns the exit code as an
// error, unless the context is over.
func replayRun(ctx context.Context, streams program.Streams, events []series.Event, output *outputFlag) error {
	o := &series.Observation{}
	for _, e := range events {
		o.Add(e)
	}
	if !o.Over {
		o.Stopped = "the recording has no end"
	}
	judged, err := render.Run(o)
	if err != nil {
		return err
	}
	if err := output.write(streams.Out, render.Runs([]*render.Observed{judged}, false)); err != nil {
		return err
	}
	var failed error
	switch {
	case ctx.Err() != nil:
		return nil
	case o.Stopped == lab.ErrInterrupted.Error():
		failed = fmt.Errorf("%s: the run was %w", judged.ID(), lab.ErrInterrupted)
	}
	return outcome([]*render.Observed{judged}, failed)
}

// replayWatch is the same of a watch.
func replayWatch(ctx context.Context, streams program.Streams, events []series.Event, output *outputFlag) error {
	w := observe.Window{Thin: true}
	for _, e := range events {
		w.Add(e)
	}
	return printDiagnosis(ctx, streams, &w, output, false)
}

// replayScreen is the terminal for a recording, with a note that it is one.
func replayScreen(streams program.Streams, started time.Time, speed float64, page *web.Server) *tui.Terminal {
	screen := tui.NewTerminal(streams.Err, streams.Err, streams.In)
	note := fmt.Sprintf("a recording of %s, at %g times its speed", started.Format(time.DateTime), speed)
	if page != nil {
		note += "; the page is at " + page.URL()
	}
	screen.Pin(note)
	return screen
}

// paced shows events on a screen and on a page, each at its time of the recording,
// which is as many times faster as speed says; at speed 0 all at once, on the page
// alone. It returns how many were shown, and why not all of them: [errQuit], or
// the error of the context.
func paced(
	ctx context.Context, events []series.Event, speed float64,
	screen *tui.Terminal, page func(series.Event),
) (shown int, err error) {
	if speed == 0 {
		for _, e := range events {
			page(e)
		}
		return len(events), nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	show, closeFace := screen.Show(controls(cancel))
	defer closeFace()
	defer context.AfterFunc(ctx, closeFace)()
	began, at := time.Now(), time.Duration(0)
	for i, e := range events {
		if e.Moment != nil { // what has no time comes when what is before it has come
			at = e.Moment.At
		}
		due := time.NewTimer(time.Until(began.Add(time.Duration(float64(at) / speed))))
		select {
		case <-due.C:
			show(e)
			page(e)
		case <-ctx.Done():
			due.Stop()
			return i, context.Cause(ctx)
		}
	}
	screen.Stay(ctx)
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
