package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/series"
	"socketlab/internal/words"
)

var _ = register(recordCommand)

// recordOptions are the flags of record beside its target.
type recordOptions struct {
	length       time.Duration
	file, bundle string
	until        program.Choice
	keep         keepBound
	redact       bool
}

// What record goes on until.
const (
	untilEnd   = "end"
	untilFault = "fault"
)

func recordCommand(streams program.Streams) *cobra.Command {
	var (
		t targetFlags
		o = recordOptions{until: program.NewChoice(untilEnd, untilEnd, untilFault), keep: keepBound{time: 10 * time.Minute, bytes: 64 << 20}}
	)
	c := &cobra.Command{
		Use:   "record --pid N | --name S | --port N -o FILE",
		Short: "Record the sockets of running processes, to be judged or replayed later",
		Long: `Watches processes and writes what it sees to a new file: a line of JSON for each
count, written at once, so that a crash loses at most the last. It goes on until
Ctrl-C, until --for is over, or until the processes have ended.

With --until fault it keeps only the newest part, in memory and within the bound of
--keep, and judges it after each count. When it is sure of a leak or a fault it writes
what it has and ends with exit code 3; at Ctrl-C, or when the time is over, it writes
what it has, too.

sockwatch replay FILE shows it again, sockwatch diagnose FILE judges it, and sockwatch
ab BEFORE AFTER compares two.`,
		Example: `  sockwatch record --name myservice -o incident.jsonl --for 10m
  sockwatch record --port 5432 --interval 5s -o pool.jsonl
  sockwatch record --name myservice --until fault --keep 30m --redact --bundle ticket.tar.gz`,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.file == "" && o.bundle != "" {
				o.file = stem(o.bundle) + ".jsonl"
			}
			switch {
			case o.file == "":
				return program.Usagef(c, "nowhere to record: give -o FILE")
			case !t.named():
				return program.Usagef(c, "nothing to record: give --pid, --name or --port")
			case c.Flags().Changed("keep") && o.until.String() != untilFault:
				return program.Usagef(c, "--keep goes with --until fault: else everything is kept")
			}
			if err := t.check(c); err != nil {
				return err
			}
			if least := (series.Least - 1) * t.interval; 0 < o.keep.time && o.keep.time < least {
				return program.Usagef(c, "a trend takes %d counts at least: with --interval %s, --keep must be %s or more", series.Least, t.interval, least)
			}
			if err := checkRecord(o.file); err != nil {
				return program.Usagef(c, "-o: %w", err)
			}
			if err := checkBundle(c, o.bundle, false); err != nil {
				return program.Usagef(c, "--bundle: %w", err)
			}
			if sameFile(o.bundle, o.file) {
				return program.Usagef(c, "--bundle and -o name the same file: %s", o.file)
			}
			return recordTarget(c.Context(), streams, &t, &o, &recording.Writer{Path: o.file})
		},
	}
	f := c.Flags()
	t.add(f, "a server's port on this machine: its clients, and itself")
	f.DurationVar(&o.length, "for", 0, "end after this time; 0 goes on until Ctrl-C")
	f.StringVarP(&o.file, "output", "o", "", "the file to write, which must not be there yet")
	f.Var(&o.until, "until", "what to record until: the end, or a fault that is sure")
	f.Var(&o.keep, "keep", "with --until fault, keep at most so much: a time, a size such as 50MB, or both with a comma")
	f.BoolVar(&o.redact, "redact", false, redactUsage)
	f.StringVar(&o.bundle, "bundle", "", bundleUsage)
	return c
}

// keepBound is --keep: a time, a size, or both; what is not given is not bounded.
type keepBound struct {
	time  time.Duration
	bytes int
}

func (k *keepBound) Type() string { return "TIME,SIZE" }

func (k *keepBound) String() string {
	var parts []string
	if k.time > 0 {
		parts = append(parts, words.Duration(k.time))
	}
	if k.bytes > 0 {
		parts = append(parts, fmt.Sprintf("%dMB", k.bytes>>20))
	}
	return strings.Join(parts, ",")
}

