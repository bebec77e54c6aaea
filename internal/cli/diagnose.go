package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/uprobe"
	"socketlab/internal/verdict"
	"socketlab/internal/words"
)

// longestDiagnosis is how long a diagnosis that is never sure goes on.
const longestDiagnosis = 5 * time.Minute

var _ = register(diagnoseCommand)

func diagnoseCommand(streams program.Streams) *cobra.Command {
	var (
		t      targetFlags
		length time.Duration
		output outputFlag
		quiet  bool
		strict bool
		lines  whereFlags
		pprof  profileFlags
	)
	c := &cobra.Command{
		Use:   "diagnose [--pid N | --name S | --port N | FILE]",
		Short: "Say what is wrong with running processes, and how to fix it",
		Long: `Watches processes until it is sure what their sockets show, and prints the
verdict: healthy, or a kind of fault, with the facts. What grows is watched for up
to two minutes: an idle timeout may still end it. With --for it goes on for
that long, unless it is sure of a fault before: the longer it watches, the slower
a leak it finds. Without a target it looks at every process that it may see. A FILE
of sockwatch record, or of run --record, is judged as it stands. With --where it also
names the lines of the programs that hold connections (docs/where.md).

Exit codes: 0 healthy, or a note; 3 a leak or a fault, with --strict also a note;
1 when there was not enough to see.
docs/verdict.md says how each kind is recognised; sockwatch explain lists them.`,
		Example: `  sockwatch diagnose --pid 4242
  sockwatch diagnose --port 5432 --for 1m
  sockwatch diagnose --name myservice -o json
  sockwatch diagnose --pid 4242 --where
  sockwatch diagnose --pprof http://127.0.0.1:6060
  sockwatch diagnose incident.jsonl`,
		Args: program.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			args, err := lines.check(c, args, t.named())
			switch {
			case err != nil:
				return err
			case len(args) == 1 && t.named():
				return program.Usagef(c, "give a FILE, or one of --pid, --name and --port, not both")
			case len(args) == 1 && pprof.address != "":
				return program.Usagef(c, "give a FILE or --pprof, not both")
			case pprof.address != "" && lines.length > 0:
				return program.Usagef(c, "give --where or --pprof, not both: they answer the same")
			case len(args) == 1:
				for _, name := range []string{"for", "interval", "source"} {
					if c.Flags().Changed(name) {
						return program.Usagef(c, "--%s is for processes, and FILE is a recording", name)
					}
				}
				return diagnoseFile(c.Context(), streams, args[0], &output, strict)
			}
			if err := t.check(c); err != nil {
				return err
			}
			t.all = !t.named()
			var served *profiled
			if pprof.address != "" {
				var err error
				if served, err = pprof.open(lines.stacks); err != nil {
					return program.Usagef(c, "--pprof: %v", err)
				}
			}
			return diagnose(c.Context(), streams, &t, length, lines, served, &output, quiet, strict)
		},
	}
	f := c.Flags()
	t.add(f, "a server's port on this machine: its clients, and itself")
	f.DurationVar(&length, "for", 0, fmt.Sprintf("watch for this long, or until it is sure of a fault; 0 is until it is sure, %s at most", longestDiagnosis))
	lines.add(f)
	pprof.add(f)
	output.add(f, "table", fullAnswer)
	f.BoolVarP(&quiet, "quiet", "q", false, "say nothing while watching")
	f.BoolVar(&strict, "strict", false, "end with exit code 3 for a note, too")
	return c
}

// examination watches a target and judges it after every sample.
type examination struct {
	window observe.Window
	// same is how many samples in a row have shown the same of the same subject.
	same    int
	subject *series.Subject
	verdict verdict.Verdict
	// settling says that the verdict on some subject may still become another.
	settling bool
	// patient says that what is healthy is watched until the time is over, and least is
	// how long everything is.
	patient bool
	least   time.Duration
	// lines, unless it is nil, finds out which lines hold the connections.
	lines *lines
	say   func(format string, args ...any)
}

// scan enters an event, and returns errSeen once the verdict is sure.
func (e *examination) scan(event series.Event) error {
	e.window.Add(event)
	if event.Moment == nil {
		return nil
	}
	if e.lines != nil {
		e.lines.look(&e.window)
	}
	subjects := e.window.Subjects()
	verdicts := observe.Judge(subjects, false)
	worst := observe.Worst(subjects, verdicts)
	now := verdicts[worst.ID]
	if e.saysAgain(worst, now) {
		e.same++
	} else {
		e.same = 1
		e.report(event.Moment.At.Round(100*time.Millisecond), worst, now)
	}
	e.subject, e.verdict, e.settling = worst, now, false
	for _, v := range verdicts { // of all processes some always change
		e.settling = e.settling || (v.LeftMS > 0 && !e.window.LooksAtAll())
	}
	if event.Moment.At >= e.least && e.sure() {
		return errSeen
	}
	return nil
}

