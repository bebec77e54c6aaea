package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Document is a command's whole answer, ready for every format. What a format
// cannot show it leaves out; [Renderer.Accepts] says whether enough is left.
type Document struct {
	// Title is one line.
	Title string
	// Data is the JSON form: an object whose first member is "schema", or a list of
	// such objects. nil has none.
	Data any
	// Blocks are what people read, in this order.
	Blocks []Block
	// Records are the CSV form, the header first. nil has none.
	Records [][]string
	// Checks are what passed or failed, for JUnit. nil has none.
	Checks []Check
	// Observations are what charts and the page of a report are made of. nil has none.
	Observations []Observed
}

// Block is one part of a document: a [Heading], a [Text], a [Table], a [List], a
// [Code] or a [Finding].
type Block interface{ block() }

// Heading begins a part of a document. Level is from 1.
type Heading struct {
	Level int
	Text  string
}

// Text is a paragraph. Its lines are kept apart if Lines is set; otherwise each
// format breaks them as it needs.
type Text struct {
	Text  string
	Lines bool
}

// Table has a header and groups of rows; a format may set groups apart. Numbers
// says which columns hold numbers.
type Table struct {
	Header  []string
	Groups  [][][]string
	Numbers []bool
}

// List is terms with what is said of them. A term may be "".
type List struct{ Items []Item }

// Item is one line of a list.
type Item struct{ Term, Text string }

// Code is text in a type of fixed width. Language is "" or that of the text, such
// as "go", "console" or "diff".
type Code struct{ Language, Text string }

// Finding is a verdict on one subject, in sentences. Mark is "✓", "✗" or "?".
type Finding struct {
	Subject, Mark, Headline string
	Sentences               []string
}

func (Heading) block() {}
func (Text) block()    {}
func (Table) block()   {}
func (List) block()    {}
func (Code) block()    {}
func (Finding) block() {}

// Check is one thing that was checked.
type Check struct {
	// Group and Name say what it is.
	Group, Name string
	OK          bool
	// Message is what was found where it is not OK, and Skipped why it was not
	// checked; it counts then neither as passed nor as failed.
	Message, Skipped string
	// Seconds is how long it took; 0 where that means nothing.
	Seconds float64
}

// Options are what the user asked of a format.
type Options struct {
	// Width is the number of columns of the terminal; 0 is 80.
	Width int
	// Colour allows colours. They never carry meaning alone.
	Colour bool
}

// Renderer writes documents in one format. It is safe for use by several
// goroutines.
type Renderer interface {
	// Name is what -o calls the format.
	Name() string
	// Accepts reports whether the format can show the document.
	Accepts(*Document) bool
	// Render writes the document. With an error, part of it may be written.
	Render(io.Writer, *Document, Options) error
}

// renderers are the registered formats, in the order in which help lists them.
var renderers []Renderer

// Register adds a format. It is called when the program starts, by the package of
// the format; a name that is there already panics.
func Register(r Renderer) {
	if _, err := RendererOf(r.Name()); err == nil {
		panic("the format " + r.Name() + " is registered twice")
	}
	renderers = append(renderers, r)
}

// RendererOf returns the format with a name. The error lists the names there are.
func RendererOf(name string) (Renderer, error) {
	i := slices.IndexFunc(renderers, func(r Renderer) bool { return r.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("unknown format %q: use one of %s", name, strings.Join(Formats(nil), ", "))
	}
	return renderers[i], nil
}

// Formats lists the names of the formats that can show a document; of nil all.
func Formats(d *Document) []string {
	var names []string
	for _, r := range renderers {
		if d == nil || r.Accepts(d) {
			names = append(names, r.Name())
		}
	}
	return names
}
