package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/expect"
	"socketlab/internal/kubelab"
	"socketlab/internal/lab"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/render/tui"
	"socketlab/internal/render/web"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker/netns"
)

// play plays the scenarios that words name. Nothing is started before all of
// them, and all options, are known to be good.
func play(c *cobra.Command, streams program.Streams, o runOptions, words []string, list bool) error {
	sides, err := o.check(c, len(words))
	if err != nil {
		return err
	}
	scripts, err := o.scripts(c, words)
	if err != nil {
		return err
	}
	if len(o.versions) > 0 {
		if err := program.CatalogueOnly("run --go", scripts...); err != nil {
			return err
		}
		built, err := buildPrograms(c.Context(), o.versions, streams.Err)
		if err != nil {
			return err
		}
		defer built.remove()
		sides = built.sides()
	}
	if o.kube.chosen() {
		manifests, err := o.kube.prepare(c.Context(), &o, scripts)
		if err != nil {
			return err
		}
		if o.kube.dryRun {
			_, err := streams.Out.Write(manifests)
			return err
		}
	}
	own, err := prepareOwnCode(c.Context(), scripts, sides, streams.Err)
	if err != nil {
		return outcome(nil, err)
	}
	defer own.remove()
	sayUnused(scripts, sides, streams.Err)
	source, err := o.openSource(c)
	if err != nil {
		return err
	}
	defer source.Close()
	list = list || len(scripts) > 1
	p := &player{runOptions: o, streams: streams, sides: sides, own: own, source: source, onlyOne: len(scripts) == 1}
	p.screen = tui.NewTerminal(streams.Err, streams.Err, streams.In)
	p.streams.Err = p.screen
	p.cost.to, p.cost.source, p.cost.auto, p.cost.ofScript = p.screen, source, o.source.String() == socketstats.Auto, true
	if err := p.isolation(scripts); err != nil {
		return err
	}
	if p.page, err = o.web.open(streams.Err); err != nil {
		return err
	}
	if p.page != nil {
		p.screen.Pin("the page is at " + p.page.URL())
		defer func() { _ = linger(c.Context(), p.page, !o.quiet, streams.Err) }() // what was played is printed
	}
	if !o.quiet {
		if err := o.web.wait(c.Context(), p.page, p.screen, lab.Preview(lab.Plan{Script: scripts[0], Seed: o.seed, Sides: own.of(scripts[0], sides)})); err != nil {
			return err
		}
	}
	runs, failed := p.playAll(c.Context(), scripts)
	if p.page != nil && len(runs) == 1 {
		p.page.Finish()
		runs[0].Guesses = p.page.Guesses()
	}
	kept := o.keep.write(runs)
	if len(runs) > 0 || failed == nil {
		if err := o.output.write(streams.Out, render.Runs(runs, list)); err != nil {
			return errors.Join(failed, kept, err)
		}
	}
	if errors.Is(failed, errQuit) {
		p.sayf("sockwatch: ended early with q: what the script expects cannot be judged\n")
		return outcome(toTheirEnd(runs), kept)
	}
	return outcome(runs, errors.Join(failed, kept))
}

// player plays scripts, some of them at the same time.
type player struct {
	runOptions
	streams program.Streams
	screen  *tui.Terminal
	sides   []lab.Side
	own     *ownCode // nil where scripts have no code of their own
	source  socketstats.Source
	onlyOne bool
	said    bool        // how each run ended, although it is quiet
	page    *web.Server // nil without --web
	cost    costWarning
	// cannot says why runs cannot be isolated, and is nil where they can.
	cannot error

	mu sync.Mutex // one message at a time
}

func (p *player) sayf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.streams.Err, format, args...)
}

// isolation finds out whether runs can be isolated, if one is to be, and says
// once if not.
func (p *player) isolation(scripts []scenario.Script) error {
	if p.kube.chosen() {
		return nil
	}
	if slices.ContainsFunc(scripts, p.wantsIsolation) {
		p.cannot = lab.CanIsolate()
		switch {
		case p.cannot == nil:
		case p.isolate.String() == isolateAlways:
			return p.cannot
		default:
			p.sayf("sockwatch: runs are not isolated from their neighbours: %v\n", p.cannot)
		}
	}
	shared := func(s scenario.Script) bool { return !p.isolates(s) }
	if down := program.LoopbackDown(); down != "" && slices.ContainsFunc(scripts, shared) {
		p.sayf("sockwatch: %s\n", down)
	}
	return nil
}

