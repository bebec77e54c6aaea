package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/render/tui"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// errQuit is the error of a run that its viewer has ended: no failure, and no
// other is begun.
var errQuit = errors.New("ended by its viewer")

// toTheirEnd leaves out runs that were ended early by their viewer: what their
// scripts expect cannot be judged, so their exit code is that of no failure.
func toTheirEnd(runs []*render.Observed) []*render.Observed {
	return slices.DeleteFunc(slices.Clone(runs), func(o *render.Observed) bool {
		return o.Observation.Stopped == lab.ErrInterrupted.Error()
	})
}

// face shows a run while it goes on, until it is closed. Runs beside each other
// have a line each, at their end.
func (p *player) face(script scenario.Script, cancel context.CancelCauseFunc) (show func(series.Event), closeFace func()) {
	switch {
	case p.quiet:
		return func(series.Event) {}, func() {}
	case p.onlyOne || !p.isolates(script):
		return p.screen.Show(controls(cancel))
	default:
		return func(e series.Event) {
			if e.Header != nil {
				p.sayf("%s: %s (%s)\n", script.ID, script.Title, script.Length().Round(100*time.Millisecond))
			}
		}, func() {}
	}
}

// controls are what keys do to what is shown. Ctrl-C comes as a key while a view
// is open, and is made the signal that it is elsewhere.
func controls(cancel context.CancelCauseFunc) tui.Controls {
	return tui.Controls{
		Quit: func() { cancel(errQuit) },
		Interrupt: func() {
			self, err := os.FindProcess(os.Getpid())
			if err != nil || self.Signal(os.Interrupt) != nil {
				cancel(nil)
			}
		},
	}
}
