package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/recording"
	"socketlab/internal/render/report"
	"socketlab/internal/render/tui"
	"socketlab/internal/render/web"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// play plays the scenarios that words name. Nothing is started before all of
// them, and all options, are known to be good.
func play(c *cobra.Command, streams program.Streams, o runOptions, words []string, list bool) error {
	listen, err := o.check(c, len(words))
	if err != nil {
		return err
	}
	scripts, err := o.scripts(c, words)
	if err != nil {
		return err
	}
	source, err := o.openSource(c)
	if err != nil {
		return err
	}
	defer source.Close()
	list = list || len(scripts) > 1
	p := &player{runOptions: o, streams: streams, listen: listen, source: source, onlyOne: len(scripts) == 1}
	p.screen = tui.NewTerminal(streams.Err, streams.Err, streams.In)
	p.streams.Err = p.screen
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
	entries, failed := p.playAll(c.Context(), scripts)
	kept := o.keep.write(entries)
	if len(entries) > 0 || failed == nil {
		if err := report.Write(streams.Out, o.format.String(), entries, list); err != nil {
			return errors.Join(failed, kept, fmt.Errorf("write the result: %w", err))
		}
	}
	if errors.Is(failed, errQuit) {
		p.sayf("sockwatch: ended early with q: what the script expects cannot be judged\n")
		return outcome(toTheirEnd(entries), kept)
	}
	return outcome(entries, errors.Join(failed, kept))
}

// player plays scripts, some of them at the same time.
type player struct {
	runOptions
	streams program.Streams
	screen  *tui.Terminal
	listen  map[scenario.Side]string
	source  socketstats.Source
	onlyOne bool
	page    *web.Server // nil without --web
	// cannot says why runs cannot be isolated, and is nil where they can.
	cannot error

	mu     sync.Mutex // one message at a time
	warned bool       // that counting is dear
}

func (p *player) sayf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.streams.Err, format, args...)
}

// isolation finds out whether runs can be isolated, if one is to be, and says
// once if not.
func (p *player) isolation(scripts []scenario.Script) error {
	wanted := false
	for _, s := range scripts {
		wanted = wanted || p.wantsIsolation(s)
	}
	if !wanted {
		return nil
	}
	p.cannot = lab.CanIsolate()
	switch {
	case p.cannot == nil:
		return nil
	case p.isolate.String() == isolateAlways:
		return p.cannot
	default:
		p.sayf("sockwatch: runs are not isolated from their neighbours: %v\n", p.cannot)
		return nil
	}
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
	case s.Requires != scenario.Namespace:
		return ""
	case p.isolate.String() == isolateNever:
		return "it needs a network namespace of its own, and --isolate is never"
	case p.cannot != nil:
		return "it needs a network namespace of its own"
	}
	return ""
}

// playAll plays the scripts and returns what they showed, in their order. After
// a failure no other is begun.
func (p *player) playAll(ctx context.Context, scripts []scenario.Script) ([]report.Entry, error) {
	entries := make([]*report.Entry, len(scripts))
	var failed error
	var next int
	var workers sync.WaitGroup
	for range p.workers(scripts) {
		workers.Go(func() {
			for {
				p.mu.Lock()
				i := next
				next++
				stop := i >= len(scripts) || failed != nil
				p.mu.Unlock()
				if stop {
					return
				}
				entry, err := p.playOne(ctx, scripts[i])
				p.mu.Lock()
				entries[i] = entry
				if failed == nil {
					failed = err
				}
				p.mu.Unlock()
			}
		})
	}
	workers.Wait()
	var played []report.Entry
	for _, e := range entries {
		if e != nil {
			played = append(played, *e)
		}
	}
	return played, failed
}

// fast is the speed above which a run's load keeps the processors busy, so that
// another beside it would show in its numbers.
const fast = 10