// saysAgain reports whether a verdict is that of the sample before. Too little was seen at first,
// and again after a restart: that is not one reason which time does not change.
func (e *examination) saysAgain(worst *series.Subject, now verdict.Verdict) bool {
	if e.subject == nil || now.Kind != e.verdict.Kind || worst.ID != e.subject.ID {
		return false
	}
	return now.Kind != verdict.NotEnoughData || now.Facts[0].Name == e.verdict.Facts[0].Name
}

// report says that the verdict is another one now, and that one was withdrawn.
func (e *examination) report(at time.Duration, worst *series.Subject, now verdict.Verdict) {
	switch {
	case now.Severity != "":
		e.say("%8s  %s: %s so far (confidence: %s)\n", at, worst.Name, now.Kind, now.Confidence)
	case e.verdict.Severity != "":
		e.say("%8s  %s: withdrawn: %s\n", at, e.subject.Name, now.Kind)
	case now.Kind != e.verdict.Kind:
		e.say("%8s  %s so far%s\n", at, now.Kind, suspected(now))
	}
}

// suspected says what a verdict that is not settled may become, and when that shows.
func suspected(v verdict.Verdict) string {
	if len(v.Suspects) == 0 {
		return ""
	}
	kinds := make([]string, len(v.Suspects))
	for i, k := range v.Suspects {
		kinds[i] = string(k)
	}
	return fmt.Sprintf(": it may become %s; that shows in %s", strings.Join(kinds, " or "), words.Duration(time.Duration(v.LeftMS)*time.Millisecond))
}

// sure reports whether more samples would hardly change the verdict. That
// something is healthy shows only in time.
func (e *examination) sure() bool {
	const stable, hopeless, enough, more = 3, 20, 30, 40
	v := e.verdict
	switch {
	case e.same < stable, v.LeftMS > 0:
		return false
	case v.Kind == verdict.NotEnoughData: // for a reason that time does not change
		return e.same >= hopeless && !e.patient && !e.settling
	case v.Kind == verdict.Healthy, v.Kind == verdict.Growing:
		return !e.patient && !e.settling
	case v.Severity == verdict.Note:
		return e.window.Len() >= enough && !e.patient && !e.settling
	}
	return v.Confidence != verdict.Low || e.window.Len() >= more
}

func diagnose(ctx context.Context, streams program.Streams, t *targetFlags, length time.Duration, where whereFlags, served *profiled, output *outputFlag, quiet, strict bool) error {
	patient := length > 0
	if !patient {
		length = longestDiagnosis
	}
	if served != nil {
		switch err := served.begin(ctx, t); {
		case err != nil:
			return cmp.Or(interruptedOr(ctx, nil), err)
		case t.all:
			return cmp.Or(interruptedOr(ctx, nil), served.alone(streams, output))
		}
	}
	var looked *lines
	if where.length > 0 {
		looked = newLines(where.stacks, streams.Err)
		defer looked.close()
		looked.begin(t.pids)
	}
	f, err := t.open(ctx, observe.Options{Details: true}, length, streams.Err)
	if err != nil {
		return err
	}
	defer f.close()
	e := &examination{lines: looked, least: where.length, patient: patient, say: func(format string, args ...any) {
		if !quiet {
			program.Say(streams.Err, format, args...)
		}
	}}
	err = f.follow(ctx, func(event series.Event) error {
		seen := e.scan(event)
		if event.Moment != nil && served != nil {
			served.look(ctx, &e.window)
		}
		return seen
	})
	if e.window.Len() == 0 {
		return interruptedOr(ctx, err)
	}
	if e.lines != nil && ctx.Err() != nil { // the newest sample may be old beside much else
		e.lines.look(&e.window)
	}
	if errors.Is(err, observe.ErrGone) {
		program.Say(streams.Err, "sockwatch: %v\n", err)
		err = nil
	}
	found := printDiagnosis(ctx, streams, &e.window, output, strict)
	if e.lines == nil && e.subject != nil && e.verdict.IsFault() && e.subject.PID != 0 && uprobe.Allowed() {
		e.say("For the lines of %s that hold the connections:\n  sockwatch diagnose --pid %d --where\n", e.subject.Name, e.subject.PID)
	}
	return cmp.Or(interruptedOr(ctx, err), found)
}

