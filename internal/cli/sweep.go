package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/server"
)

var _ = register(sweepCommand)

func sweepCommand(streams program.Streams) *cobra.Command {
	var (
		o       runOptions
		setting string
		values  []string
	)
	c := &cobra.Command{
		Use:   "sweep ID | FILE",
		Short: "Play a scenario's fixed code at several values of a client setting",
		Long: `Plays the fixed code of a scenario, or of a script of your own, once for each
value of a client setting that the script names (sweep: {setting, values}), two
values at a time, and prints latency and connections against it: as a table, and
as a chart with the knee that Little's law predicts from the script (requests a
second x latency) beside the one that was measured. A script may name two other
metrics in their place (sweep: {show}).`,
		Example: `  sockwatch sweep pool-undersized
  sockwatch sweep pool-undersized --values 8,10,12 -o json
  sockwatch sweep dns-balancing                # the age of connections
  sockwatch sweep dns-balancing --values 300ms,3s`,
		Args: program.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			asked := scenario.Sweep{Setting: setting}
			for _, text := range values {
				value, err := scenario.ParseSweepValue(text)
				if err != nil {
					return program.Usagef(c, "--values: %w", err)
				}
				asked.Values = append(asked.Values, value)
			}
			return sweep(c, streams, o, args[0], asked)
		},
	}
	f := c.Flags()
	o.add(f, tableAnswer)
	hideOfOneRun(f)
	f.StringVar(&setting, "setting", "", "the client setting, such as pool_size (default: the script's)")
	f.StringSliceVar(&values, "values", nil, "the values, such as 4,8,12 or 1s,5s, the smallest first (default: the script's)")
	return c
}

// ofOneRun are flags of run that make no sense for a sweep.
var ofOneRun = []string{"ports", "program-dir", "record", "report", "svg", "force", "web", "now"}

// hideOfOneRun leaves them out of a command's help.
func hideOfOneRun(f *pflag.FlagSet) {
	for _, name := range ofOneRun {
		_ = f.MarkHidden(name)
	}
	f.Lookup("isolate").Usage = isolateUsage + "; auto: where possible"
}

// sweep plays a script's fixed code at several values. Nothing is started before
// all is known to be good.
func sweep(c *cobra.Command, streams program.Streams, o runOptions, word string, asked scenario.Sweep) error {
	for _, name := range ofOneRun {
		if c.Flags().Changed(name) {
			return program.Usagef(c, "--%s is for one run, and a sweep is several", name)
		}
	}
	if _, err := o.check(c, 1); err != nil {
		return err
	}
	scripts, err := o.scripts(c, []string{word})
	if err != nil {
		return err
	}
	script := scripts[0]
	if err := program.CatalogueOnly("sweep", script); err != nil {
		return err
	}
	over, err := sweepOver(script, asked)
	if err != nil {
		return program.Usagef(c, "%w", err)
	}
	source, err := o.openSource(c)
	if err != nil {
		return err
	}
	defer source.Close()
	p := &player{runOptions: o, streams: streams, source: source}
	if err := p.isolation(scripts[:1]); err != nil {
		return err
	}
	if reason := p.skip(script); reason != "" {
		return fmt.Errorf("%s: cannot be played: %s", script.ID, reason)
	}
	result, failed := p.sweepAll(c.Context(), script, over)
	if len(result.Points) > 0 {
		if err := o.output.write(streams.Out, result.Document()); err != nil {
			return errors.Join(failed, err)
		}
	}
	return outcome(nil, failed)
}

// sweepOver is the script's own sweep, with what was asked for in place of it.
func sweepOver(script scenario.Script, asked scenario.Sweep) (scenario.Sweep, error) {
	own := scenario.Sweep{}
	if script.Sweep != nil {
		own = *script.Sweep
	}
	over := own
	if asked.Setting != "" {
		over.Setting = asked.Setting
	}
	if over.Setting != own.Setting {
		over.Show = nil
	}
	if asked.Values != nil {
		over.Values = asked.Values
	}
	switch {
	case over.Setting == "":
		return over, fmt.Errorf("%s has no sweep: name a --setting and its --values", script.ID)
	case asked.Setting != "" && asked.Setting != own.Setting && asked.Values == nil:
		return over, fmt.Errorf("--setting %s: name its --values, too", asked.Setting)
	}
	return over, over.Check()
}

// atATime is how many values are played beside each other, each a side with a
// server and a client of its own.
const atATime = 2

// sweepAll plays all values. With an error the result is what was seen before.
func (p *player) sweepAll(ctx context.Context, script scenario.Script, over scenario.Sweep) (*render.Sweep, error) {
	latency := server.MeanDelay(script.Server)
	result := &render.Sweep{
		Scenario: script.ID, Title: script.Title, Setting: over.Setting, Show: over.Show, Speed: script.Speed, Seed: p.seed,
		PerSecond: script.Busiest(), LatencyMS: float64(latency.Microseconds()) / 1000, UnderWay: script.UnderWay(latency),
	}
	for values := range slices.Chunk(over.Values, atATime) {
		if !p.quiet {
			p.sayf("%s: %s %s\n", script.ID, over.Setting, inWords(values))
		}
		var sides []lab.Side
		for _, value := range values {
			settings := script.Client.With(over.Setting, value, script.Speed)
			sides = append(sides, lab.Side{ID: fmt.Sprintf("%s %s", over.Setting, value), Code: scenario.Fixed, Settings: &settings})
		}
		o, err := lab.Play(ctx, lab.Plan{
			Script: script, Seed: p.seed, Sides: sides, Source: p.source, Isolated: p.isolates(script),
		})
		switch {
		case err != nil:
			return result, fmt.Errorf("%s: %s %s: %w", script.ID, over.Setting, inWords(values), err)
		case o.Stopped != "":
			return result, &program.CodeError{Code: program.ExitFault, Err: fmt.Errorf("%s: %s %s: stopped: %s", script.ID, over.Setting, inWords(values), o.Stopped)}
		}
		run, err := render.Run(o)
		if err != nil {
			return result, err
		}
		for i, value := range values {
			result.Points = append(result.Points, render.SweepPoint{Value: value, Run: run, Subject: o.Subjects[i]})
		}
	}
	return result, nil
}

func inWords(values []scenario.SweepValue) string {
	if len(values) == 1 {
		return values[0].String()
	}
	return fmt.Sprintf("%s and %s", values[0], values[1])
}
