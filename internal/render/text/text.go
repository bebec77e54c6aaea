// Package text writes answers as plain text for a terminal: tables in boxes, and
// paragraphs that fit its width. It uses colours where it is asked to, and lets nothing
// through from outside that would change the terminal.
package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"socketlab/internal/render"
	"socketlab/internal/verdict"
	"socketlab/internal/words"
)

var _ = render.Register(render.Format{
	Name: "table", Rank: 1, Extensions: []string{".txt"}, Needs: render.HasBlocks, Render: write,
})

func write(w io.Writer, d *render.Document, o render.Options) error {
	out := &writer{width: o.Width, colours: o.Colours, raw: o.Width <= 0}
	if out.width <= 0 {
		out.width = 80
	}
	for _, b := range d.Blocks {
		out.block(b)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// writer is text in the making.
type writer struct {
	strings.Builder
	width   int
	colours bool
	// raw says that it goes to no terminal, where Markdown stays as it is.
	raw bool
}

// The styles, as the terminal's own codes for colours. None of them says what the text
// does not.
const (
	bold  = "1"
	red   = "31"
	green = "32"
	cyan  = "36"
)

// paint writes what is safe of a text in a style; "" is none.
func (w *writer) paint(style, s string) string {
	s = words.Printable(s)
	if !w.colours || style == "" || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[m"
}

func (w *writer) styled(style, s string) { w.WriteString(w.paint(style, s) + "\n") }

func (w *writer) line(s string) { w.styled("", s) }

// gap leaves an empty line, but not at the beginning.
func (w *writer) gap() {
	if w.Len() > 0 {
		w.line("")
	}
}

func (w *writer) block(b render.Block) {
	switch b := b.(type) {
	case render.Part:
		w.gap()
		w.wrapStyled(bold, "", b.Title)
	case render.Heading:
		if b.Wide {
			return
		}
		if b.Level > 2 {
			w.gap()
			w.styled(bold, "--- "+b.Text+" ---")
			return
		}
		w.wrapStyled(bold, "", b.Text)
	case render.Text:
		if b.Wide {
			return
		}
		texts := []string{b.Text}
		if b.Lines {
			texts = strings.Split(b.Text, "\n")
		}
		for _, text := range texts {
			w.wrap("", text)
		}
	case render.Table:
		w.table(&b)
	case render.List:
		if !b.Wide {
			w.list("", b.Items, b.Apart, nil)
		}
	case render.Code:
		if !b.Wide {
			w.gap()
			w.code(b.Language, b.Text)
			w.gap()
		}
	case render.Markdown:
		w.gap()
		w.markdown(b.Text)
	case render.Finding:
		if !b.Wide {
			w.finding(&b)
		}
	case render.Checklist:
		w.checklist(&b)
	case render.Sequence:
		w.sequence(&b)
	}
}

// sequence draws a sequence diagram, with the sentences beside it where there is
// room, and else below each step.
func (w *writer) sequence(s *render.Sequence) {
	w.gap()
	w.line(s.Head())
	for i, step := range s.Steps {
		line := s.Line(i)
		if w.width >= render.SequenceWidth+50 {
			w.wrap(pad(line, render.SequenceWidth+2), step.Text)
			continue
		}
		w.line(line)
		w.wrap(strings.Repeat(" ", 12), step.Text)
	}
}

// wrap writes text in lines of the width. The first begins with lead, the others
// with as much space.
func (w *writer) wrap(lead, text string) {
	w.wrapBeside("", lead, strings.Repeat(" ", cellsOf(lead)), "", text)
}

// wrapStyled is wrap, of a text in a style.
func (w *writer) wrapStyled(style, lead, text string) {
	w.wrapBeside("", lead, strings.Repeat(" ", cellsOf(lead)), style, text)
}

// wrapBeside writes text in lines of the width: the first begins with lead, and the
// others with indent.
func (w *writer) wrapBeside(leadStyle, lead, indent, style, text string) {
	line, at, first := "", cellsOf(lead), true
	flush := func() {
		line = strings.TrimRight(line, " ")
		if line == "" {
			lead = strings.TrimRight(lead, " ")
		}
		w.WriteString(w.paint(leadStyle, lead) + w.paint(style, line) + "\n")
		leadStyle, lead, line, at, first = "", indent, "", cellsOf(indent), true
	}
	for _, word := range strings.Fields(text) {
		n := cellsOf(word)
		if at+n > w.width && !first {
			flush()
		}
		line, at, first = line+word+" ", at+n+1, false
	}
	flush()
}

// list writes names with what is said of each beside them, or below them where there is
// no room.
func (w *writer) list(margin string, items []render.Item, apart bool, styles map[string]string) {
	widest := 0
	for _, i := range items {
		widest = max(widest, cellsOf(i.Name))
	}
	for _, i := range items {
		if apart && i.Name != "" {
			w.gap()
		}
		lead := margin + pad(i.Name, widest) + "  "
		w.describe(bold, lead, styles[i.Name], i.Text)
	}
}

// leastRoom is how many columns a text needs to stand beside a name.
const leastRoom = 24

// describe writes text beside lead or, where there is no room, below it.
func (w *writer) describe(leadStyle, lead, style, text string) {
	if at := cellsOf(lead); at+min(cellsOf(text), leastRoom) > w.width {
		w.styled(leadStyle, strings.TrimRight(lead, " "))
		leadStyle, lead = "", "      "
	}
	w.wrapBeside(leadStyle, lead, strings.Repeat(" ", cellsOf(lead)), style, text)
}

// cellsOf is how many cells of a terminal s takes.
func cellsOf(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return ansi.StringWidth(s)
		}
	}
	return len(s) // the usual case, at a fraction of the cost
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-cellsOf(s)))
}

