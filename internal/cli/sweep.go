package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/render/report"
	"socketlab/internal/scenario"
	"socketlab/internal/server"
)

func sweepCommand(streams program.Streams) *cobra.Command {
	var (
		o       runOptions
		setting string
		values  []int
	)
	c := &cobra.Command{
		Use:   "sweep ID | FILE",
		Short: "Play a scenario's fixed code at several values of a client setting",
		Long: `Plays the fixed code of a scenario, or of a script of your own, once for each
value of a client setting that the script names (sweep: {setting, values}), two
values at a time, and prints latency and connections against it: as a table, and
as a chart with the knee that Little's law predicts from the script (requests a
second x latency) beside the one that was measured.`,
		Example: `  sockwatch sweep pool-undersized
  sockwatch sweep pool-undersized --values 8,10,12 -o json
  sockwatch sweep conn-cap-plus-leak --setting pool_size --values 1,5,10`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return sweep(c, streams, o, args[0], scenario.Sweep{Setting: setting, Values: values})
		},
	}
	f := c.Flags()
	o.add(f)
	for _, name := range []string{"ports", "program-dir", "record"} { // of one run
		_ = f.MarkHidden(name)
	}
	f.StringVar(&setting, "setting", "", "the client setting, such as pool_size (default: the script's)")
	f.IntSliceVar(&values, "values", nil, "the values, such as 4,8,12, the smallest first (default: the script's)")
	f.Lookup("output").Usage = "form of the result: table or json"
	return c
}

// sweep plays a script's fixed code at several values. Nothing is started before
// all is known to be good.
func sweep(c *cobra.Command, streams program.Streams, o runOptions, word string, asked scenario.Sweep) error {
	if o.format.String() != "table" && o.format.String() != "json" {
		return program.Usagef(c, "-o %s: a sweep is written as table or json", o.format.String())
	}
	if o.ports != nil || o.binDir != "" || o.record != "" {
		return program.Usagef(c, "--ports, --program-dir and --record are for one run, and a sweep is several")
	}
	if _, err := o.check(c, 1); err != nil {
		return err
	}
	scripts, err := o.scripts(c, []string{word})
	if err != nil {
		return err
	}
	script := scripts[0]
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
		if err := report.WriteSweep(streams.Out, o.format.String(), result); err != nil {
			return errors.Join(failed, fmt.Errorf("write the result: %w", err))
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

// sweepAll plays two values at a time, one on each side. With an error the result
// is what was seen before.
func (p *player) sweepAll(ctx context.Context, script scenario.Script, over scenario.Sweep) (report.Sweep, error) {
	latency := server.MeanDelay(script.Server)
	result := report.Sweep{
		Scenario: script.ID, Title: script.Title, Setting: over.Setting, Speed: script.Speed, Seed: p.seed,
		PerSecond: script.Busiest(), LatencyMS: float64(latency.Microseconds()) / 1000, UnderWay: script.UnderWay(latency),
	}
	for two := range slices.Chunk(over.Values, len(scenario.Sides())) {
		if !p.quiet {
			p.sayf("%s: %s %s\n", script.ID, over.Setting, listed(two))
		}
		settings := map[scenario.Side]scenario.Client{}
		for i, side := range scenario.Sides() { // the last one alone is on both
			settings[side] = script.Client.With(over.Setting, two[min(i, len(two)-1)])
		}
		run, err := lab.Play(ctx, lab.Plan{
			Script: script, Seed: p.seed, Source: p.source, Isolated: p.isolates(script), Settings: settings,
		})
		switch {
		case err != nil:
			return result, fmt.Errorf("%s: %s %s: %w", script.ID, over.Setting, listed(two), err)
		case run.Stopped != "":
			return result, &program.CodeError{Code: program.ExitLeak, Err: fmt.Errorf("%s: %s %s: stopped: %s", script.ID, over.Setting, listed(two), run.Stopped)}
		}
		judgement := expect.Judge(run)
		for i, value := range two {
			side := scenario.Sides()[i]
			r := run.Of(side).Report
			result.Points = append(result.Points, report.SweepPoint{
				Value: value, Requests: r.Requests, Connections: r.Connections, LatencyMS: r.Latency, Verdict: judgement.Of(side).Kind,
			})
		}
	}
	return result, nil
}

func listed(values []int) string {
	if len(values) == 1 {
		return fmt.Sprint(values[0])
	}
	return fmt.Sprintf("%d and %d", values[0], values[1])
}
