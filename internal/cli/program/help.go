package program

import (
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

const (
	// proseWidth is the most columns that sentences have: longer lines are hard to read.
	proseWidth = 100
	// leastRoom is how many columns a description needs to stand beside what it describes.
	leastRoom = 30
)

// writeHelp writes the help of a command in the width and the colours of where it goes.
func writeHelp(c *cobra.Command, _ []string) {
	w := c.OutOrStdout()
	width := Width(w)
	if width == 0 {
		width = 80
	}
	about := c.Long
	if about == "" {
		about = c.Short
	}
	h := &help{width: width, colours: Colours(w)}
	h.prose(about)
	h.line("")
	form := false // the line after "Usage:"
	for line := range strings.Lines(c.UsageString()) {
		line = strings.TrimRight(line, "\n ")
		if form {
			h.wrap("  ", "      ", line)
		} else {
			h.fit(line)
		}
		form = line == "Usage:"
	}
	_, _ = io.WriteString(w, h.String())
}

// help is a help text in the making.
type help struct {
	strings.Builder
	width   int
	colours bool
}

func (h *help) line(s string) { h.WriteString(s + "\n") }

func (h *help) paint(style, s string) string {
	if !h.colours || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[m"
}

// prose writes paragraphs. A line that is indented stays a line.
func (h *help) prose(text string) {
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			h.wrap("", "", strings.Join(paragraph, " "))
			paragraph = nil
		}
	}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimRight(line, "\n ")
		if line != "" && line[0] != ' ' {
			paragraph = append(paragraph, line)
			continue
		}
		flush()
		h.line(line)
	}
	flush()
}

// described is a command, a flag or an example, with what is said of it.
var described = regexp.MustCompile(`^( +\S.*?)( {2,}| # )(\S.*)$`)

// fit writes a line of what cobra and pflag say of the usage: what is described, and
// beside it, or below it where there is no room, its description.
func (h *help) fit(line string) {
	if line != "" && line[0] != ' ' {
		if strings.HasSuffix(line, ":") {
			h.line(h.paint("1", line))
			return
		}
		h.wrap("", "", line)
		return
	}
	m := described.FindStringSubmatch(line)
	if m == nil { // an example that is a command only is not broken
		h.line(line)
		return
	}
	name, gap, text := m[1], m[2], m[3]
	if gap == " # " {
		gap, text = " ", "# "+text
	}
	at := utf8.RuneCountInString(name + gap)
	switch {
	case at+utf8.RuneCountInString(text) <= h.width:
		h.line(h.paint("36", name) + gap + text)
	case h.width-at >= leastRoom:
		h.wrap(h.paint("36", name)+gap, strings.Repeat(" ", at), text)
	default:
		if utf8.RuneCountInString(name) <= h.width {
			h.line(h.paint("36", name))
		} else { // a flag with many values
			h.wrap("      ", "          ", strings.ReplaceAll(name, "|", "| "))
		}
		indent := strings.Repeat(" ", 10)
		h.wrap(indent, indent, text)
	}
}

// wrap writes text in lines of the width. The first begins with lead, and the others with
// indent, which is at least as wide.
func (h *help) wrap(lead, indent, text string) {
	width := h.width
	if lead == "" {
		width = min(width, proseWidth)
	}
	line, at := lead, len(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if i > 0 && at+n > width {
			h.line(strings.TrimRight(line, " "))
			line, at = indent, len(indent)
		}
		line += word + " "
		at += n + 1
	}
	h.line(strings.TrimRight(line, " "))
}
