// Package markup writes HTML, SVG and XML that is well-formed and escaped whatever
// its texts are.
package markup

import (
	"strings"
	"unicode/utf8"
)

// Writer is markup in the making. Every text and every value of an attribute is
// escaped on its way in; only names of elements and attributes, which are constants
// of the callers, and what is written by [strings.Builder]'s own methods are not.
// Names and values of attributes alternate. The zero Writer is empty.
type Writer struct {
	strings.Builder
	opened []string
}

// Open begins an element.
func (w *Writer) Open(name string, attributes ...string) {
	w.start(name, attributes)
	w.WriteByte('>')
	w.opened = append(w.opened, name)
}

// Close ends the innermost element.
func (w *Writer) Close() {
	last := len(w.opened) - 1
	w.WriteString("</" + w.opened[last] + ">")
	w.opened = w.opened[:last]
}

// Opened are the elements that are open, the innermost last. It must not be changed.
func (w *Writer) Opened() []string { return w.opened }

// Empty writes an element that has nothing in it.
func (w *Writer) Empty(name string, attributes ...string) {
	w.start(name, attributes)
	w.WriteString("/>")
}

// Element writes an element with a text.
func (w *Writer) Element(name, text string, attributes ...string) {
	w.Open(name, attributes...)
	w.Text(text)
	w.Close()
}

// Text writes a text.
func (w *Writer) Text(s string) { w.WriteString(inText.Replace(valid(s))) }

// Line ends a line, for those who read the source.
func (w *Writer) Line() { w.WriteByte('\n') }

func (w *Writer) start(name string, attributes []string) {
	w.WriteString("<" + name)
	for i := 0; i < len(attributes); i += 2 {
		w.WriteString(" " + attributes[i] + `="` + inValue.Replace(valid(attributes[i+1])) + `"`)
	}
}

// A line end within a value would be read as a blank, and one of Windows as another.
var (
	inText  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	inValue = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;")
)

// valid replaces the characters that XML forbids, however they are escaped (XML 1.0,
// section 2.2).
func valid(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}
