package text

import (
	"regexp"
	"strings"
)

// proseWidth is the most columns that the paragraphs of a lesson have: longer lines are
// hard to read.
const proseWidth = 100

// listItem begins an item of a list in Markdown, and numbered one whose number may also
// end a sentence.
var (
	listItem = regexp.MustCompile(`^(?:[-*]|\d+\.) `)
	numbered = regexp.MustCompile(`^\d+\. $`)
)

// itemOf is the mark of the item of a list that a line begins; "" where it begins none. As
// in CommonMark a number within a paragraph is text, so that a sentence may end with one:
// only 1 begins a list there. lead is what the paragraph so far begins with.
func itemOf(line, lead string, within bool) string {
	item := listItem.FindString(line)
	if within && item != "1. " && numbered.MatchString(item) && !numbered.MatchString(lead) {
		return ""
	}
	return item
}

// markdown writes what lessons have of Markdown: headings, paragraphs, lists, quotations
// and code. Its marks stay.
func (w *writer) markdown(text string) {
	if w.raw {
		w.line(strings.TrimSuffix(text, "\n"))
		return
	}
	width := w.width
	w.width = min(width, proseWidth)
	defer func() { w.width = width }()
	lead, paragraph := "", []string{}
	flush := func() {
		if len(paragraph) > 0 {
			indent := strings.Repeat(" ", len(lead))
			if strings.HasPrefix(lead, ">") {
				indent = lead
			}
			w.wrapBeside("", lead, indent, "", strings.Join(paragraph, " "))
		}
		lead, paragraph = "", nil
	}
	language, code := "", false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		fence, isFence := strings.CutPrefix(line, "```")
		quote := ""
		if !code && strings.HasPrefix(line, ">") {
			quote, line = "> ", strings.TrimPrefix(strings.TrimPrefix(line, ">"), " ")
		}
		switch {
		case isFence:
			flush()
			code, language = !code, fence
			w.line(line)
		case code:
			w.code(language, line)
		case line == "":
			flush()
			w.line(strings.TrimSpace(quote))
		case strings.HasPrefix(line, "#"):
			flush()
			w.wrapStyled(bold, "", line)
		default:
			if item := itemOf(line, strings.TrimPrefix(lead, "> "), len(paragraph) > 0); item != "" || quote != lead && quote != "" {
				flush()
				lead, line = quote+item, line[len(item):]
			}
			paragraph = append(paragraph, strings.TrimSpace(line))
		}
	}
	flush()
}

// code writes code as it is: a line that is wider than the terminal stays one line.
func (w *writer) code(language, text string) {
	for line := range strings.Lines(strings.TrimSuffix(text, "\n") + "\n") {
		line = strings.TrimSuffix(line, "\n")
		w.styled(codeStyle(language, line), line)
	}
}

// codeStyle is the style of a line of code.
func codeStyle(language, line string) string {
	if language != "diff" {
		return cyan
	}
	switch {
	case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
		return bold
	case strings.HasPrefix(line, "+"):
		return green
	case strings.HasPrefix(line, "-"):
		return red
	case strings.HasPrefix(line, "@@"):
		return cyan
	}
	return ""
}
