package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/metric"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/sizing"
	"socketlab/internal/socketstats"
	"socketlab/scenarios"
)

var _ = register(sizeCommand)

func sizeCommand(streams program.Streams) *cobra.Command {
	var (
		o     = runOptions{seed: 1, speed: 1}
		load  sizing.Load
		rate  = rateFlag{&load.PerSecond}
		spare = percentFlag{&load.Spare}
		play  bool
	)
	load.Spare = 0.2
	c := &cobra.Command{
		Use:   "size --rate RATE --latency TIME",
		Short: "Say how many connections a load needs, and what other sizes do to it",
		Long: `Computes the size of a connection pool: requests a second x latency, and some spare.
For a pool that is too small, one of that size and one that is too large it predicts
the latency and the sockets, for evenly spaced requests that take as long each.

With --play it measures the three on the lab's own server, for about 5 s each.`,
		Example: `  sockwatch size --rate 1000/s --latency 10ms
  sockwatch size --rate 1000/s --latency 10ms --play
  sockwatch size --rate 90/m --latency 2s --burst 20 --spare 50% -o json`,
		Args: program.Args(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			for _, name := range []string{"rate", "latency"} {
				if !c.Flags().Changed(name) {
					return program.Usagef(c, "give --%s", name)
				}
			}
			err := load.Check()
			if err == nil && play {
				if err = load.Play(); err != nil {
					err = fmt.Errorf("--play: %w", err)
				}
			}
			if err != nil {
				return program.Usagef(c, "%w", err)
			}
			size := predict(load)
			if play {
				err = measure(c, streams, o, size)
			}
			if err != nil && !errors.Is(err, lab.ErrInterrupted) {
				return err
			}
			// Interrupted, it has the pools that were played.
			return errors.Join(o.output.write(streams.Out, size.Document()), outcome(nil, err))
		},
	}
	f := c.Flags()
	f.Var(rate, "rate", "requests, such as 1000/s, 90/m or 500/h")
	f.DurationVar(&load.Latency, "latency", 0, "how long a request keeps its connection, such as 10ms")
	f.IntVar(&load.Burst, "burst", 0, "how many more requests come at one moment")
	f.Var(spare, "spare", "what is added to the connections that are needed")
	f.BoolVar(&play, "play", false, "measure it, too, on the lab's own server")
	o.output.add(f, "table", tableAnswer)
	o.source = program.NewChoice(socketstats.Auto, socketstats.SourceNames()...)
	o.isolate = program.NewChoice(isolateAuto, isolateAuto)
	return c
}

// predict computes the size of a load, and what each pool makes of it.
func predict(load sizing.Load) *render.Size {
	script := scenario.Script{Load: load.Phases()}
	due, end := script.Arrivals(1), script.Length()
	size := &render.Size{Load: load, Taken: end}
	for _, pool := range load.Pools() {
		size.Pools = append(size.Pools, render.SizePool{Pool: pool, Predicted: sizing.Predict(due, pool.Connections, load.Latency, end)})
	}
	return size
}

// measure plays the load with each pool, one after the other, and adds what it showed.
func measure(c *cobra.Command, streams program.Streams, o runOptions, size *render.Size) error {
	script, err := sizeScript(size.Load)
	if err != nil {
		return err
	}
	source, err := o.openSource(c)
	if err != nil {
		return err
	}
	defer source.Close()
	p := &player{runOptions: o, streams: streams, source: source}
	if err := p.isolation([]scenario.Script{script}); err != nil {
		return err
	}
	for i := range size.Pools {
		pool := &size.Pools[i]
		p.sayf("playing a pool of %d for %s\n", pool.Connections, script.Length())
		s, err := p.playSize(c.Context(), script, pool.Connections)
		if err != nil {
			return fmt.Errorf("a pool of %d: %w", pool.Connections, err)
		}
		get := func(name string) float64 {
			v, _ := metric.MustLookup(name).Get(s)
			return v
		}
		pool.Measured = &sizing.Result{
			P50MS: get("latency_ms.p50"), P99MS: get("latency_ms.p99"),
			Sockets: int(get("connections.opened")), Answered: int(get("requests.ok")), InFlight: int(get("requests.in_flight")),
		}
		pool.LateMS = get("schedule_late_ms.p99")
	}
	return nil
}

// sizeScript is a script of the load, with the code of a client that has a pool.
func sizeScript(load sizing.Load) (scenario.Script, error) {
	const text = `
id: size
title: a load and a pool
sort: measurement
implementation: pool-undersized
server: {delay: %s}
load: [{pause: 1s}, {burst: 1}]
expect: {faulty: [requests.sent >= 1], fixed: [requests.sent >= 1]}
`
	script, err := scenario.Parse("size", fmt.Appendf(nil, text, load.Latency), scenarios.IDs())
	script.Load = load.Phases()
	return script, err
}

// playSize plays the fixed code with a pool, and returns what it showed.
func (p *player) playSize(ctx context.Context, script scenario.Script, connections int) (*series.Subject, error) {
	settings := script.Client.With("pool_size", scenario.WholeNumber(connections), script.Speed)
	o, err := lab.Play(ctx, lab.Plan{
		Script: script, Seed: p.seed, Source: p.source, Isolated: p.isolates(script),
		Sides: []lab.Side{{ID: "pool", Code: scenario.Fixed, Settings: &settings}},
	})
	switch {
	case err != nil:
		return nil, err
	case o.Stopped != "":
		return nil, &program.CodeError{Code: program.ExitFault, Err: fmt.Errorf("stopped: %s", o.Stopped)}
	}
	return o.Subjects[0], nil
}

// rateFlag is a number of requests in a unit of time, kept as that of a second.
type rateFlag struct{ perSecond *float64 }

func (r rateFlag) String() string {
	if r.perSecond == nil || *r.perSecond == 0 {
		return ""
	}
	return fmt.Sprintf("%g/s", *r.perSecond)
}

func (rateFlag) Type() string { return "rate" }

func (r rateFlag) Set(text string) error {
	number, unit, _ := strings.Cut(text, "/")
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || units[unit] == 0 {
		return fmt.Errorf("write it like 1000/s, 90/m or 500/h")
	}
	*r.perSecond = n / units[unit].Seconds()
	return nil
}

// percentFlag is a share, written in percent.
type percentFlag struct{ share *float64 }

func (p percentFlag) String() string {
	if p.share == nil {
		return ""
	}
	return fmt.Sprintf("%g%%", *p.share*100)
}

func (percentFlag) Type() string { return "percent" }

func (p percentFlag) Set(text string) error {
	number, isPercent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !isPercent {
		return fmt.Errorf("write it like 20%%")
	}
	*p.share = n / 100
	return nil
}
