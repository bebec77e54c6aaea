package render

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"socketlab/internal/where"
	"socketlab/internal/words"
)

// holders are the lines of each subject's program that hold its connections, where that
// was asked.
func (o *Observed) holders() []Block {
	var blocks []Block
	for _, s := range o.subjects() {
		if s.Holders != nil {
			blocks = append(blocks, holderBlocks(s.Name, s.Holders)...)
		}
	}
	return blocks
}

// Holders is the answer about a program of which nothing else is known.
func Holders(name string, r *where.Report) *Document {
	title := "Lines of " + name + " that hold connections"
	return &Document{
		Title: title,
		Data: struct {
			Schema  string        `json:"schema"`
			Name    string        `json:"name"`
			Holders *where.Report `json:"holders"`
		}{"sockwatch.holders/v1", name, r},
		Blocks: append([]Block{Part{title}}, holderBlocks(name, r)[1:]...), // without a heading of their own
	}
}

func holderBlocks(name string, r *where.Report) []Block {
	blocks := []Block{Heading{Level: 3, Text: "Lines of " + name + " that hold connections"}}
	if len(r.Groups) > 0 {
		blocks = append(blocks, holderList(r))
	}
	blocks = append(blocks, Text{Text: holderSummary(r), Note: true})
	for _, g := range r.Groups {
		if len(g.Stack) > 0 {
			blocks = append(blocks, Text{Text: fmt.Sprintf("%d at %s, %s:", g.Count(), g.Site.Short(), g.State.Words())}, Code{Text: stackText(g.Stack)})
		}
	}
	return blocks
}

// holderList has an item for each group: how many, and where.
func holderList(r *where.Report) List {
	var l List
	for i := range r.Groups {
		g := &r.Groups[i]
		of := strconv.Itoa(g.Connections)
		if g.Connections == 0 {
			of = words.Plural(g.Requests, "request")
		} else if g.Requests > 0 {
			of = fmt.Sprintf("%d with %s", g.Connections, words.Plural(g.Requests, "request"))
		}
		site := g.Site
		site.File = shortFile(site.File)
		text := site.In(site.ShortFunction(), site.File) + ": " + g.State.Words()
		switch {
		case g.Pools > 0:
			text += fmt.Sprintf("; %s of %s", words.Plural(g.Pools, "pool"), g.Pool)
		case g.Pool != "":
			text += "; of " + g.Pool
		}
		if g.Uses > 0 {
			text += "; used " + words.Plural(g.Uses, "time")
		}
		if g.OldestMS > 0 {
			text += fmt.Sprintf(", %s ago at the longest", words.Duration(time.Duration(g.OldestMS)*time.Millisecond))
		}
		for i, c := range g.Callers {
			separator := ", "
			if i == 0 {
				separator = "; called from "
			}
			c.File = shortFile(c.File)
			text += separator + c.In(c.ShortFunction(), c.File)
			if c.Count < g.Count() {
				text += fmt.Sprintf(" (%d)", c.Count)
			}
		}
		l.Items = append(l.Items, Item{of, text})
	}
	return l
}

// shortFile keeps the last two parts of a file's path.
func shortFile(file string) string {
	slashes := 0
	for i := len(file) - 1; i > 0; i-- {
		if file[i] == '/' {
			if slashes++; slashes == 2 {
				return file[i+1:]
			}
		}
	}
	return file
}

// holderSummary says how it was learnt and what is not known.
func holderSummary(r *where.Report) string {
	known := 0
	for i := range r.Groups {
		known += r.Groups[i].Connections
	}
	text := fmt.Sprintf("Learnt by %s", r.Source)
	if r.LookedMS > 0 {
		text += " in " + words.Duration(time.Duration(r.LookedMS)*time.Millisecond)
	}
	text += fmt.Sprintf(": a line is known for %d of %s.", known, words.Plural(r.Connections, "connection"))
	for _, u := range r.Unknown {
		text += fmt.Sprintf(" No line is known for %s: %s.", words.Plural(u.Connections, "connection"), u.Reason)
		if u.State != "" {
			text = fmt.Sprintf("%s (%s).", strings.TrimSuffix(text, "."), u.State.Words())
		}
	}
	for _, n := range r.Notes {
		text += " " + n
	}
	return text
}

// holderLines are the groups as lines of text, and what is not known.
func holderLines(r *where.Report) []string {
	if r == nil {
		return nil
	}
	var lines []string
	for i := range r.Groups {
		g := &r.Groups[i]
		count := words.Plural(g.Connections, "connection")
		if g.Connections == 0 {
			count = words.Plural(g.Requests, "request")
		}
		lines = append(lines, fmt.Sprintf("%s at %s: %s", count, g.Site.Long(), g.State.Words()))
	}
	return append(lines, holderSummary(r))
}

func stackText(stack []where.Site) string {
	text := ""
	for _, s := range stack {
		text += cmp.Or(s.Function, "?") + "\n"
		if s.Line > 0 {
			text += fmt.Sprintf("    %s:%d\n", s.File, s.Line)
		}
	}
	return text
}
