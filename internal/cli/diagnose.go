package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/observe"
	"socketlab/internal/render/report"
	"socketlab/internal/verdict"
)

// longestDiagnosis is how long a diagnosis that is never sure goes on.
const longestDiagnosis = 5 * time.Minute

func diagnoseCommand(streams program.Streams) *cobra.Command {
	var (
		t      targetFlags
		length time.Duration
		format = program.NewChoice("table", "table", "json")
		quiet  bool
	)
	c := &cobra.Command{
		Use:   "diagnose --pid N | --name S | --port N | FILE",
		Short: "Say what is wrong with running processes, and how to fix it",
		Long: `Watches processes until it is sure what their sockets show, and prints the
verdict: healthy, or a kind of leak, with the evidence. With --for it goes on for
that long, unless it is sure of a leak before: the longer it watches, the slower
a leak it finds. A FILE of sockwatch record, or of run --record, is judged as it
stands.

Exit codes: 0 healthy, 3 a leak, 1 when there was not enough to see.
docs/verdict.md says how each kind is recognised; sockwatch explain lists them.`,
		Example: `  sockwatch diagnose --pid 4242
  sockwatch diagnose --port 5432 --for 1m
  sockwatch diagnose --name myservice -o json
  sockwatch diagnose incident.jsonl`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && t.named():
				return program.Usagef(c, "give a FILE, or one of --pid, --name and --port, not both")
			case len(args) == 1:
				return diagnoseFile(streams, args[0], format.String())
			case !t.named():
				return program.Usagef(c, "nothing to diagnose: give --pid, --name, --port, or a recording's FILE")
			case length < 0:
				return program.Usagef(c, "--for must not be below 0")
			}
			if err := t.check(c); err != nil {
				return err
			}
			return diagnose(c.Context(), streams, &t, length, format.String(), quiet)
		},
	}
	f := c.Flags()
	t.add(f, "a server's port on this machine: its clients, and itself")
	f.DurationVar(&length, "for", 0, fmt.Sprintf("watch for this long, or until it is sure of a leak; 0 is until it is sure, %s at most", longestDiagnosis))
	f.VarP(&format, "output", "o", "form of the verdict")
	f.BoolVarP(&quiet, "quiet", "q", false, "say nothing while watching")
	return c
}

// examination watches a target and judges it after every count.
type examination struct {
	history observe.History
	// same is how many counts in a row have shown the same.
	same int
	last observe.SubjectVerdict
	// patient says that what is healthy is watched until the time is over.
	patient bool
	say     func(format string, args ...any)
}

// scan enters a count, and returns errSeen once the verdict is sure.
func (e *examination) scan(s observe.Snapshot) error {
	e.history.Add(s)
	now := observe.Worst(e.history.Judge(false))
	if now.Verdict.Kind == e.last.Verdict.Kind && now.Name == e.last.Name {
		e.same++
	} else {
		e.same = 1
		e.report(s, now)
	}
	e.last = now
	if e.sure() {
		return errSeen
	}
	return nil
}

// report says that the verdict is another one now, and that one was taken back.
func (e *examination) report(s observe.Snapshot, now observe.SubjectVerdict) {
	after := s.After.Round(100 * time.Millisecond)
	switch {
	case now.Verdict.Leak:
		e.say("%8s  %s: %s so far (confidence: %s)\n", after, now.Name, now.Verdict.Kind, now.Verdict.Confidence)
	case e.last.Verdict.Leak:
		e.say("%8s  %s: taken back: %s\n", after, e.last.Name, now.Verdict.Kind)
	case now.Verdict.Kind != e.last.Verdict.Kind:
		e.say("%8s  %s so far\n", after, now.Verdict.Kind)
	}
}

// sure reports whether more counts would hardly change the verdict. That
// something is healthy shows only in time.
func (e *examination) sure() bool {
	const stable, enough = 3, 20
	if e.same < stable {
		return false
	}
	switch v := e.last.Verdict; v.Kind {
	case verdict.NotEnoughData:
		return false
	case verdict.Healthy:
		return e.history.Len() >= enough && !e.patient
	default:
		return v.Confidence != verdict.Low || e.history.Len() >= 2*enough
	}
}

func diagnose(ctx context.Context, streams program.Streams, t *targetFlags, length time.Duration, format string, quiet bool) error {
	target := t.target()
	target.Details = true
	patient := length > 0
	if !patient {
		length = longestDiagnosis
	}
	f, err := t.open(ctx, target, length, streams.Err)
	if err != nil {
		return err
	}
	defer f.close()
	e := &examination{patient: patient, say: func(format string, args ...any) {
		if !quiet {
			fmt.Fprintf(streams.Err, format, args...)
		}
	}}
	err = f.follow(ctx, e.scan)
	gone := errors.Is(err, observe.ErrGone)
	if e.history.Len() == 0 {
		return interruptedOr(ctx, err)
	}
	if gone {
		fmt.Fprintln(streams.Err, "sockwatch: "+err.Error())
		err = nil
	}
	found := printDiagnosis(ctx, streams, &e.history, f.source.Name(), format, gone)
	return firstOf(interruptedOr(ctx, err), found)
}

// firstOf returns the first error: of a failure before a verdict's exit code.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// interruptedOr is the exit code of Ctrl-C if that is what happened.
func interruptedOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &program.CodeError{Code: program.ExitInterrupted}
	}
	return err
}

// printDiagnosis prints what a history shows, and returns the exit code as an
// error.
func printDiagnosis(ctx context.Context, streams program.Streams, h *observe.History, source, format string, ended bool) error {
	d := report.Diagnosis{
		Source: source, Samples: h.Len(), Duration: h.Last().After, Verdicts: h.Judge(ended), Last: h.Last(),
	}
	if err := report.WriteDiagnosis(streams.Out, format, d); err != nil {
		return fmt.Errorf("write the verdict: %w", err)
	}
	if ctx.Err() != nil {
		return nil
	}
	return verdictCode(observe.Worst(d.Verdicts).Verdict)
}

// verdictCode is the exit code of a verdict.
func verdictCode(v verdict.Verdict) error {
	switch {
	case v.Leak:
		return &program.CodeError{Code: program.ExitLeak}
	case v.Kind == verdict.NotEnoughData:
		return errors.New("not enough was seen for a verdict: watch for longer (--for)")
	}
	return nil
}
