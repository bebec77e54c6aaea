// Package tui shows an observation while it goes on: as a view with a pane for each
// subject on a terminal, as a table redrawn in place on one that is too small, and
// as a line for each moment elsewhere.
package tui

import (
	"bytes"
	"context"
	"io"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"socketlab/internal/render"
	"socketlab/internal/series"
	"socketlab/internal/words"
)

// Terminal is where a view is shown, one after another, and where else there
// are lines. What is written to it while a view is shown appears when that is
// gone: two writers on one screen are garbage.
type Terminal struct {
	screen io.Writer // where views are shown
	notes  io.Writer // what is written to the Terminal
	keys   *os.File  // nil without a keyboard
	draws  bool

	mu   sync.Mutex
	pin  string
	open *show // nil while none is shown
	held bytes.Buffer
}

// NewTerminal returns the terminal for views on screen, notes on notes, which
// may be the same, and keys from keyboard.
func NewTerminal(screen, notes io.Writer, keyboard io.Reader) *Terminal {
	t := &Terminal{screen: screen, notes: notes, draws: CanRedraw(screen, os.Getenv("TERM"))}
	if f, ok := keyboard.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.keys = f
		t.draws = t.draws && inForeground(f) // else the first key would stop us
	}
	return t
}

// Write writes a note, at once or after the view.
func (t *Terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clean := words.Printable(string(p)) // a note may quote what came from outside
	if t.open == nil {
		_, err := io.WriteString(t.notes, clean)
		return len(p), err
	}
	t.open.note(notice(clean))
	_, err := t.held.WriteString(clean)
	return len(p), err
}

// Pin sets a line for views that are opened from now on to show, until there is a
// newer note.
func (t *Terminal) Pin(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pin = text
}

// CanRedraw reports whether w is a terminal on which lines can be drawn again.
// termName is the environment's TERM.
func CanRedraw(w io.Writer, termName string) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && termName != "dumb" && term.IsTerminal(int(f.Fd()))
}

// Show returns the face of an observation, which opens when that begins, and what
// closes it. close may be called by anyone, and more than once; when it returns,
// the terminal is as it was.
func (t *Terminal) Show(c Controls) (show func(series.Event), close func()) {
	plain := Plain(t.screen, t.draws)
	if !t.Views() {
		return plain, func() {}
	}
	lines := (&lines{w: t.screen}).show
	s := t.newShow(&face{hideVerdicts: c.HideVerdicts}, c)
	return func(e series.Event) {
		if e.Header != nil {
			if !c.HideVerdicts {
				lines(e) // how to see the same by ss, for when the view is gone
			}
			t.begin(s)
		}
		if !s.enter(e) {
			lines(e)
		}
	}, func() { t.end(s) }
}

// Plain returns the face of an observation without a view: a table redrawn in
// place, or a line for each moment.
func Plain(w io.Writer, redraw bool) func(series.Event) {
	if redraw {
		return newTable(w).show
	}
	return (&lines{w: w}).show
}

// Views reports whether an observation would be shown as a view, with room for
// verdicts, rather than as lines or as a plain table.
func (t *Terminal) Views() bool { return t.draws && !t.tooSmall() }

