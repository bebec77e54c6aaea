package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// Wait shows a line and waits until Enter is pressed, come is closed or ctx is done.
// It returns at once where there is no keyboard, and the cause of ctx where that
// ended it, also by Ctrl-C, which is handed to interrupt.
func (t *Terminal) Wait(ctx context.Context, line string, come <-chan struct{}, interrupt func()) error {
	if t.keys == nil || !t.draws {
		return nil
	}
	p := tea.NewProgram(waiting{line: line, interrupt: interrupt},
		tea.WithOutput(t.screen), tea.WithInput(t.keys), tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond))
	over := make(chan struct{})
	go func() {
		select {
		case <-come:
		case <-ctx.Done():
		case <-over:
		}
		p.Quit()
	}()
	_, err := p.Run()
	close(over)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// waiting is a line, until a key.
type waiting struct {
	line      string
	interrupt func()
}

func (w waiting) Init() tea.Cmd { return nil }

func (w waiting) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "enter":
			return w, tea.Quit
		case "ctrl+c":
			return w, leave(w.interrupt)
		}
	}
	return w, nil
}

func (w waiting) View() tea.View { return tea.NewView(w.line + "\n") }