// wantsIsolation reports whether a script is to be played in namespaces of its
// own, if that is possible.
func (p *player) wantsIsolation(s scenario.Script) bool {
	switch p.isolate.String() {
	case isolateNever:
		return false
	case isolateAlways:
		return true
	}
	// Who names ports, or watches a demo, wants to look on from outside; and
	// some sources do not see inside.
	return s.Requires == scenario.Namespace || (!p.visible && p.ports == nil && socketstats.EntersNamespaces(p.source))
}

// skip says why a script cannot be played; "" if it can.
func (p *player) skip(s scenario.Script) string {
	switch {
	case s.Requires != scenario.Namespace || p.kube.chosen(): // which has refused it before
		return ""
	case p.isolate.String() == isolateNever:
		return "it needs a network namespace of its own, and --isolate is never"
	case p.cannot != nil:
		return "it needs a network namespace of its own"
	case len(s.Sysctl) > 0 && netns.ReadOnlySysctl():
		return "it changes settings of the kernel for its namespace, and /proc/sys is read-only here"
	}
	return ""
}

// playAll plays the scripts and returns what they showed, in their order. After
// a failure no other is begun.
func (p *player) playAll(ctx context.Context, scripts []scenario.Script) ([]*render.Observed, error) {
	runs := make([]*render.Observed, len(scripts))
	var failed error
	if !p.overlaps(scripts) {
		for i := 0; i < len(scripts) && failed == nil; i++ {
			runs[i], failed = p.playOne(ctx, scripts[i])
		}
		return played(runs), failed
	}
	type end struct {
		of  int
		err error
	}
	ended := make(chan end)
	beside := newOverlap(p.parallel)
	look := time.NewTicker(apart / 3)
	defer look.Stop()
	for waiting := inOrder(scripts); ; {
		for failed == nil && len(waiting) > 0 && beside.room(scripts[waiting[0]], time.Now()) {
			i := waiting[0]
			waiting = waiting[1:]
			beside.begin(scripts[i], time.Now())
			go func() {
				run, err := p.playOne(ctx, scripts[i])
				runs[i] = run
				ended <- end{i, err}
			}()
		}
		if beside.all == 0 {
			return played(runs), failed
		}
		select {
		case e := <-ended:
			beside.end(scripts[e.of])
			failed = cmp.Or(failed, e.err)
		case <-look.C:
		}
	}
}

// played are the runs of which something was seen.
func played(runs []*render.Observed) []*render.Observed {
	return slices.DeleteFunc(runs, func(run *render.Observed) bool { return run == nil })
}

// fast is the speed above which a run's load keeps the processors busy, so that
// another beside it would show in its numbers.
const fast = 10

// overlaps reports whether runs may go on at the same time. They share nothing only if
// they are isolated.
func (p *player) overlaps(scripts []scenario.Script) bool {
	switch {
	case p.page != nil, p.kube.chosen(): // a page shows one run at a time, and a cluster plays one
		return false
	case p.parallel == 0 && p.speed > fast, p.parallel == 1, len(scripts) == 1:
		return false
	}
	return !slices.ContainsFunc(scripts, func(s scenario.Script) bool { return !p.isolates(s) })
}

func (p *player) isolates(s scenario.Script) bool {
	return p.cannot == nil && !p.kube.chosen() && p.wantsIsolation(s)
}

