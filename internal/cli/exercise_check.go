package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/exercise"
	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/render/tui"
	"socketlab/internal/scenario"
	"socketlab/internal/scratch"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

func exerciseCheckCommand(streams program.Streams) *cobra.Command {
	var (
		output outputFlag
		flags  boardFlags
	)
	c := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Measure your code, and say what is right and what is not yet",
		Long: `Builds the code in DIR (default: this folder), plays the load of the exercise
against it and, beside it, against the code as it was at the start, and counts the
sockets of both. Of a diagnosis it compares your answer with what is so.

The exit code is 0 if your code does all that was asked, 3 if not yet, and 1 if it does
not build or ends by itself.`,
		Args: program.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := openProject(c, args)
			if err != nil {
				return err
			}
			board, err := flags.membership(c, streams.Err)
			if err != nil {
				return err
			}
			defer boardReports.Wait()
			document, passed, err := checkOnce(c.Context(), streams, p, board)
			if document != nil {
				err = errors.Join(output.write(streams.Out, document), err)
			}
			if err == nil && !passed {
				return &program.CodeError{Code: program.ExitFault}
			}
			return err
		},
	}
	output.add(c.Flags(), "table", tableAnswer)
	flags.add(c)
	return c
}

// checkOnce checks the code, or of a diagnosis the answer, and enters that in the
// participant's folder. With an error, a document is the result that could not be entered.
func checkOnce(ctx context.Context, streams program.Streams, p *exercise.Project, board *membership) (*render.Document, bool, error) {
	if p.Exercise.Sort == exercise.Diagnosis {
		found, err := p.Diagnosed()
		if err != nil {
			return nil, false, err
		}
		err = enter(p, found.Passed())
		board.report(ctx, streams.Err, p.State)
		return found.Document(), found.Passed(), err
	}
	if err := askForGuess(streams, p); err != nil {
		return nil, false, err
	}
	check, err := newExerciseCheck(streams, p, board)
	if err != nil {
		return nil, false, err
	}
	defer check.close()
	result, err := check.play(ctx, func(series.Event) {}, check.build, false)
	if err != nil {
		return nil, false, err
	}
	return result.Document(), result.Passed, check.notEntered
}

// enter enters a check in the participant's folder.
func enter(p *exercise.Project, passed bool) error {
	if err := p.Checked(passed); err != nil {
		return fmt.Errorf("this check is not entered in %s: %w", p.Dir, err)
	}
	return nil
}

// exerciseCheck checks a participant's code, once or more often. The caller closes it.
type exerciseCheck struct {
	streams  program.Streams
	project  *exercise.Project
	board    *membership // nil without one
	script   scenario.Script
	source   socketstats.Source
	isolated bool
	built    *scratch.Folder
	// dir is built's path as programs name it, and starter is the command of the code as it was at the
	// start; "" before it was built.
	dir, starter string
	builds       int
	// notEntered is why the last result is not in the participant's folder; nil where it is.
	notEntered error
	// code is what was built last; nil before, and where it could not be read.
	code map[string][]byte
}

func newExerciseCheck(streams program.Streams, p *exercise.Project, board *membership) (*exerciseCheck, error) {
	script, err := p.Exercise.Play(p.Language.Name)
	if err != nil {
		return nil, err
	}
	cannot := lab.CanIsolate()
	if script.Requires == scenario.Namespace && cannot != nil {
		return nil, fmt.Errorf("%s needs a network namespace of its own: %w", p.Exercise.ID, cannot)
	}
	source, err := socketstats.OpenSource(socketstats.Auto)
	if err != nil {
		return nil, err
	}
	c := &exerciseCheck{streams: streams, project: p, board: board, script: script, source: source}
	c.isolated = cannot == nil && (script.Requires == scenario.Namespace || socketstats.EntersNamespaces(source))
	if c.built, err = scratch.New("exercise"); err == nil {
		if c.dir, err = filepath.EvalSymlinks(c.built.Path); err != nil {
			err = errors.Join(err, c.built.Remove())
		}
	}
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	return c, nil
}

func (c *exerciseCheck) close() {
	_ = c.source.Close()
	_ = c.built.Remove()
}

