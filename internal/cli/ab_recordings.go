package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// compareRecordings compares what was recorded of a service before a change with what
// was recorded after it, as two commands are compared.
func (o *abOptions) compareRecordings(c *cobra.Command, streams program.Streams, files []string) error {
	if len(files) != 2 {
		return program.Usagef(c, "give two files of sockwatch record: before the change, and after it")
	}
	var wrong error
	c.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains([]string{"output", "report", "svg", "force", "quiet"}, f.Name) {
			wrong = program.Usagef(c, "--%s is for commands, and these are recordings", f.Name)
		}
	})
	if wrong != nil {
		return wrong
	}
	if err := o.keep.check(c, 1, ""); err != nil {
		return err
	}
	both, partial := beforeAndAfter(c.Context(), files[0], files[1])
	if both == nil {
		return partial
	}
	run, err := madeUntil(c.Context(), func() (*render.Observed, error) { return render.Run(both) })
	if err != nil {
		return err
	}
	runs := []*render.Observed{run}
	kept := o.keep.write(runs)
	if err := o.output.writeUntil(c.Context(), streams.Out, render.Runs(runs, false)); err != nil {
		return errors.Join(kept, err)
	}
	return outcome(runs, errors.Join(partial, kept))
}

// beforeAndAfter makes one observation of two recordings of watches. Each is a side:
// the one process that was watched, or all together. What is cut off is compared as far
// as it goes: with an error, the observation is what there is, and nil if that is not
// both.
func beforeAndAfter(ctx context.Context, before, after string) (both *series.Observation, partial error) {
	both = &series.Observation{}
	both.Gone = true
	for i, path := range []string{before, after} {
		r, err := recording.Read(ctx, path)
		partial = errors.Join(partial, err)
		switch {
		case r == nil:
			return nil, partial
		case r.Observation.Target == nil:
			return nil, fmt.Errorf("%s is a recording of a run, not of a watch: use sockwatch report %s", path, quoted(path))
		}
		watched, err := watchedIn(ctx, r)
		if watched == nil {
			return nil, err
		}
		if err != nil {
			partial = errors.Join(partial, fmt.Errorf("%s: %w", path, err))
		}
		side, of := *watched, r.Observation
		side.ID, side.Name = string(scenario.Sides()[i]), []string{"before", "after"}[i]
		if i == 0 {
			both.Header = of.Header
			both.Title, both.Target, both.Subjects = "before and after", nil, nil
			both.Commands = &series.Commands{Faulty: before, Fixed: after, Recordings: true}
			both.Provenance = thisProvenance()
		} else if of.Source != both.Source {
			both.Source += " and " + of.Source
		}
		for _, state := range of.UnsupportedStates {
			if !slices.Contains(both.UnsupportedStates, state) {
				both.UnsupportedStates = append(both.UnsupportedStates, state)
			}
		}
		both.Over = true
		both.Gone = both.Gone && of.Gone
		both.Duration = max(both.Duration, of.Duration)
		both.Cost.Samples += of.Cost.Samples
		both.Cost.Took += of.Cost.Took
		both.Cost.CPU += of.Cost.CPU
		both.Cost.Longest = max(both.Cost.Longest, of.Cost.Longest)
		both.Newest = of.Newest
		both.Subjects = append(both.Subjects, &side)
	}
	both.Length = both.Duration
	return both, partial
}

// watchedIn is the one process of a recording of a watch, or all together. The error is of what
// could not be seen, or there is no subject: that of ctx when that is done before.
func watchedIn(ctx context.Context, r *recording.Recording) (*series.Subject, error) {
	w := observe.Window{Thin: true}
	for _, e := range r.Events {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		w.Add(e)
	}
	if w.Len() == 0 {
		return nil, recording.ErrNoSample(r.Path)
	}
	subjects, err := madeUntil(ctx, func() ([]*series.Subject, error) { return w.Subjects(), nil })
	if err != nil {
		return nil, err
	}
	return subjects[0], unseen(&w)
}
