package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/scenarios"
)

// runOptions are the flags that demo and run share.
type runOptions struct {
	speed    float64
	seed     uint64
	output   outputFlag
	source   program.Choice
	isolate  program.Choice
	parallel int
	ports    []int
	binDir   string
	record   string
	quiet    bool
	web      webFlag
	swap     bool
	versions []string // of Go, that each build both codes
	// faulty and fixed are programs of the user's that make the requests in place of the
	// scenario's code; "" is that code.
	faulty, fixed string
	keep          keepOptions
	kube          kubeOptions
	// steps plays the steps of a repair, too.
	steps bool
	// visible keeps runs where another terminal can see them, unless they
	// cannot be played there.
	visible bool
}

const (
	isolateAuto   = "auto"
	isolateAlways = "always"
	isolateNever  = "never"
)

// isolateUsage is that of --isolate, without what auto means.
const isolateUsage = "play each side in a user and network namespace of its own (Linux)"

// add adds the flags of a command whose answer has so much.
func (o *runOptions) add(f *pflag.FlagSet, has render.Content) {
	auto := "; auto: where possible, and not with --ports"
	if o.visible {
		auto = "; auto: only what needs it, so that ss sees the rest"
	}
	o.source = program.NewChoice(socketstats.Auto, socketstats.SourceNames()...)
	o.isolate = program.NewChoice(isolateAuto, isolateAuto, isolateAlways, isolateNever)
	f.Float64Var(&o.speed, "speed", 0, "divide every time in the script by this; 0 is the script's own choice")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the random extra requests")
	o.output.add(f, "table", has)
	f.Var(&o.source, "source", "where counts come from; auto is the cheapest that works here")
	f.Var(&o.isolate, "isolate", isolateUsage+auto)
	f.IntSliceVar(&o.ports, "ports", nil, "ports of the faulty and the fixed side's servers, such as 8081,8082 (default: free ones)")
	f.StringVar(&o.binDir, "program-dir", "", "take slowserver, client-faulty and client-fixed from this folder, not from sockwatch itself")
	f.StringVar(&o.record, "record", "", "record the run in this new file, as JSON lines")
	o.keep.add(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show nothing while the run goes on")
	o.web.add(f)
	o.web.addNow(f)
}

var _ = register(demoCommand)

func demoCommand(streams program.Streams) *cobra.Command {
	o := runOptions{visible: true}
	c := &cobra.Command{
		Use:   "demo [ID]",
		Short: "Play one scenario side by side, then print the comparison",
		Long: `Plays the original incident, or the scenario ID: a server and a client for each
side, the same requests to both, counted while they run. It takes about 15 s.`,
		RunE: func(c *cobra.Command, args []string) error {
			if args = o.web.take(args); len(args) == 0 {
				args = []string{scenarios.Default}
			}
			return play(c, streams, o, args, false)
		},
	}
	c.Args = o.web.args(program.Args(0, 1))
	o.add(c.Flags(), fullAnswer)
	return c
}

var _ = register(runCommand)

func runCommand(streams program.Streams) *cobra.Command {
	var (
		o   = runOptions{steps: true}
		all bool
	)
	c := &cobra.Command{
		Use:   "run ID... | FILE... | --all",
		Short: "Play scenarios, print the comparison, check what they expect",
		Long: `Plays scenarios of the catalogue, or scripts of your own: several at once where
they are isolated from each other, and otherwise one after the other. A scenario
that is fixed in steps is followed by them, unless it is recorded.

The exit code is 3 if one does not show what its script expects, and 0 if all do:
a faulty side that is found to leak is what a script expects.

With -o json one run is an object; --all, or several, are an array of objects.`,
		Example: `  sockwatch run body-not-closed
  sockwatch run transport-per-request --speed 1     # with the real 20 s
  sockwatch run my-incident.yaml --record run.jsonl
  sockwatch run body-not-closed --report out.html   # a page to keep
  sockwatch run body-not-drained --go 1.26.9,1.27.4 # what another Go changes
  sockwatch run body-not-closed --fixed 'python3 mine.py' # your own code
  sockwatch run --all --report pages                # a folder of them
  sockwatch run --all -o json > runs.json
  sockwatch run transport-per-request --on kubernetes --clients 50`,
		RunE: func(c *cobra.Command, args []string) error {
			args = o.web.take(args)
			switch {
			case all && len(args) > 0:
				return program.Usagef(c, "give --all or scenarios, not both")
			case all:
				args = scenarios.IDs()
			case len(args) == 0:
				return program.Usagef(c, "nothing to run: give a scenario's ID, a script's FILE, or --all")
			}
			return play(c, streams, o, args, all || len(args) > 1)
		},
	}
	c.Args = o.web.args(cobra.ArbitraryArgs)
	o.add(c.Flags(), fullAnswer)
	c.Flags().BoolVar(&all, "all", false, "play the whole catalogue")
	c.Flags().BoolVar(&o.swap, "swap-sides", false, "play the fixed code as the faulty side and the other way round: a good script must then fail")
	c.Flags().StringVar(&o.faulty, "faulty", "", "a program of your own that makes the requests of the faulty side: one for each line of its input (see docs/own-code.md)")
	c.Flags().StringVar(&o.fixed, "fixed", "", "the same for the fixed side")
	c.Flags().StringSliceVar(&o.versions, "go", nil, "play both codes as each of these versions of Go builds them, such as 1.26.9,1.27.4")
	o.kube.add(c.Flags(), &o.output)
	c.Flags().IntVar(&o.parallel, "parallel", 0, "how many isolated runs go on at once; 0 is three for each processor, up to six while processors are idle, and one above --speed 10")
	return c
}

// scripts finds and reads what words name, at the speed to play it.
func (o *runOptions) scripts(c *cobra.Command, words []string) ([]scenario.Script, error) {
	scripts := make([]scenario.Script, 0, len(words))
	for _, word := range words {
		script, err := program.FindScript(word)
		if err != nil {
			return nil, program.ScriptError(c, err)
		}
		scripts = append(scripts, script)
	}
	if o.steps && o.record == "" && !o.kube.chosen() {
		var err error
		if scripts, err = withSteps(scripts); err != nil {
			return nil, err
		}
	}
	for i, script := range scripts {
		scripts[i] = script.AtSpeed(o.speedOf(c, script))
	}
	return scripts, nil
}

// speedOf is the speed to play a script at: the script's own unless another is
// named, and within what it allows.
func (o *runOptions) speedOf(c *cobra.Command, script scenario.Script) float64 {
	switch {
	case o.speed == 0:
		return script.Speed
	case script.MaxSpeed > 0 && o.speed > script.MaxSpeed:
		fmt.Fprintf(c.ErrOrStderr(), "sockwatch: %s is played at speed %g, the highest at which it shows what it should\n",
			script.ID, script.MaxSpeed)
		return script.MaxSpeed
	case o.speed < script.MinSpeed:
		fmt.Fprintf(c.ErrOrStderr(), "sockwatch: %s is played at speed %g, the lowest at which it shows what it should\n",
			script.ID, script.MinSpeed)
		return script.MinSpeed
	default:
		return o.speed
	}
}

// withSteps puts the steps of a repair after the scenario that they fix, unless
// they are there.
func withSteps(scripts []scenario.Script) ([]scenario.Script, error) {
	var all []scenario.Script
	for _, script := range scripts {
		all = append(all, script)
		for _, id := range script.Steps {
			if slices.ContainsFunc(scripts, func(s scenario.Script) bool { return s.ID == id }) {
				continue
			}
			step, err := scenarios.Script(id)
			if err != nil {
				return nil, err
			}
			all = append(all, step)
		}
	}
	return all, nil
}

// check checks the options and returns the sides to play.
func (o *runOptions) check(c *cobra.Command, runs int) ([]lab.Side, error) {
	if o.speed != 0 {
		if err := scenario.CheckSpeed(o.speed); err != nil {
			return nil, program.Usagef(c, "--%w", err)
		}
	}
	if o.record != "" && runs > 1 {
		return nil, program.Usagef(c, "--record takes one run, not %d", runs)
	}
	if c.Flags().Changed("parallel") && runs == 1 {
		return nil, program.Usagef(c, "--parallel is for more than one scenario")
	}
	if err := checkRecord(o.record); err != nil {
		return nil, program.Usagef(c, "--record: %w", err)
	}
	programs := lab.Programs{Dir: o.binDir}
	if err := programs.Check(); err != nil {
		return nil, program.Usagef(c, "--program-dir: %w", err)
	}
	if err := o.keep.check(c, runs, o.record); err != nil {
		return nil, err
	}
	if err := o.output.oneRun(runs); err != nil {
		return nil, program.Usagef(c, "%w", err)
	}
	for _, name := range []string{"ports", "program-dir", "swap-sides", "faulty", "fixed"} {
		if len(o.versions) > 0 && c.Flags().Changed(name) {
			return nil, program.Usagef(c, "--go and --%s do not go together", name)
		}
	}
	if err := checkReleases(c, o.versions); err != nil {
		return nil, err
	}
	if err := o.kube.check(c, o.output.name); err != nil {
		return nil, err
	}
	for name, command := range map[string]string{"faulty": o.faulty, "fixed": o.fixed} {
		if c.Flags().Changed(name) && strings.TrimSpace(command) == "" {
			return nil, program.Usagef(c, "--%s has no program: leave it out to play the scenario's code", name)
		}
	}
	sides := lab.Pair()
	sides[0].Command, sides[1].Command = o.faulty, o.fixed
	if o.swap && o.faulty+o.fixed != "" {
		return nil, program.Usagef(c, "--swap-sides plays the scenario's code, and --faulty and --fixed your own")
	}
	if o.swap {
		sides = lab.Swap(sides)
	}
	if o.ports == nil {
		return sides, nil
	}
	if len(o.ports) != len(sides) || o.ports[0] == o.ports[1] {
		return nil, program.Usagef(c, "--ports takes two different ports, such as 8081,8082")
	}
	for i, port := range o.ports {
		if port < 1 || port > 65535 {
			return nil, program.Usagef(c, "--ports: %d is not a port", port)
		}
		sides[i].Listen = "127.0.0.1:" + strconv.Itoa(port)
	}
	return sides, nil
}

// openSource opens the source that was asked for. The caller closes it.
func (o *runOptions) openSource(c *cobra.Command) (socketstats.Source, error) {
	source, err := openSource(o.source.String(), c.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	if o.isolate.String() == isolateAlways && o.source.String() != socketstats.Auto && !socketstats.EntersNamespaces(source) {
		_ = source.Close()
		return nil, program.Usagef(c, "--isolate always: %s does not see into a namespace; use --source %s", source.Name(), socketstats.Auto)
	}
	return source, nil
}

// outcome is the error, and so the exit code, of what was played.
func outcome(runs []*render.Observed, failed error) error {
	if errors.Is(failed, lab.ErrInterrupted) {
		return &program.CodeError{Code: program.ExitInterrupted, Err: failed}
	}
	if failed != nil {
		return failed
	}
	var unmet, unreached []string
	for _, run := range runs {
		switch {
		case run.Result.Unreached != "":
			unreached = append(unreached, fmt.Sprintf("%s: no request got through: %s", run.ID(), run.Result.Unreached))
		case run.Result.Unsent != "":
			unreached = append(unreached, fmt.Sprintf("%s: this is no proof: %s: let it send each request to the URL of its line", run.ID(), run.Result.Unsent))
		case run.Observation.Stopped != "":
			unmet = append(unmet, fmt.Sprintf("%s: stopped: %s", run.ID(), run.Observation.Stopped))
		case !run.Result.OK:
			unmet = append(unmet, fmt.Sprintf("%s: not all expectations were met", run.ID()))
		}
	}
	if len(unreached) > 0 { // it could not be seen what the others show
		return errors.New(strings.Join(append(unreached, unmet...), "\nsockwatch: "))
	}
	if len(unmet) > 0 {
		return &program.CodeError{Code: program.ExitFault, Err: errors.New(strings.Join(unmet, "\nsockwatch: "))}
	}
	return nil
}