// build builds what there is of a participant's code now, and once the starter.
func (c *exerciseCheck) build(ctx context.Context) (yours string, err error) {
	p := c.project
	code, err := p.Language.Sources(p.Dir)
	c.code = code
	if err != nil {
		return "", err
	}
	starter, err := p.Exercise.Code(p.Language, "starter")
	if err != nil {
		return "", err
	}
	var (
		both   sync.WaitGroup
		failed error
	)
	if c.starter == "" {
		both.Go(func() {
			if c.starter, failed = p.Language.Build(ctx, filepath.Join(c.dir, exercise.StarterSide), starter); errors.Is(failed, exercise.ErrBuild) {
				failed = fmt.Errorf("the code as it was at the start: %w", failed)
			}
		})
	}
	same := maps.EqualFunc(code, starter, bytes.Equal) // as at the first check
	if !same {
		c.builds++
		yours, err = p.Language.Build(ctx, filepath.Join(c.dir, fmt.Sprint(exercise.YourSide, c.builds)), code)
	}
	both.Wait()
	switch {
	case failed != nil:
		c.starter = ""
		return "", failed
	case same:
		return c.starter, nil
	case errors.Is(err, exercise.ErrBuild):
		return "", fmt.Errorf("your code does not build:\n%w", err)
	}
	return yours, err
}

// play plays once, and enters that in the participant's folder. show is given every
// event. build returns the command of the participant's program; later says that it is
// called when all else is ready, as it waits for the user.
func (c *exerciseCheck) play(ctx context.Context, show func(series.Event), build func(context.Context) (string, error), later bool) (exercise.Result, error) {
	var said lab.Said
	side := lab.Side{ID: exercise.YourSide, Code: scenario.Fixed, Half: scenario.Fixed, SaysReady: true, Said: &said}
	side.Later = func(ctx context.Context) (command string, err error) {
		if command, err = build(ctx); err == nil {
			side.Command = command
			fmt.Fprintf(c.streams.Err, "playing %s against your code and the starter (%s)\n",
				c.project.Exercise.ID, c.script.Length().Round(100*time.Millisecond))
		}
		return command, err
	}
	if !later {
		if _, err := side.Later(ctx); ctx.Err() != nil {
			return exercise.Result{}, interrupted()
		} else if err != nil {
			return exercise.Result{}, err
		}
		side.Later = nil
	}
	o, err := lab.Play(ctx, lab.Plan{
		Script: c.script, Seed: 1, Source: c.source, Isolated: c.isolated, Provenance: thisProvenance(), Observe: show,
		Sides: []lab.Side{
			{ID: exercise.StarterSide, Code: scenario.Faulty, Half: scenario.Faulty, Command: c.starter, SaysReady: true},
			side,
		},
	})
	if errors.Is(err, lab.ErrInterrupted) {
		return exercise.Result{}, interrupted()
	}
	if err != nil { // mostly of a program that ended by itself
		text := err.Error()
		for _, side := range []string{exercise.YourSide, exercise.StarterSide} {
			text = strings.TrimPrefix(text, "client of the "+side+" side: ")
		}
		text = strings.ReplaceAll(text, strconv.Quote(side.Command), "your program") // which may be the starter
		text = strings.ReplaceAll(text, strconv.Quote(c.starter), "the code as it was at the start")
		return exercise.Result{}, errors.New(c.project.Language.Advised(c.withoutFolders(text), said.Stderr))
	}
	for name, text := range said.Errors {
		said.Errors[name] = c.withoutFolders(text)
	}
	result := c.project.Judge(o, c.script, said.Errors, c.withoutFolders(said.Stderr))
	c.notEntered = enter(c.project, result.Passed)
	c.board.report(ctx, c.streams.Err, c.project.State)
	return result, nil
}

// withoutFolders leaves the folders of what was built out of the paths in a text.
func (c *exerciseCheck) withoutFolders(text string) string {
	for _, side := range []string{fmt.Sprint(exercise.YourSide, c.builds), exercise.StarterSide} {
		text = strings.ReplaceAll(text, filepath.Join(c.dir, side)+string(filepath.Separator), "")
	}
	return text
}

// interrupted is the end by Ctrl-C.
func interrupted() error {
	return &program.CodeError{Code: program.ExitInterrupted, Err: lab.ErrInterrupted}
}

