package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"socketlab/internal/profile"
	"socketlab/internal/words"
)

// The forms of these answers in JSON. Names are only ever added.
const (
	profileSchema   = "sockwatch.profile/v1"
	questionsSchema = "sockwatch.profile-questions/v1"
)

// Profile is a measured profile as a command's answer: its values in the order of the
// questions, and why others were not measured.
func Profile(p *profile.Profile) *Document {
	title := cmp.Or(p.Name, p.Command, p.ID)
	if p.Version != "" {
		title += " " + p.Version
	}
	title = fmt.Sprintf("%s, a %s", words.Printable(title), p.Kind)
	d := &Document{Title: title, Records: [][]string{{"question", "value", "not_measured", "seen"}}}
	t := Table{Name: "the profile", Columns: []Column{{Title: "question"}, {Title: "value"}, {Title: "name in files", Wide: true}}}
	values := []Object{}
	var missed []Item
	end := ""
	for _, q := range profile.Questions(p.Kind) {
		v, measured := p.Value(q.ID)
		why := p.NotMeasured[q.ID]
		if !measured && why == "" {
			continue
		}
		if q.Asks != "" || len(t.Groups) == 0 {
			t.Groups = append(t.Groups, Group{})
		}
		if of := q.End(); p.Kind == profile.Proxy && of != end {
			end, t.Groups[len(t.Groups)-1].Title = of, of
		}
		o := Object{{"question", q.ID}, {"title", q.Title}, {"how", q.How}}
		seen := p.Seen[q.ID]
		if measured {
			o.add("value", v.String())
			if v.Unit == profile.Duration && v.Bound == profile.Exact {
				o.add("value_ms", v.Time.Milliseconds())
			}
			g := &t.Groups[len(t.Groups)-1]
			g.Rows = append(g.Rows, Row{Cells: []Cell{cell(q.Title), cell(v.String()), cell(q.ID)}})
		} else {
			if i := slices.IndexFunc(missed, func(m Item) bool { return m.Name == words.Printable(why) }); i >= 0 {
				missed[i].Text += ", " + q.ID
			} else {
				missed = append(missed, Item{words.Printable(why), q.ID})
			}
		}
		o.add("not_measured", why, measured)
		o.add("seen", seen, len(seen) == 0)
		values = append(values, o)
		d.Records = append(d.Records, []string{q.ID, v.String(), why, strings.Join(seen, "; ")})
	}
	d.Data = Object{
		{"schema", profileSchema},
		{"id", p.ID},
		{"kind", p.Kind},
		{"name", p.Name},
		{"ecosystem", p.Ecosystem},
		{"program", p.Program},
		{"version", p.Version},
		{"measured", p.Measured},
		{"system", p.System},
		{"command", p.Command},
		{"values", values},
	}
	d.Blocks = []Block{Part{title}, t}
	if len(missed) > 0 {
		d.Blocks = append(d.Blocks, Heading{Level: 3, Text: "not measured"})
		for _, m := range missed {
			d.Blocks = append(d.Blocks, Text{Text: m.Text + ": " + m.Name})
		}
	}
	return d
}

// ProfileQuestions lists what is measured of programs, and how.
func ProfileQuestions() *Document {
	d := &Document{Title: "What is measured of a program", Records: [][]string{{"question", "kinds", "unit", "title", "how"}}}
	d.Blocks = []Block{Part{d.Title}}
	var list []Object
	for _, q := range profile.All() {
		var kinds []string
		for _, k := range q.Kinds {
			kinds = append(kinds, string(k))
		}
		of := strings.Join(kinds, ", ")
		d.Records = append(d.Records, []string{q.ID, of, string(q.Unit), q.Title, q.How})
		o := Object{{"question", q.ID}, {"kinds", kinds}, {"unit", q.Unit}, {"title", q.Title}, {"how", q.How}}
		items := []Item{{"of", of}, {"asks", q.Title}, {"measured", q.How}, {"value", string(q.Unit)}}
		if len(q.Choices) > 0 {
			items = items[:3]
			choices := []Object{}
			for _, m := range q.Choices {
				items = append(items, Item{m.Word, m.Means})
				choices = append(choices, Object{{"word", m.Word}, {"means", m.Means}})
			}
			o.add("choices", choices)
		}
		list = append(list, o)
		d.Blocks = append(d.Blocks, Heading{Level: 3, Text: q.ID}, List{Items: items})
	}
	d.Data = Object{{"schema", questionsSchema}, {"questions", list}}
	return d
}