func (k *keepBound) Set(text string) error {
	var bound keepBound
	for part := range strings.SplitSeq(text, ",") {
		if d, err := time.ParseDuration(part); err == nil && d > 0 {
			if bound.time != 0 {
				return errors.New("give one time")
			}
			bound.time = d
			continue
		}
		n, isSize := strings.CutSuffix(part, "MB")
		size, err := strconv.Atoi(n)
		if !isSize || err != nil || size <= 0 || size > 1<<20 {
			return fmt.Errorf("%q is neither a time, such as 10m, nor a size, such as 50MB", part)
		}
		if bound.bytes != 0 {
			return errors.New("give one size")
		}
		bound.bytes = size << 20
	}
	*k = bound
	return nil
}

// recordTarget records until the end, or until a fault, of which it returns the exit
// code as an error.
func recordTarget(ctx context.Context, streams program.Streams, t *targetFlags, o *recordOptions, out *recording.Writer) error {
	f, err := t.open(ctx, observe.Options{Details: true}, o.length, streams.Err)
	if err != nil {
		return err
	}
	defer f.close()
	var redactor recording.Redactor
	samples := 0
	write := func(e series.Event) error {
		if e.Moment != nil {
			samples++
		}
		if o.redact {
			var err error
			if e, err = redactor.Event(e); err != nil {
				return err
			}
		}
		out.Write(e)
		return out.Err()
	}
	var fault error
	if o.until.String() == untilFault {
		fault, err = recordUntilFault(ctx, streams, f, o.keep, write)
	} else {
		err = f.follow(ctx, write)
	}
	if closeErr := out.Close(); closeErr != nil {
		return closeErr
	}
	if samples > 0 {
		program.Say(streams.Err, "sockwatch: %s in %s\n", words.Plural(samples, "sample"), out.Path)
	}
	if samples > 0 && o.bundle != "" {
		// An interrupt ends the recording, and what it has is what the bundle is for.
		ctx := context.WithoutCancel(ctx)
		r, readErr := recording.Read(ctx, out.Path)
		if readErr == nil {
			readErr = writeBundle(ctx, o.bundle, false, r)
		}
		if readErr != nil {
			return readErr
		}
		program.Say(streams.Err, "sockwatch: the bundle is %s\n", o.bundle)
	}
	if errors.Is(err, observe.ErrGone) && samples > 0 {
		program.Say(streams.Err, "sockwatch: %v\n", err)
		return fault
	}
	return cmp.Or(interruptedOr(ctx, err), fault)
}

// recordUntilFault keeps the newest part of what is seen, until a verdict is sure of a
// fault, and then writes it. fault is the exit code of that; nil if there was none.
func recordUntilFault(ctx context.Context, streams program.Streams, f *follower, keep keepBound, write func(series.Event) error) (fault, err error) {
	if 0 < keep.time && keep.time < longestDiagnosis {
		program.Say(streams.Err, "sockwatch: --keep %s is less than the %s that a diagnosis may take: some faults may not be found\n",
			words.Duration(keep.time), words.Duration(longestDiagnosis))
	}
	ring := recording.Ring{Keep: keep.time, Bytes: keep.bytes}
	e := &examination{patient: true, say: func(format string, args ...any) { program.Say(streams.Err, format, args...) }}
	e.window.Most, e.window.OldestFirst = mostJudged, true
	if keep.time > 0 {
		e.window.Most = min(mostJudged, max(1, int(keep.time/f.interval)))
	}
	err = f.follow(ctx, func(event series.Event) error {
		if err := ring.Add(event); err != nil {
			return err
		}
		return e.scan(event)
	})
	if e.verdict.IsFault() && e.sure() { // said first: the disk may be full
		program.Say(streams.Err, "sockwatch: %s: %s\n", e.subject.Name, render.Claim(e.verdict))
		fault = &program.CodeError{Code: program.ExitFault}
	}
	for _, event := range ring.Events() {
		if writeErr := write(event); writeErr != nil {
			return nil, writeErr
		}
	}
	return fault, err
}

// mostJudged is how many samples are judged at most: an hour of them.
const mostJudged = 3600