// workers is how many runs go on at once. Runs share nothing only if they are
// isolated. They mostly wait, so there may be more of them than processors.
func (p *player) workers(scripts []scenario.Script) int {
	if p.page != nil {
		return 1 // it shows one run at a time
	}
	for _, s := range scripts {
		if !p.isolates(s) {
			return 1
		}
	}
	n := p.parallel
	switch {
	case n > 0:
	case p.speed > fast:
		n = 1
	default:
		n = min(2*runtime.GOMAXPROCS(0), 8)
	}
	return min(n, len(scripts))
}

func (p *player) isolates(s scenario.Script) bool { return p.cannot == nil && p.wantsIsolation(s) }

// playOne plays one script. The entry is nil if nothing was seen.
func (p *player) playOne(ctx context.Context, script scenario.Script) (*report.Entry, error) {
	if reason := p.skip(script); reason != "" {
		p.sayf("%s: skipped: %s\n", script.ID, reason)
		return nil, nil
	}
	rec := recording.Writer{Path: p.record}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	show, closeFace := p.face(script, cancel)
	defer closeFace() // also when something panics
	defer context.AfterFunc(ctx, closeFace)()
	run, err := lab.Play(ctx, lab.Plan{
		Script: script, Seed: p.seed, Source: p.source, Isolated: p.isolates(script), Swapped: p.swap,
		Programs: lab.Programs{Dir: p.binDir}, Listen: p.listen, Provenance: thisProvenance(),
		Observe: func(e lab.Event) {
			rec.Write(e)
			show(e)
			if p.page != nil {
				p.page.Run(e)
			}
			if e.Sample != nil {
				p.warn(script, e.Sample)
			}
		},
	})
	closeFace()
	if errors.Is(err, lab.ErrInterrupted) && errors.Is(context.Cause(ctx), errQuit) {
		err = errQuit
	}
	if recErr := rec.Close(); err == nil {
		err = recErr
	}
	if err != nil && p.listen != nil && run.Started.IsZero() {
		err = fmt.Errorf("%w; without --ports, free ports are taken", err)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", script.ID, err)
	}
	if run.Started.IsZero() {
		return nil, err
	}
	entry := &report.Entry{Run: run, Outcome: expect.Judge(run)} // what was seen is never lost
	if !p.onlyOne && !p.quiet {
		p.sayf("%s: %s\n", script.ID, result(entry, err))
	}
	return entry, err
}

// result says in a few words how a run ended.
func result(e *report.Entry, err error) string {
	took := e.Run.Duration.Round(100 * time.Millisecond)
	switch {
	case err != nil:
		return fmt.Sprintf("ended after %s", took)
	case e.Run.Stopped != "":
		return fmt.Sprintf("stopped after %s: %s", took, e.Run.Stopped)
	case !e.Outcome.OK:
		return fmt.Sprintf("played in %s, and did not show what its script expects: %s", took, firstUnmet(e.Outcome.Expectations))
	default:
		return fmt.Sprintf("played in %s, as expected", took)
	}
}

// firstUnmet is the first expectation that was not met, with what was seen.
func firstUnmet(expectations []expect.Result) string {
	for _, r := range expectations {
		if r.Skipped == "" && !r.Met {
			return fmt.Sprintf("%s, got %s", r.Text, r.Got)
		}
	}
	return "" // not reached: it would have been as expected
}

// warn says once that watching takes a good part of the time that it watches.
func (p *player) warn(script scenario.Script, s *lab.Sample) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.warned || s.Took <= script.SampleInterval.D()/dear {
		return
	}
	p.warned = true
	warnDear(p.streams.Err, p.source, s.Took, script.SampleInterval.D())
}

// dear is the part of the interval, one in so many, above which a count is
// called dear.
const dear = 10

// warnDear says that a count takes long, and what is cheaper.
func warnDear(w io.Writer, source socketstats.Source, took, interval time.Duration) {
	cheaper := "count less often"
	if name, ok := socketstats.Cheaper(source); ok {
		cheaper = "--source " + name + " is cheaper"
	}
	fmt.Fprintf(w, "sockwatch: a count through %s took %s, more than a tenth of the %s between two: %s\n",
		source.Name(), took.Round(100*time.Microsecond), interval, cheaper)
}
