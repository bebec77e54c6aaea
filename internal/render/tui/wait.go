package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// Waits reports whether there is a keyboard to wait for.
func (t *Terminal) Waits() bool { return t.keys != nil && t.draws }

// Wait shows a line, and the newest of news below it, and waits until Enter is pressed,
// news is closed or ctx is done. It returns the cause of ctx where that ended it, also
// by Ctrl-C, which is handed to interrupt.
func (t *Terminal) Wait(ctx context.Context, line string, news <-chan string, interrupt func()) error {
	p := tea.NewProgram(waiting{line: line, interrupt: interrupt},
		tea.WithOutput(t.screen), tea.WithInput(t.keys), tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond))
	over := make(chan struct{})
	go func() {
		defer p.Quit()
		for {
			select {
			case text, more := <-news:
				if !more {
					return
				}
				p.Send(notice(text))
			case <-ctx.Done():
				return
			case <-over:
				return
			}
		}
	}()
	err := run(p)
	close(over)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// waiting is a line, and what is new, until a key.
type waiting struct {
	line, new string
	interrupt func()
}

func (w waiting) Init() tea.Cmd { return nil }

func (w waiting) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case notice:
		w.new = string(msg)
	case tea.KeyPressMsg:
		switch msg.String() {
		case "enter":
			return w, tea.Quit
		case "ctrl+c":
			return w, leave(w.interrupt)
		}
	}
	return w, nil
}

func (w waiting) View() tea.View { return tea.NewView(w.line + "\n" + w.new) }