// playOne plays one script. The run is nil if nothing was seen.
func (p *player) playOne(ctx context.Context, script scenario.Script) (*render.Observed, error) {
	if reason := p.skip(script); reason != "" {
		p.sayf("%s: skipped: %s\n", script.ID, reason)
		return nil, nil
	}
	rec := recording.Writer{Path: p.record}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	page := onPage(p.page)
	show, closeFace := p.face(script, cancel)
	defer closeFace() // also when something panics
	defer context.AfterFunc(ctx, closeFace)()
	observe := func(e series.Event) {
		rec.Write(e)
		if p.kube.chosen() {
			e = kubelab.Sides(e)
		}
		show(e)
		page(e)
		p.cost.see(e, script.SampleInterval.D())
	}
	var o *series.Observation
	var err error
	if p.kube.chosen() {
		o, err = p.kube.play(ctx, &p.runOptions, script, observe, p.sayf)
	} else {
		o, err = lab.Play(ctx, lab.Plan{
			Script: script, Seed: p.seed, Sides: p.own.of(script, p.sides), Source: p.source, Isolated: p.isolates(script),
			Programs: lab.Programs{Dir: p.binDir}, Provenance: thisProvenance(), Observe: observe,
		})
	}
	if err == nil && p.onlyOne {
		p.screen.Stay(ctx)
	}
	closeFace()
	p.cost.say()
	if errors.Is(err, lab.ErrInterrupted) && errors.Is(context.Cause(ctx), errQuit) {
		err = errQuit
	}
	if recErr := rec.Close(); err == nil {
		err = recErr
	}
	if err != nil && p.ports != nil && o.Started.IsZero() {
		err = fmt.Errorf("%w; without --ports, free ports are taken", err)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", script.ID, err)
	}
	if o.Started.IsZero() {
		return nil, err
	}
	run, runErr := render.Run(o) // what was seen is never lost
	if runErr != nil {
		return nil, errors.Join(err, runErr)
	}
	if p.said || !p.onlyOne && !p.quiet {
		p.sayf("%s: %s\n", script.ID, result(run, err))
	}
	return run, err
}

// result says in a few words how a run ended.
func result(run *render.Observed, err error) string {
	took := run.Observation.Duration.Round(100 * time.Millisecond)
	switch {
	case err != nil:
		return fmt.Sprintf("ended after %s", took)
	case run.Observation.Stopped != "":
		return fmt.Sprintf("stopped after %s: %s", took, run.Observation.Stopped)
	case run.Result.Unreached != "":
		return fmt.Sprintf("played in %s, and no request got through: %s", took, run.Result.Unreached)
	case run.Result.Unsent != "":
		return fmt.Sprintf("played in %s, and is no proof: %s", took, run.Result.Unsent)
	case !run.Result.OK:
		return fmt.Sprintf("played in %s, and did not show what its script expects: %s", took, firstUnmet(run.Result.Expectations))
	default:
		return fmt.Sprintf("played in %s, as expected", took)
	}
}

// firstUnmet is the first expectation that was not met, with what was seen.
func firstUnmet(expectations []expect.Outcome) string {
	for _, r := range expectations {
		if r.Failed() {
			return fmt.Sprintf("%s, got %s", r.Text, r.Got)
		}
	}
	return "" // not reached: it would have been as expected
}

// costWarning says once that sampling takes a tenth of the time or more, and what
// takes less. It is safe for use by several goroutines.
type costWarning struct {
	once   sync.Once
	to     io.Writer
	source socketstats.Source
	// auto says that --source was auto: one that costs less could not be opened, or was
	// given up.
	auto bool
	// ofScript says that a script sets the interval, which no flag changes: what there is
	// to say waits for the end, and is no part of the picture.
	ofScript bool
	text     atomic.Pointer[string]
}

// say writes what has waited for the end of a run.
func (c *costWarning) say() {
	if text := c.text.Swap(nil); text != nil {
		fmt.Fprint(c.to, *text)
	}
}

// see looks at the cost of a sample; other events have none.
func (c *costWarning) see(e series.Event, interval time.Duration) {
	if e.Moment == nil || e.Moment.Took <= interval/10 {
		return
	}
	c.once.Do(func() {
		less := "sample less often"
		if c.ofScript {
			less = "the machine is busy"
		}
		if name, ok := socketstats.Cheaper(c.source); ok && !c.auto {
			less = "--source " + name + " takes less"
		}
		text := fmt.Sprintf("sockwatch: sampling by %s takes %s of every %s: %s\n",
			c.source.Name(), e.Moment.Took.Round(100*time.Microsecond), interval, less)
		c.text.Store(&text)
		if !c.ofScript {
			c.say()
		}
	})
}