func exerciseWatchCommand(streams program.Streams) *cobra.Command {
	var flags boardFlags
	c := &cobra.Command{
		Use:   "watch [DIR]",
		Short: "Check each time you save, with the picture of the sockets",
		Long: `Checks the code in DIR (default: this folder) now and after each change of it, and
shows the sockets of your code beside those of the starter while it is played. Ctrl-C
ends it. The exit code is that of the last check.`,
		Args: program.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := openCode(c, args, "there is nothing to save")
			if err != nil {
				return err
			}
			board, err := flags.membership(c, streams.Err)
			if err != nil {
				return err
			}
			if err := askForGuess(streams, p); err != nil {
				return err
			}
			defer boardReports.Wait()
			return watchExercise(c.Context(), streams, p, board)
		},
	}
	flags.add(c)
	return c
}

// sourcesInterval is how often it is looked whether something was saved.
const sourcesInterval = 50 * time.Millisecond

// changed waits until a participant's code is another than code, and the same for two
// looks: an editor may empty a file before it writes it.
func (c *exerciseCheck) changed(ctx context.Context, code map[string][]byte) error {
	tick := time.NewTicker(sourcesInterval)
	defer tick.Stop()
	for before := code; ; {
		now, err := c.project.Language.Sources(c.project.Dir)
		if err == nil {
			same := maps.EqualFunc(before, now, bytes.Equal)
			if same && !maps.EqualFunc(code, now, bytes.Equal) {
				return nil
			}
			before = now
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// errSaved ends the run of code that was changed meanwhile.
var errSaved = errors.New("another change was saved")

// watchExercise checks now and after each change, until ctx is done. While it waits, all
// is ready but the participant's own program.
func watchExercise(ctx context.Context, streams program.Streams, p *exercise.Project, board *membership) error {
	screen := tui.NewTerminal(streams.Err, streams.Err, streams.In)
	streams.Err = screen
	check, err := newExerciseCheck(streams, p, board)
	if err != nil {
		return err
	}
	defer check.close()
	w := &exerciseWatch{exerciseCheck: check, screen: screen}
	for first := true; ; first = false {
		if err := w.once(ctx, first); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return w.last
		}
	}
}

// exerciseWatch checks again and again.
type exerciseWatch struct {
	*exerciseCheck
	screen *tui.Terminal
	// last is how the last check ended: an error as that of one check.
	last error
	// waiting says that nothing was saved since then.
	waiting atomic.Bool
}

// once checks once, the first time at once and then when something was saved, with the
// picture, and writes the result. The error is that of a check that was interrupted, or of
// what should not fail; last has that of a check.
func (w *exerciseWatch) once(ctx context.Context, first bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	keys := controls(cancel)
	keys.HideVerdicts = true
	show, closeFace := w.screen.Show(keys)
	defer closeFace()
	defer context.AfterFunc(ctx, closeFace)()
	var saved sync.WaitGroup
	defer saved.Wait()
	defer cancel(nil)
	build := w.buildSaved
	if first {
		build = w.build
	}
	result, err := w.play(ctx, show, func(within context.Context) (string, error) {
		command, err := build(within)
		code := w.code
		saved.Go(func() {
			if w.changed(ctx, code) == nil {
				cancel(errSaved)
			}
		})
		return command, err
	}, !first)
	closeFace()
	switch {
	case errors.Is(context.Cause(ctx), errSaved):
		return nil
	case w.waiting.Load() && ctx.Err() != nil:
		return nil
	case w.waiting.Load(), errors.Is(err, lab.ErrInterrupted):
		return err
	case err == nil:
		output := outputFlag{name: "table", has: tableAnswer}
		if err = output.write(w.streams.Out, result.Document()); err == nil && !result.Passed {
			err = &program.CodeError{Code: program.ExitFault}
		}
		if w.notEntered != nil {
			fmt.Fprintf(w.screen, "sockwatch: %s\n", w.notEntered)
			err = w.notEntered
		}
	default:
		fmt.Fprintf(w.screen, "sockwatch: %s\n", err)
	}
	w.wait(err)
	return nil
}

// wait begins to wait for a change, after a check that ended with err.
func (w *exerciseWatch) wait(err error) {
	w.last = err
	w.waiting.Store(true)
	fmt.Fprintln(w.screen, "Waiting until you save a change. Ctrl-C ends it.")
}

// buildSaved waits until something was saved that builds, and builds it.
func (w *exerciseWatch) buildSaved(ctx context.Context) (command string, err error) {
	for {
		if err := w.changed(ctx, w.code); err != nil {
			return "", err
		}
		w.waiting.Store(false)
		if command, err = w.build(ctx); err == nil || ctx.Err() != nil {
			return command, err
		}
		fmt.Fprintf(w.screen, "sockwatch: %s\n", err)
		w.wait(err)
	}
}
