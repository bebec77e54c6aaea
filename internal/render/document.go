package render

import (
	"strings"

	"socketlab/internal/expect"
	"socketlab/internal/verdict"
)

// Document is a command's whole answer, ready for every format.
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
}

// Has returns what the document has.
func (d *Document) Has() Content {
	has := Content(0)
	for content, is := range map[Content]bool{
		HasBlocks: d.Blocks != nil, HasData: d.Data != nil, HasRecords: d.Records != nil, HasChecks: d.Checks != nil,
		HasCharts: len(d.Charts()) > 0 || d.Sequence() != nil,
	} {
		if is {
			has |= content
		}
	}
	return has
}

// Charts are the charts of the document, in their order.
func (d *Document) Charts() []Charts {
	var all []Charts
	for _, b := range d.Blocks {
		if c, ok := b.(Charts); ok {
			all = append(all, c)
		}
	}
	return all
}

// Sequence is the first sequence diagram of the document; nil if it has none.
func (d *Document) Sequence() *Sequence {
	for _, b := range d.Blocks {
		if s, ok := b.(Sequence); ok {
			return &s
		}
	}
	return nil
}

// Block is one part of a document.
type Block interface{ block() }

// Part begins one of several answers of a document, such as one run of many.
type Part struct{ Title string }

// Heading begins a section; Level is 2 for the headline of an answer and 3 for what
// is below it.
type Heading struct {
	Level int
	Text  string
	// Wide is as in [Column].
	Wide bool
}

// Text is a paragraph. Its lines are kept apart if Lines is set; otherwise each
// format breaks them as it needs. Note says that it is of minor interest, and Wide
// is as in [Column].
type Text struct {
	Text              string
	Lines, Note, Wide bool
}

// Table is groups of rows, which a format may set apart.
type Table struct {
	// Name says what it shows, for those who cannot see it.
	Name    string
	Columns []Column
	Groups  []Group
	// Plain says that it is a list in columns, rather than figures to be compared.
	Plain bool
}

// Column is the head of a column.
type Column struct {
	Title string
	// Number says that the cells are numbers, and so are at the right.
	Number bool
	// Wide says that it is left out where there is little room: in a terminal and in
	// Markdown.
	Wide bool
}

// Group is rows that belong together, under a title or none. Charted says that
// charts of the document show the same, and Wide is as in [Column].
type Group struct {
	Title         string
	Rows          []Row
	Charted, Wide bool
}

// Row is one line of a table, with a cell for each column. Metrics name the figures
// in its cells; nil where they are no metrics.
type Row struct {
	Metrics []string
	Cells   []Cell
	Wide    bool
}

// Cell is what stands in one column of a row: often one value.
type Cell []Datum

// Datum is a text, and the number that it stands for as programs read it; "" where
// it is no number. Link is the file that it leads to.
type Datum struct{ Text, Value, Link string }

// String writes a cell in one line.
func (c Cell) String() string {
	var texts []string
	for i, d := range c {
		if i == 0 || d.Text != NotKnown || c[0].Text != NotKnown {
			texts = append(texts, d.Text)
		}
	}
	return strings.Join(texts, " / ")
}

// Words is a row of cells that are text alone.
func Words(texts ...string) Row {
	var r Row
	for _, text := range texts {
		r.Cells = append(r.Cells, cell(text))
	}
	return r
}

func cell(text string) Cell { return Cell{{Text: text}} }

// List is names with what is said of each; a name that is "" goes on with what is
// said of the one before. Apart sets those with a name apart, and Wide is as in
// [Column].
type List struct {
	Items       []Item
	Apart, Wide bool
}

// Item is one line of a list.
type Item struct{ Name, Text string }

// Code is text in a type of fixed width. Language is "" or that of the text, such
// as "go" or "diff". Wide is as in [Column].
type Code struct {
	Language, Text string
	Wide           bool
}

// Markdown is text that is in Markdown already, such as a lesson.
type Markdown struct{ Text string }

// Finding is a verdict on one subject. Now is what sockets it has, and Program what it
// runs; "" leaves that out. Processes say what each of its processes has, if it has
// several. Explain is the command that says more. Wide is as in
// [Column].
type Finding struct {
	Subject, Program, Now, Explain string
	Processes                      []string
	Verdict                        verdict.Verdict
	Wide                           bool
}

// Checklist is what was checked, with the result of each. Brief leaves out those
// that were met where there is little room, as in a terminal.
type Checklist struct {
	Checks []Check
	Brief  bool
}

// Charts are the charts of a snapshot, one for each panel.
type Charts struct{ Snapshot Snapshot }

// Sequence is a sequence diagram: two ends beside each other, and time downwards.
type Sequence struct {
	// Left and Right name the two ends.
	Left, Right string
	Steps       []Step
}

// Step is one line of a sequence diagram.
type Step struct {
	// Time is when it happens, without its unit, which is ms.
	Time string
	// Left and Right are the states of the two ends after it; "" of an end that is not
	// there.
	Left, Right string
	// Label is what happens, at the end (or between the two) that Position says.
	Label    string
	Position Position
	// Arrow says that it goes from the one end to the other, and Lost that it does not
	// arrive.
	Arrow, Lost bool
	// Text is a sentence about it.
	Text string
}

// Position is where a step happens, or begins.
type Position int

// The positions. Of an arrow it is one of the first two.
const (
	AtLeft Position = iota
	AtRight
	Between
)

func (Part) block()      {}
func (Heading) block()   {}
func (Text) block()      {}
func (Table) block()     {}
func (List) block()      {}
func (Code) block()      {}
func (Markdown) block()  {}
func (Finding) block()   {}
func (Checklist) block() {}
func (Charts) block()    {}
func (Sequence) block()  {}

// Check is one thing that was checked.
type Check struct {
	// Group is what it belongs to: a scenario, a process.
	Group string
	expect.Outcome
	// Details are lines that say more where it was not met.
	Details []string
	// Error says what kept it from being checked to its end; "" is nothing.
	Error string
	// Seconds is how long it took; 0 where that means nothing.
	Seconds float64
}

// MarshalJSON writes what was checked and what was found. What was skipped was
// neither met nor not.
func (c Check) MarshalJSON() ([]byte, error) {
	skipped := c.Skipped != ""
	d := Object{{"text", c.Text}}
	d.add("met", c.Met, skipped)
	d.add("got", c.Got, skipped)
	d.add("skipped", c.Skipped, !skipped)
	d.add("details", c.Details, len(c.Details) == 0)
	return d.MarshalJSON()
}

// Label says in a word what became of the check.
func (c Check) Label() string {
	switch {
	case c.Error != "":
		return "ERROR"
	case c.Skipped != "":
		return "skipped"
	case c.Met:
		return "ok"
	}
	return "NOT MET"
}

// Sentence says what was checked and what was found, without the label.
func (c Check) Sentence() string {
	switch {
	case c.Error != "":
		return c.Text + ": " + c.Error
	case c.Skipped != "":
		return c.Text + ": " + c.Skipped
	case c.Got == "":
		return c.Text
	}
	return c.Text + ", got " + c.Got
}

// Summary counts the checks in words; "" of none.
func (l Checklist) Summary() string {
	met, skipped := 0, 0
	for _, c := range l.Checks {
		switch c.Label() {
		case "ok":
			met++
		case "skipped":
			skipped++
		}
	}
	return summary(met, len(l.Checks)-skipped, skipped)
}
