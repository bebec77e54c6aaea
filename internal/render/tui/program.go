package tui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// program shows a model on a terminal: it takes messages and keys one after another, and
// draws the lines that have changed.
type program struct {
	model    model
	terminal io.Writer
	screen   io.Writer // the terminal, with the colours that it has
	keys     *os.File  // nil without a keyboard
	messages chan any
	leave    chan struct{} // closed by quit
	gone     chan struct{} // closed when run has returned
	once     sync.Once

	drawn []string // what is on the screen
}

func newProgram(m model, terminal io.Writer, keys *os.File) *program {
	return &program{
		model: m, terminal: terminal, keys: keys,
		messages: make(chan any), leave: make(chan struct{}), gone: make(chan struct{}),
	}
}

// send hands a message to the model. It waits until the model has dealt with those
// before it, or is gone.
func (p *program) send(message any) {
	select {
	case p.messages <- message:
	case <-p.gone:
	}
}

// quit ends run, and may be called more than once.
func (p *program) quit() { p.once.Do(func() { close(p.leave) }) }

// frame is how soon a key shows what it does, and a change of the terminal's size. Each
// frame costs.
const frame = 100 * time.Millisecond

// escapeWait is how long the rest of a key's sequence may take: what is alone for so
// long is the escape key.
const escapeWait = 50 * time.Millisecond

// run shows the model until it is to end. Then the terminal is as it was, also after a
// panic of the model, which is an error.
func (p *program) run() (err error) {
	defer close(p.gone)
	restore, typed, err := p.takeTerminal()
	if err != nil {
		return err
	}
	defer func() {
		fault := recover()
		err = errors.Join(err, restore())
		if fault != nil {
			err = fmt.Errorf("the view failed: %v", fault)
			fmt.Fprintf(p.terminal, "%v\n\n%s\n", err, debug.Stack())
		}
	}()
	tick := time.NewTicker(frame)
	defer tick.Stop()
	var keys []byte // those that are not complete yet
	var noMore <-chan time.Time
	changed := true
	for {
		end := false
		select {
		case <-p.leave:
			return nil
		case message := <-p.messages:
			end = p.tell(message)
		case some := <-typed:
			keys, end = p.press(append(keys, some...), false)
			noMore = time.After(escapeWait)
		case <-noMore:
			keys, end = p.press(keys, true)
		case <-tick.C:
			if !p.measure() && !changed {
				continue
			}
			if err := p.draw(); err != nil {
				return err
			}
			changed = false
			continue
		}
		if end {
			return nil
		}
		changed = true
	}
}

// press hands over the keys in what was typed, and returns what is not complete, and
// whether a key ends the program.
func (p *program) press(typed []byte, all bool) (rest []byte, end bool) {
	for len(typed) > 0 && !end {
		key, rest, ok := nextKey(typed, all)
		if !ok {
			break
		}
		typed, end = rest, p.tell(key)
	}
	return typed, end
}

// tell hands over a message, and returns whether that ends the program.
func (p *program) tell(message any) (end bool) {
	next, leave := p.model.update(message)
	p.model = next
	if leave != nil {
		leave()
	}
	return leave != nil
}

// measure takes note of the terminal's size, and returns whether it has changed.
func (p *program) measure() bool {
	width, height := sizeOf(p.terminal)
	if width == p.model.width && height == p.model.height {
		return false
	}
	p.drawn = nil
	p.tell(size{width, height})
	return true
}

func (p *program) draw() error {
	lines := strings.Split(p.model.screen(), "\n")
	var text strings.Builder
	if p.drawn == nil {
		text.WriteString(ansi.EraseEntireScreen)
	}
	for i := range max(len(lines), len(p.drawn)) {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		if i >= len(p.drawn) || p.drawn[i] != line {
			text.WriteString(ansi.CursorPosition(1, i+1) + ansi.EraseEntireLine + line)
		}
	}
	p.drawn = lines
	_, err := io.WriteString(p.screen, text.String())
	return err
}

// takeTerminal prepares the terminal. The caller calls restore, which brings back what
// was there. typed has what is typed; it is nil without a keyboard.
func (p *program) takeTerminal() (restore func() error, typed <-chan []byte, err error) {
	var undo []func() error
	restore = func() error {
		var errs []error
		for i := len(undo) - 1; i >= 0; i-- {
			errs = append(errs, undo[i]())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, restore())
		}
	}()
	undoOutput, err := enableSequences(p.terminal)
	if err != nil {
		return nil, nil, err
	}
	undo = append(undo, undoOutput)
	if p.keys != nil {
		state, err := term.MakeRaw(int(p.keys.Fd()))
		if err != nil {
			return nil, nil, fmt.Errorf("raw terminal: %w", err)
		}
		undo = append(undo, func() error { return term.Restore(int(p.keys.Fd()), state) })
		keyboard, err := cancelreader.NewReader(p.keys)
		if err != nil {
			return nil, nil, fmt.Errorf("read keys: %w", err)
		}
		chunks, stop, over := make(chan []byte), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(over)
			read(keyboard, chunks, stop)
		}()
		typed = chunks
		undo = append(undo, func() error {
			close(stop)
			if keyboard.Cancel() { // else it ends with the next key
				<-over
			}
			return keyboard.Close()
		})
	}
	profile := colorprofile.Detect(p.terminal, os.Environ())
	if os.Getenv("NO_COLOR") != "" { // Detect heeds only what is a boolean
		profile = colorprofile.ASCII
	}
	p.screen = &colorprofile.Writer{Forward: p.terminal, Profile: profile}
	undo = append(undo, func() error {
		_, err := io.WriteString(p.terminal, ansi.ResetModeAltScreenSaveCursor+ansi.SetModeTextCursorEnable)
		return err
	})
	_, err = io.WriteString(p.terminal, ansi.SetModeAltScreenSaveCursor+ansi.ResetModeTextCursorEnable)
	return restore, typed, err
}

// read hands over what is typed until reading is cancelled, or stop is closed.
func read(keyboard io.Reader, typed chan<- []byte, stop <-chan struct{}) {
	for {
		some := make([]byte, 256)
		n, err := keyboard.Read(some)
		if err != nil {
			return
		}
		select {
		case typed <- some[:n]:
		case <-stop:
			return
		}
	}
}

// sizeOf is the size of the terminal that w is, 0 and 0 if it is none.
func sizeOf(w io.Writer) (width, height int) {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}