// tooSmall reports whether the views do not fit the terminal as it is now. There a
// table is redrawn in place, without keys.
func (t *Terminal) tooSmall() bool {
	f, ok := t.screen.(interface{ Fd() uintptr })
	if !ok {
		return false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	return err == nil && (width < LeastWidth || height < LeastHeight)
}

// Stay keeps the view of an observation that is over until a key closes it or ctx is
// done, and returns at once where no view is shown or there is no keyboard.
func (t *Terminal) Stay(ctx context.Context) {
	t.mu.Lock()
	s := t.open
	t.mu.Unlock()
	if s == nil || t.keys == nil {
		return
	}
	s.stay()
	select {
	case <-s.gone:
	case <-ctx.Done():
	}
}

// show is a view that is shown.
type show struct {
	program *tea.Program
	once    sync.Once
	begun   bool
	over    chan struct{} // closed to end it
	gone    chan struct{} // closed when the terminal is as it was
	fed     chan struct{} // closed when nothing is fed to it any more

	mu     sync.Mutex
	failed bool
	queue  batch
	notes  []notice
	stays  bool
	wake   chan struct{}
}

func (t *Terminal) newShow(f *face, c Controls) *show {
	t.mu.Lock()
	defer t.mu.Unlock()
	options := []tea.ProgramOption{
		tea.WithOutput(t.screen), tea.WithInput(nil), tea.WithFPS(framesPerSecond),
		tea.WithoutSignalHandler(), // an interrupt is the commands' business, and so is their exit code
	}
	if t.keys != nil {
		options = append(options, tea.WithInput(t.keys))
	}
	if os.Getenv("NO_COLOR") != "" { // bubbletea heeds only what is a boolean
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	return &show{
		program: tea.NewProgram(model{face: f, controls: c, noKeys: t.keys == nil, notice: t.pin}, options...),
		over:    make(chan struct{}), gone: make(chan struct{}), fed: make(chan struct{}), wake: make(chan struct{}, 1),
	}
}

// framesPerSecond is how soon a key shows what it does. Each frame costs.
const framesPerSecond = 10

// begin shows it, if it is not shown yet and was not closed before.
func (t *Terminal) begin(s *show) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-s.over:
		return
	default:
	}
	if s.begun {
		return
	}
	s.begun, t.open = true, s
	go func() {
		defer close(s.gone)
		err := run(s.program)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failed = err != nil
	}()
	go s.feed()
}

// end ends it and waits until it is gone; then what was held is written.
func (t *Terminal) end(s *show) {
	s.once.Do(func() {
		t.mu.Lock()
		close(s.over)
		begun := s.begun
		t.mu.Unlock()
		if begun {
			<-s.fed
			s.program.Quit()
			<-s.gone
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.open = nil
		_, _ = t.held.WriteTo(t.notes)
	})
}

// enter leaves an event for the view and never waits for it: who watches must
// not slow down what is watched. It returns false if the view has failed.
func (s *show) enter(e series.Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed {
		return false
	}
	s.queue = append(s.queue, e)
	s.signal()
	return true
}

// stay tells the view that it is shown until a key closes it.
func (s *show) stay() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stays = true
	s.signal()
}

// note leaves a line for the user.
func (s *show) note(n notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, n)
	s.signal()
}

func (s *show) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// A picture is drawn at most so often, and for at most one part in share of the
// time.
const (
	oftenEnough = 200 * time.Millisecond
	seldom      = 5 * time.Second
	share       = 100
)

// feed hands over what was entered.
func (s *show) feed() {
	defer close(s.fed)
	throttle := render.Throttle{Share: share, Least: oftenEnough, Most: seldom}
	for {
		select {
		case <-s.over:
			return
		case <-s.gone:
			return
		case <-s.wake:
		}
		began := time.Now()
		s.hand()
		rest := time.NewTimer(throttle.Rest(time.Since(began)))
		select {
		case <-rest.C:
		case <-s.over:
		case <-s.gone:
		}
		rest.Stop()
	}
}

// hand hands over the queue and waits until the view has dealt with it.
func (s *show) hand() {
	s.mu.Lock()
	queue, notes, stays := s.queue, s.notes, s.stays
	s.queue, s.notes, s.stays = nil, nil, false
	s.mu.Unlock()
	if stays {
		defer s.program.Send(staying{})
	}
	for _, n := range notes {
		s.program.Send(n)
	}
	if len(queue) > 0 {
		s.program.Send(queue)
	}
	done := make(settled)
	s.program.Send(done)
	select {
	case <-done:
	case <-s.gone:
	}
}
