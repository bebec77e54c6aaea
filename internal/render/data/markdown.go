package data

import (
	"fmt"
	"io"
	"strings"

	"socketlab/internal/render"
	"socketlab/internal/verdict"
)

var _ = render.Register(render.Format{
	Name: "markdown", Rank: 4, Extensions: []string{".md"}, Needs: render.HasBlocks,
	Render: func(w io.Writer, d *render.Document, _ render.Options) error {
		var out strings.Builder
		for _, b := range d.Blocks {
			if text := markdown(b); text != "" {
				if out.Len() > 0 {
					out.WriteString("\n")
				}
				out.WriteString(strings.TrimRight(text, "\n") + "\n")
			}
		}
		_, err := io.WriteString(w, out.String())
		return err
	},
})

// markdown is a block in Markdown; "" of one that is left out.
func markdown(b render.Block) string {
	switch b := b.(type) {
	case render.Part:
		return "### " + escaped(b.Title)
	case render.Heading:
		switch {
		case b.Wide:
		case b.Level == 2:
			return "**" + escaped(b.Text) + "**"
		default:
			return "#### " + escaped(b.Text)
		}
	case render.Text:
		if !b.Wide {
			return escaped(b.Text)
		}
	case render.Table:
		return markdownTable(&b)
	case render.List:
		var out strings.Builder
		for _, i := range b.Items {
			if !b.Wide {
				fmt.Fprintf(&out, "- %s%s\n", bold(i.Name), escaped(i.Text))
			}
		}
		return out.String()
	case render.Code:
		if !b.Wide {
			fence := "```"
			for strings.Contains(b.Text, fence) {
				fence += "`"
			}
			return fence + b.Language + "\n" + strings.TrimSuffix(b.Text, "\n") + "\n" + fence
		}
	case render.Markdown:
		return b.Text
	case render.Finding:
		if b.Wide {
			return ""
		}
		text := render.Claim(b.Verdict) + ". " + strings.Join(verdict.Sentences(b.Verdict), " ")
		if b.Program != "" {
			text = "program " + b.Program + ". " + text
		}
		if b.Now != "" {
			text = "now " + strings.Join(append([]string{b.Now}, b.Processes...), "; of it ") + ". " + text
		}
		if b.Verdict.Fix != "" {
			text += " Fix: " + b.Verdict.Fix
		}
		return bold(b.Subject) + escaped(text)
	case render.Checklist:
		var out strings.Builder
		for _, c := range b.Checks {
			mark, label := " ", c.Label()+": "
			if c.Label() == "ok" {
				mark, label = "x", ""
			}
			fmt.Fprintf(&out, "- [%s] %s\n", mark, escaped(label+c.Sentence()))
			for _, d := range c.Details {
				fmt.Fprintf(&out, "  - %s\n", escaped(d))
			}
		}
		return out.String() + "\n" + escaped(b.Summary())
	case render.Sequence:
		var out strings.Builder
		for i := range b.Steps {
			out.WriteString(b.Line(i) + "\n")
		}
		diagram := markdown(render.Code{Text: b.Head() + "\n" + out.String()})
		out.Reset()
		for i, step := range b.Steps {
			fmt.Fprintf(&out, "%d. %s\n", i+1, escaped(step.Text))
		}
		return diagram + "\n\n" + out.String()
	}
	return ""
}

func bold(name string) string {
	if name == "" {
		return ""
	}
	return "**" + escaped(name) + "**: "
}

func markdownTable(t *render.Table) string {
	var out strings.Builder
	line := func(cell func(i int) string) {
		out.WriteString("|")
		for i := range t.Columns {
			if !t.Columns[i].Wide {
				out.WriteString(" " + cell(i) + " |")
			}
		}
		out.WriteString("\n")
	}
	rows := 0
	line(func(i int) string { return escaped(t.Columns[i].Title) })
	line(func(i int) string {
		if t.Columns[i].Number {
			return "---:"
		}
		return "---"
	})
	for _, g := range t.Groups {
		if g.Title != "" {
			line(func(i int) string {
				if i > 0 {
					return ""
				}
				return "**" + escaped(g.Title) + "**"
			})
		}
		for _, r := range g.Rows {
			if !g.Wide && !r.Wide {
				rows++
				line(func(i int) string { return escaped(r.Cells[i].String()) })
			}
		}
	}
	if rows == 0 {
		return ""
	}
	return out.String()
}

var escapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "\r", "", "\n", "<br>", "_", `\_`, "*", `\*`, "`", "\\`", "[", `\[`, "]", `\]`, "&", "&amp;", "<", "&lt;", ">", "&gt;",
)

// escaped is text that ends no cell and begins no markup.
func escaped(s string) string { return escapes.Replace(s) }