// diagnoseFile judges a recording as it stands.
func diagnoseFile(ctx context.Context, streams program.Streams, path string, output *outputFlag, strict bool) error {
	watch := observe.Window{Thin: true}
	var run *series.Observation
	samples, begun := 0, false
	err := recording.Each(ctx, path, func(e series.Event) {
		begun = true
		if e.Header != nil && e.Header.Target == nil {
			run = &series.Observation{}
		}
		if e.Moment != nil {
			samples++
		}
		if run != nil {
			run.Add(e)
		} else {
			watch.Add(e)
		}
	})
	switch {
	case ctx.Err() != nil && err != nil:
		return err
	case !begun:
		if _, bad := strconv.ParseUint(path, 10, 31); bad == nil {
			return fmt.Errorf("%w; of a process give --pid %s", err, path)
		}
		return err
	case samples == 0:
		return cmp.Or(err, recording.ErrNoSample(path))
	case run == nil:
		return cmp.Or(err, doneUntil(ctx, func() error { return printDiagnosis(ctx, streams, &watch, output, strict) }))
	}
	judged, badScript := render.Run(run)
	if badScript != nil {
		return cmp.Or(err, badScript)
	}
	if err := output.write(streams.Out, render.Diagnosis(judged)); err != nil {
		return err
	}
	return cmp.Or(err, verdictCode(judged, strict))
}

// interruptedOr is the exit code of Ctrl-C if that is what happened.
func interruptedOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &program.CodeError{Code: program.ExitInterrupted}
	}
	return err
}

// printDiagnosis prints what a window shows, and returns the exit code as an error,
// unless the context is over.
func printDiagnosis(ctx context.Context, streams program.Streams, w *observe.Window, output *outputFlag, strict bool) error {
	seen := render.Watched(w)
	if w.LooksAtAll() {
		worstFirst(seen)
	}
	if err := output.write(streams.Out, render.Diagnosis(seen)); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	return cmp.Or(verdictCode(seen, strict), unseen(w))
}

// worstFirst keeps of a look at every process those that matter: first those with
// the worst verdict, of the same verdict those that hold most.
func worstFirst(seen *render.Observed) {
	const most = 10
	held := func(s *series.Subject) int {
		n := s.Now(socketstats.Client).Open() + s.Now(socketstats.Server).Open()
		if p := s.Metrics().Process; p != nil {
			n += p.Kinds[socketstats.KindTCPClosed] + p.Kinds[socketstats.KindUDP] + p.Kinds[socketstats.KindUnix]
		}
		return n
	}
	o := seen.Observation
	looked := len(o.Subjects)
	o.Subjects = slices.DeleteFunc(o.Subjects, func(s *series.Subject) bool {
		return s.PID == 0 || (seen.Result.Verdicts[s.ID].Severity == "" && held(s) == 0)
	})
	slices.SortStableFunc(o.Subjects, func(a, b *series.Subject) int {
		return cmp.Or(verdict.Compare(seen.Result.Verdicts[a.ID], seen.Result.Verdicts[b.ID]), cmp.Compare(held(b), held(a)))
	})
	o.Subjects = o.Subjects[:min(most, len(o.Subjects))]
	o.Title = fmt.Sprintf("%s that could be seen, the worst %d first", words.Plural(looked, "process", "processes"), len(o.Subjects))
}

// unseen is an error if there were processes to look at that could not be seen: what
// was seen is not all then. Where every process was looked at it is none, because
// hardly anybody may see all.
func unseen(w *observe.Window) error {
	last := w.Last()
	if last == nil || len(last.Unseen) == 0 || w.LooksAtAll() {
		return nil
	}
	return fmt.Errorf("not all could be seen: %s", strings.Join(last.Unseen, "; "))
}

var errNotEnough = errors.New("not enough was seen for a verdict: watch for longer (--for), or see the facts")

// verdictCode is the exit code of the verdict that matters most. strict says that a
// note is as bad as a fault.
func verdictCode(o *render.Observed, strict bool) error {
	v := o.Worst()
	switch {
	case v.IsFault(), strict && v.Severity == verdict.Note:
		return &program.CodeError{Code: program.ExitFault}
	case v.Kind == "", v.Kind == verdict.NotEnoughData, v.Kind == verdict.Growing:
		return errNotEnough
	}
	return nil
}