func (w *writer) finding(f *render.Finding) {
	v := f.Verdict
	var items []render.Item
	for _, item := range []render.Item{{Name: "program", Text: f.Program}, {Name: "now", Text: f.Now}} {
		if item.Text != "" {
			items = append(items, item)
		}
	}
	for i, process := range f.Processes {
		name := ""
		if i == 0 {
			name = "of it"
		}
		items = append(items, render.Item{Name: name, Text: process})
	}
	items = append(items, render.Item{Name: "verdict", Text: render.Claim(v)})
	items = append(items, render.Item{Name: "because", Text: strings.Join(verdict.Evidence(v), " ")})
	for _, a := range v.Alternatives {
		items = append(items, render.Item{Text: a.Sentence()})
	}
	if v.Forecast != nil {
		items = append(items, render.Item{Name: "ahead", Text: v.Forecast.Sentence()})
	}
	if v.Fix != "" {
		items = append(items, render.Item{Name: "fix", Text: v.Fix}, render.Item{Name: "more", Text: f.Explain})
	}
	w.gap()
	w.styled(bold, f.Subject)
	found := green
	if v.Severity != "" {
		found = red
	}
	w.list("  ", items, false, map[string]string{"verdict": found})
}

func (w *writer) checklist(l *render.Checklist) {
	w.gap()
	for _, c := range l.Checks {
		if l.Brief && c.Label() == "ok" {
			continue
		}
		style := red
		switch c.Label() {
		case "ok":
			style = green
		case "skipped":
			style = ""
		}
		lead := fmt.Sprintf("%-9s ", c.Label())
		w.wrapBeside(style, lead, strings.Repeat(" ", len(lead)), "", c.Sentence())
		for _, d := range c.Details {
			w.wrap(strings.Repeat(" ", 10), d)
		}
	}
	w.line(l.Summary())
}

// table writes what of a table is not only for where there is room.
func (w *writer) table(t *render.Table) {
	var columns []int
	var header []string
	for i, c := range t.Columns {
		if !c.Wide {
			columns, header = append(columns, i), append(header, c.Title)
		}
	}
	numbers := make([]bool, len(columns)) // columns that have nothing else
	for i, c := range columns {
		numbers[i] = t.Columns[c].Number
	}
	var groups []group
	for _, g := range t.Groups {
		shown := group{title: g.Title}
		for _, r := range g.Rows {
			if g.Wide || r.Wide {
				continue
			}
			var cells []string
			for i, c := range columns {
				cells = append(cells, strings.Join(strings.Fields(r.Cells[c].String()), " "))
				numbers[i] = numbers[i] && r.Cells[c][0].Value != ""
			}
			shown.rows = append(shown.rows, cells)
		}
		if len(shown.rows) > 0 {
			groups = append(groups, shown)
		}
	}
	switch {
	case len(groups) == 0:
	case t.Plain:
		w.plain(header, groups)
	default:
		w.box(header, groups, numbers)
	}
}

// group is the rows of a group that are shown.
type group struct {
	title string
	rows  [][]string
}

