package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"socketlab/internal/series"
)

// LeastWidth and LeastHeight are the smallest terminal that the view fits in.
const (
	LeastWidth  = 80
	LeastHeight = 24
)

// Controls are what keys do beyond the view.
type Controls struct {
	// Quit ends what is shown, in order and by the user's wish; Interrupt does
	// what Ctrl-C does. They must not wait for the view's end.
	Quit, Interrupt func()
	// HideVerdicts is for those who are to find out by themselves what is wrong: no
	// verdict is shown, and not which programs were started.
	HideVerdicts bool
}

// model is the view: messages in, a screen out.
type model struct {
	face          *face
	controls      Controls
	noKeys        bool // there is no keyboard
	width, height int
	paused        bool
	missed        batch // what came while paused
	notice        string
	stays         bool   // all is over, and the picture stays until a key
	open          string // the key of the open page; "" for none
	scroll        int
}

// batch is events that came since the last one.
type batch []series.Event

// notice is a line for the user that is no event.
type notice string

// staying says that all is over, and that the picture stays until a key.
type staying struct{}

// settled is closed when all messages before it are dealt with.
type settled chan struct{}

func (m model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.scroll = m.within(m.scroll)
	case batch:
		if m.paused {
			m.missed = append(m.missed, msg...)
			break
		}
		m.take(msg)
	case notice:
		if text := strings.Join(strings.Fields(string(msg)), " "); text != "" {
			m.notice = strings.TrimPrefix(text, "sockwatch: ") // the header says that
		}
	case staying:
		m.stays = true
		if m.paused { // the last picture is the whole
			m.paused = false
			m.take(m.missed)
			m.missed = nil
		}
	case settled:
		close(msg)
	case tea.KeyPressMsg:
		return m.key(msg.String())
	}
	return m, nil
}

func (m model) take(events batch) {
	for _, e := range events {
		m.face.take(e)
	}
	m.face.draw()
}

func (m model) key(key string) (tea.Model, tea.Cmd) {
	switch key {
	case "q":
		if m.stays {
			return m, leave(nil)
		}
		return m, leave(m.controls.Quit)
	case "ctrl+c":
		return m, leave(m.controls.Interrupt)
	case "space":
		m.paused = !m.paused
		if !m.paused {
			m.take(m.missed)
			m.missed = nil
		}
	case "tab":
		m.face.otherEnd()
	case "enter", "esc":
		if m.stays && m.open == "" {
			return m, leave(nil)
		}
		m.open, m.scroll = "", 0
	case "up", "k":
		m.scroll = m.within(m.scroll - 1)
	case "down", "j":
		m.scroll = m.within(m.scroll + 1)
	case "pgup":
		m.scroll = m.within(m.scroll - m.room())
	case "pgdown":
		m.scroll = m.within(m.scroll + m.room())
	case "home":
		m.scroll = 0
	case "end":
		m.scroll = m.within(1 << 30)
	default:
		switch {
		case key == m.open:
			m.open, m.scroll = "", 0
		case m.face.page(key) != nil:
			m.open, m.scroll = key, 0
		}
	}
	return m, nil
}

// leave does what a key is for, and ends the view.
func leave(do func()) tea.Cmd {
	return func() tea.Msg {
		if do != nil {
			do()
		}
		return tea.Quit()
	}
}

// The view, from above: a line of header, what is said, the body, and a line of keys.
const sentenceLines = 2

// headerTime is what the header has beside its left part and the program's name.
const headerTime = len(" 00:00 of 00:00")

// room is the height of the body.
func (m model) room() int { return m.height - 2 - len(m.said()) }

// said is the sentence, once all is over why the headline moved, and a note. The lines
// of the sentence are there when it is short, too, so that the body does not move.
func (m model) said() []string {
	s := &m.face.snapshot
	lines := whole(s.Sentence, m.width, sentenceLines)
	if s.Over && s.Why != "" {
		lines = append(lines, whole(s.Why, m.width, sentenceLines)...)
	}
	lines = append(lines, make([]string, max(sentenceLines-len(lines), 0))...)
	if m.notice == "" {
		return lines
	}
	return append(lines, first(wrap("note: "+m.notice, m.width), 2)...)
}

// lines are the body's, all of them.
func (m model) lines() []string {
	if m.open == "" {
		return m.face.body(m.width, m.room())
	}
	var lines []string
	for _, line := range m.face.page(m.open) {
		lines = append(lines, wrap(line, m.width)...)
	}
	return lines
}

// within keeps a scroll within what there is.
func (m model) within(scroll int) int {
	if m.tooSmall() {
		return 0
	}
	return max(min(scroll, len(m.lines())-m.room()), 0)
}

func (m model) tooSmall() bool { return m.width < LeastWidth || m.height < LeastHeight }

// View is the whole screen.
func (m model) View() tea.View {
	v := tea.NewView(m.screen())
	v.AltScreen = true
	v.DisableBracketedPasteMode = true
	return v
}

func (m model) screen() string {
	switch {
	case m.width <= 0 || m.height <= 0:
		return ""
	case m.tooSmall():
		text := wrap(fmt.Sprintf("This terminal is %dx%d, and the view needs %dx%d. All goes on without it; q ends it.",
			m.width, m.height, LeastWidth, LeastHeight), m.width)
		text = first(text, m.height)
		for i := range text {
			text[i] = ansi.Truncate(text[i], m.width, "")
		}
		return strings.Join(text, "\n")
	}
	left, right := m.face.header(m.width - headerTime)
	if paused := "PAUSED at " + right; m.paused && ansi.StringWidth(left+" "+paused) <= m.width {
		right = paused
	} else if m.paused {
		right = "PAUSED"
	}
	if named := bold.Styled("sockwatch") + "  " + left; ansi.StringWidth(named+" "+right) <= m.width { // a long title needs the room
		left = named
	}
	lines := []string{spread(left, bold.Styled(right), m.width)}
	for _, line := range m.said() {
		lines = append(lines, pad(line, m.width))
	}
	body := m.lines()
	body = body[min(m.scroll, len(body)):]
	for i := range m.room() {
		line := ""
		if i < len(body) {
			line = body[i]
		}
		lines = append(lines, pad(shade(m.open, line), m.width))
	}
	return strings.Join(append(lines, faint.Styled(pad(m.footer(len(body)), m.width))), "\n")
}

// shade colours the lines of a page: of a difference, what goes and what comes.
func shade(page, line string) string {
	switch {
	case page == "":
		return line
	case page == "d" && strings.HasPrefix(line, "-"):
		return faulty.Styled(line)
	case page == "d" && strings.HasPrefix(line, "+"):
		return fixed.Styled(line)
	case strings.HasPrefix(line, "#"):
		return bold.Styled(line)
	default:
		return line
	}
}

func (m model) footer(left int) string {
	more := ""
	if left > m.room() {
		more = fmt.Sprintf(" · ↓ %d more lines", left-m.room())
	}
	switch {
	case m.noKeys:
		return "Ctrl-C ends it · no keys: standard input is no terminal"
	case m.open != "":
		return "esc closes this · ↑ ↓ PgUp PgDn scroll · q quit and table" + more
	case m.stays:
		return "Enter end and table · " + strings.TrimPrefix(m.face.keys(), keysOfARun) + more
	default:
		return m.face.keys() + more
	}
}
