package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"socketlab/internal/lab"
	"socketlab/internal/render/report"
	"socketlab/internal/render/tui"
	"socketlab/internal/scenario"
)

// errQuit is the error of a run that its viewer has ended: no failure, and no
// other is begun.
var errQuit = errors.New("ended by its viewer")

// toTheirEnd leaves out runs that were ended early by their viewer: what their
// scripts expect cannot be judged, so their exit code is that of no failure.
func toTheirEnd(entries []report.Entry) []report.Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e report.Entry) bool {
		return e.Run.Stopped == lab.ErrInterrupted.Error()
	})
}

// face shows a run while it goes on, until it is closed. Runs beside each other
// have a line each, at their end.
func (p *player) face(script scenario.Script, cancel context.CancelCauseFunc) (show tui.Observer, closeFace func()) {
	switch {
	case p.quiet:
		return func(lab.Event) {}, func() {}
	case p.onlyOne || !p.isolates(script):
		return p.screen.Run(controls(cancel))
	default:
		return func(e lab.Event) {
			if e.Begin != nil {
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