// box draws a table. Where it is wider than the terminal, the widest columns give
// way, and what does not fit goes on in the next line.
func (w *writer) box(header []string, groups []group, numbers []bool) {
	all := [][]string{header}
	for i, g := range groups {
		if i > 0 {
			all = append(all, make([]string, len(header)))
		}
		all = append(all, g.rows...)
	}
	widths := widthsOf(all)
	w.shrink(widths, longestWord(all))
	lines := make([][][]string, len(all)) // by row and column
	rows := &boxRows{renderer.NewBlueprint(), tw.NewMapper[int, int](), make([]tw.Align, len(widths))}
	for y, r := range all {
		for i, cell := range r {
			wrapped := strings.Split(ansi.Wrap(cell, widths[i], ""), "\n")
			lines[y] = append(lines[y], wrapped)
			for _, line := range wrapped {
				rows.widths.Set(i, max(rows.widths.Get(i), cellsOf(line)+2)) // a blank at each side
			}
		}
	}
	if err := rows.Start(&w.Builder); err != nil {
		panic(err) // a string takes everything
	}
	rows.rule(tw.LevelHeader, tw.LocationFirst)
	for _, cell := range lines[0] {
		for y := range cell {
			cell[y] = w.paint(bold, cell[y])
		}
	}
	rows.row(lines[0])
	rows.rule(tw.LevelBody, tw.LocationMiddle)
	for i, number := range numbers {
		if number {
			rows.align[i] = tw.AlignRight
		}
	}
	for y, cells := range lines[1:] {
		style := stateStyle(all[y+1][0])
		for i, name := range cells[0] {
			cells[0][i] = w.paint(style, name)
		}
		rows.row(cells)
	}
	rows.rule(tw.LevelBody, tw.LocationEnd)
}

// stateStyle is the colour of the state that ends a name, such as that of a row.
func stateStyle(name string) string {
	look := render.LookOf(name[strings.LastIndexByte(name, ' ')+1:])
	if look.Terminal == 0 {
		return ""
	}
	return fmt.Sprintf("38;5;%d", look.Terminal)
}

// boxRows draws the rows of a box. It is the part of tablewriter that draws: all of its
// Table would make sockwatch 0.3 MB larger.
type boxRows struct {
	*renderer.Blueprint
	widths tw.Mapper[int, int]
	align  []tw.Align // "" is left
}

func (b *boxRows) rule(level tw.Level, at tw.Location) {
	b.Line(tw.Formatting{Level: level, Row: tw.RowContext{Location: at, Widths: b.widths}})
}

// row draws the lines of each cell, on as many lines as the longest has.
func (b *boxRows) row(cells [][]string) {
	height := 0
	for _, lines := range cells {
		height = max(height, len(lines))
	}
	for y := range height {
		line := make(map[int]tw.CellContext, len(cells))
		for i, lines := range cells {
			cell := tw.CellContext{Align: b.align[i], Padding: tw.Padding{Left: tw.Space, Right: tw.Space}}
			if y < len(lines) {
				cell.Data = lines[y]
			}
			line[i] = cell
		}
		b.Row(nil, tw.Formatting{Row: tw.RowContext{Current: line, Widths: b.widths}})
	}
}

// shrink makes columns smaller, the widest first, until the table fits. The first
// column, which has the names of states and figures, keeps its longest word whole.
func (w *writer) shrink(widths []int, longestName int) {
	least := func(i int) int {
		if i == 0 {
			return longestName
		}
		return 8
	}
	for {
		total, widest := 1, -1
		for i, width := range widths {
			total += width + 3
			if width > least(i) && (widest < 0 || width > widths[widest]) {
				widest = i
			}
		}
		if total <= w.width || widest < 0 {
			return
		}
		widths[widest]--
	}
}

// longestWord is the width of the longest word in the first column of rows.
func longestWord(rows [][]string) int {
	longest := 0
	for _, r := range rows {
		for _, word := range strings.Fields(r[0]) {
			longest = max(longest, cellsOf(word))
		}
	}
	return longest
}

// widthsOf are the widths of the columns of rows.
func widthsOf(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i := range r {
			r[i] = words.Printable(r[i])
			widths[i] = max(widths[i], cellsOf(r[i]))
		}
	}
	return widths
}

// plain writes columns beside each other; the last one goes on under itself.
func (w *writer) plain(header []string, groups []group) {
	var all [][]string
	if groups[0].title == "" { // the titles of groups say more than a header
		groups = append([]group{{rows: [][]string{header}}}, groups...)
	}
	for _, g := range groups {
		all = append(all, g.rows...)
	}
	widths, last := widthsOf(all), len(header)-1
	for i, g := range groups {
		margin := ""
		if g.title != "" {
			if i > 0 {
				w.gap()
			}
			w.wrapStyled(bold, "", g.title)
			margin = "  "
		}
		for _, r := range g.rows {
			lead := margin
			for j, cell := range r[:last] {
				lead += pad(cell, widths[j]) + "  "
			}
			style := ""
			if g.title == "" && i == 0 && len(groups) > 1 {
				style = bold // the header
			}
			w.describe(style, lead, style, r[last])
		}
	}
}
