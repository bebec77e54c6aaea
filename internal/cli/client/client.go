// Package client is the commands client-faulty and client-fixed.
package client

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/worker"
	"socketlab/scenarios"
)

const clientLong = `Plays the load of a scenario against a server, with the %s code of its pair.
Requests are sent when they are due, whether or not earlier ones were answered;
the same --seed gives both clients the same schedule. They go to the server itself,
whatever proxy the environment names.

It reports on standard error while it works, and once at the end on standard
output. After its last request it stays, with the connections it has, until it
is interrupted or --linger is over.`

// Command is the client of one side, by itself or under the orders of the lab.
func Command(side scenario.Side) func(program.Streams) *cobra.Command {
	return func(streams program.Streams) *cobra.Command { return command("client-"+string(side), side, streams) }
}

func command(name string, side scenario.Side, streams program.Streams) *cobra.Command {
	var (
		o          clientOptions
		controlled bool
	)
	o.format = program.NewChoice("table", "table", "json")
	c := &cobra.Command{
		Use:   name,
		Short: fmt.Sprintf("Play a scenario's load with its %s code", side),
		Long:  fmt.Sprintf(clientLong, side),
		Example: fmt.Sprintf(`  %[1]s
  %[1]s --url http://127.0.0.1:8080 --scenario body-not-closed --speed 10`, name),
		RunE: func(c *cobra.Command, _ []string) error {
			if controlled {
				return program.WorkerEnded(worker.Client(c.Context(), streams.In, streams.Out))
			}
			return playClient(c, streams, side, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.url, "url", "http://127.0.0.1:8080", "the server")
	f.BoolVar(&o.allowRemote, "allow-remote", false, "allow a server that is not on loopback, and wherever it redirects to")
	f.StringVar(&o.scenario, "scenario", scenarios.Default, "scenario ID, or a script's FILE")
	f.Float64Var(&o.speed, "speed", 1, "divide every time in the script by this")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the random extra requests")
	f.DurationVar(&o.reportEvery, "report-every", 5*time.Second, "time between two reports")
	f.DurationVar(&o.stay, "linger", time.Hour, "how long to keep running after the load")
	f.VarP(&o.format, "output", "o", "form of the last report")
	if side == scenario.Fixed {
		f.IntVar(&o.settings.MaxIdleConns, "max-idle-conns", 5, "idle connections kept in all")
		f.IntVar(&o.settings.MaxIdleConnsPerHost, "max-idle-conns-per-host", 2, "idle connections kept for each server")
		program.DurationFlag(f, &o.settings.IdleConnTimeout, "idle-conn-timeout", 30*time.Second, "close a connection that was idle this long; --speed divides it too")
	}
	program.ControlledFlag(f, &controlled)
	return c
}

type clientOptions struct {
	url, addr   string
	allowRemote bool
	scenario    string
	speed       float64
	seed        uint64
	reportEvery time.Duration
	stay        time.Duration
	format      program.Choice
	settings    scenario.Client
}

func playClient(c *cobra.Command, streams program.Streams, side scenario.Side, o clientOptions) error {
	addr, err := checkTarget(c.Context(), o.url, o.allowRemote)
	o.addr = addr
	if err != nil {
		return program.Usagef(c, "%w", err)
	}
	if err := scenario.CheckSpeed(o.speed); err != nil {
		return program.Usagef(c, "--%w", err)
	}
	if o.reportEvery == 0 {
		return program.Usagef(c, "--report-every must be above 0")
	}
	script, err := program.FindScript(o.scenario)
	if err != nil {
		return program.ScriptError(c, err)
	}
	if err := program.CatalogueOnly(c.Name(), script); err != nil {
		return err
	}
	// A script's settings stand, unless the command line has its own.
	for name, set := range map[string]func(){
		"max-idle-conns":          func() { script.Client.MaxIdleConns = o.settings.MaxIdleConns },
		"max-idle-conns-per-host": func() { script.Client.MaxIdleConnsPerHost = o.settings.MaxIdleConnsPerHost },
		"idle-conn-timeout":       func() { script.Client.IdleConnTimeout = o.settings.IdleConnTimeout },
	} {
		if c.Flags().Changed(name) {
			set()
		}
	}
	script = script.AtSpeed(o.speed)
	if o.allowRemote {
		fmt.Fprintf(streams.Err, "client-%s: note: loading %s, which need not be on this machine\n", side, addr)
	}
	loadgen.IgnoreProxies()
	caller := scenarios.NewCaller(script.Implementation, side, loadgen.NewTarget(loadgen.At{Addr: addr}, script.Client, script.Speed))
	player := loadgen.Begin(caller, script.Arrivals(o.seed), loadgen.MaxFDs())
	if !o.allowRemote {
		player.Keep(false, netip.AddrPort{})
	}
	return runClient(c, streams, side, player, script, o)
}

func runClient(c *cobra.Command, streams program.Streams, side scenario.Side, player *loadgen.Player, script scenario.Script, o clientOptions) error {
	log := program.Logger(streams)
	ctx := c.Context()
	fmt.Fprintf(streams.Err, "client-%s: %s for %s, then staying for at most %s (Ctrl-C ends it)\n",
		side, script.ID, script.Length().Round(time.Millisecond), o.stay)
	go player.Play(ctx)
	tick := time.NewTicker(o.reportEvery)
	defer tick.Stop()
	end := time.NewTimer(script.Length() + o.stay)
	defer end.Stop()
	// A forgotten server shall be one error, soon, and not a load of failed
	// requests. A trial connection would show that too, but would be counted.
	early := time.NewTimer(time.Second)
	defer early.Stop()
	interrupted := false
	for over := false; !over; {
		select {
		case <-ctx.Done():
			over, interrupted = true, true
		case <-end.C:
			over = true
		case <-player.Refused():
			return fmt.Errorf("refused %s, where a redirect or a name led: it is not on loopback: %s", player.Report().Refused, allowRemoteHint)
		case <-early.C:
			if r := player.Report().Requests; r.OK == 0 && r.Failed > 0 && r.Failed == r.Errors["ECONNREFUSED"] {
				return fmt.Errorf("no server at %s: connection refused; start one with: slowserver --listen %s", o.addr, o.addr)
			} else if r.OK == 0 && r.Failed > 0 && r.Failed == r.Errors["ENETUNREACH"] {
				return fmt.Errorf("no way to %s: network is unreachable; if it is on loopback, the loopback device is down: ip link set lo up", o.addr)
			}
		case <-tick.C:
			r := player.Report()
			log.Info("requests", "sent", r.Requests.Sent, "ok", r.Requests.OK, "failed", r.Requests.Failed,
				"in_flight", r.Requests.InFlight, "opened", r.Connections.Opened, "reused", *r.Connections.Reused,
				"descriptors", r.Process.Descriptors, "goroutines", r.Process.Goroutines)
			over = r.Stopped != ""
		}
	}
	report := player.Report()
	report.Final = true
	if err := printReport(streams, o.format.String(), report); err != nil {
		return err
	}
	switch {
	case report.Stopped != "":
		return &program.CodeError{Code: program.ExitFault, Err: fmt.Errorf("stopped: this process %s: %s", report.Stopped, loadgen.WhyMaxFDs())}
	case interrupted:
		return &program.CodeError{Code: program.ExitInterrupted}
	}
	return nil
}

func printReport(streams program.Streams, format string, r loadgen.Report) error {
	if format == "json" {
		return json.NewEncoder(streams.Out).Encode(r)
	}
	_, err := fmt.Fprintf(streams.Out, `requests     sent %d, ok %d, failed %d, in flight %d
errors       %s
connections  opened %d, requests that reused one %d
latency      p50 %.1f ms, p99 %.1f ms, max %.1f ms
schedule     p99 %.1f ms late
process      descriptors peak %d, goroutines peak %d, memory peak %d KiB, garbage collections %d
`, r.Requests.Sent, r.Requests.OK, r.Requests.Failed, r.Requests.InFlight,
		cmp.Or(r.Requests.ErrorList(), "none"), r.Connections.Opened, *r.Connections.Reused,
		r.Latency.P50, r.Latency.P99, r.Latency.Max, r.ScheduleLate.P99,
		r.Process.DescriptorsPeak, r.Process.GoroutinesPeak, r.Process.RSSPeakBytes/1024, r.Process.GCCycles)
	return err
}
