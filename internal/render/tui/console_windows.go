package tui

import (
	"io"

	"golang.org/x/sys/windows"
)

// enableSequences makes a console obey control sequences until undo is called: a console
// of Windows does so only if it is asked to.
func enableSequences(w io.Writer) (undo func() error, err error) {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return func() error { return nil }, nil
	}
	console := windows.Handle(f.Fd())
	var before uint32
	if err := windows.GetConsoleMode(console, &before); err != nil {
		return nil, err
	}
	const wanted = windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	return func() error { return windows.SetConsoleMode(console, before) }, windows.SetConsoleMode(console, before|wanted)
}
