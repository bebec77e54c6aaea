package page

import (
	"bytes"
	"encoding/xml"
)

// markup is HTML or SVG in the making. Every text and every value of an attribute
// is escaped on its way in; only names of elements and attributes, which are those
// of this package, and the style sheet are not. Names and values of attributes
// alternate.
type markup struct {
	bytes.Buffer
	opened []string
}

// open begins an element.
func (m *markup) open(name string, attributes ...string) {
	m.start(name, attributes)
	m.WriteByte('>')
	m.opened = append(m.opened, name)
}

// close ends the innermost element.
func (m *markup) close() {
	last := len(m.opened) - 1
	m.WriteString("</" + m.opened[last] + ">")
	m.opened = m.opened[:last]
}

// empty writes an element that has nothing in it.
func (m *markup) empty(name string, attributes ...string) {
	m.start(name, attributes)
	m.WriteString("/>")
}

// element writes an element with a text.
func (m *markup) element(name, text string, attributes ...string) {
	m.open(name, attributes...)
	m.text(text)
	m.close()
}

// text writes a text. What XML forbids is replaced.
func (m *markup) text(s string) {
	if err := xml.EscapeText(m, []byte(s)); err != nil {
		panic(err) // a buffer takes everything
	}
}

// line ends a line, for those who read the source.
func (m *markup) line() { m.WriteByte('\n') }

func (m *markup) start(name string, attributes []string) {
	m.WriteString("<" + name)
	for i := 0; i < len(attributes); i += 2 {
		m.WriteString(" " + attributes[i] + `="`)
		m.text(attributes[i+1])
		m.WriteByte('"')
	}
}
