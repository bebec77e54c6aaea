package cli

import (
	"cmp"
	"strings"

	"socketlab/internal/errorcatalog"
	"socketlab/internal/fixes"
	"socketlab/internal/render"
	"socketlab/internal/symptoms"
	"socketlab/internal/verdict"
)

// language is the name of a runtime's language, as formats that colour code know it.
func language(runtime string) string {
	switch runtime {
	case "node":
		return "javascript"
	case "dotnet":
		return "csharp"
	}
	return runtime
}

// addFixes adds the fixes of a kind for a runtime, with code. Where there is none it
// says so: the general fix follows anyway.
func (e *explanation) addFixes(kind verdict.Kind, runtime string) {
	rows := fixes.Rows(string(kind), runtime)
	if len(rows) == 0 {
		e.fixes = append(e.fixes, render.Text{Text: "There is no fix for " + runtime + " alone; in general:"})
		return
	}
	type fix struct {
		Runtime    string `json:"runtime"`
		Protocol   string `json:"protocol,omitempty"`
		Library    string `json:"library,omitempty"`
		Role       string `json:"role,omitempty"`
		Descriptor string `json:"descriptor,omitempty"`
		Fix        string `json:"fix"`
		Code       string `json:"code,omitempty"`
		Source     string `json:"source"`
	}
	var list []fix
	for i, r := range rows {
		var about []string
		for _, word := range []string{r.Runtime, r.Protocol, r.Library, r.Role, r.Of} {
			if word != "" {
				about = append(about, word)
			}
		}
		e.fixes = append(e.fixes, render.Heading{Level: 3, Text: "Fix for " + strings.Join(about, ", ")}, render.Text{Text: r.Fix})
		if r.Code != "" && (i == 0 || rows[i-1].Code != r.Code) {
			e.fixes = append(e.fixes, render.Code{Language: language(r.Runtime), Text: r.Code})
		}
		e.fixes = append(e.fixes, render.Text{Text: "Source: " + r.Source, Note: true})
		e.Records = append(e.Records, []string{string(kind), "fix for " + strings.Join(about, ", "), r.Fix})
		list = append(list, fix{r.Runtime, r.Protocol, r.Library, r.Role, r.Of, r.Fix, r.Code, r.Source})
	}
	e.data = append(e.data, render.Member{Name: "fixes", Value: list})
	e.fixes = append(e.fixes, render.Heading{Level: 3, Text: "What it is"})
}

// verdictsBehind are kinds with their titles; those that have no rule are left out.
func verdictsBehind(kinds []string) (lines []string) {
	for _, kind := range kinds {
		if rule, ok := verdict.Lookup(verdict.Kind(kind)); ok {
			lines = append(lines, kind+": "+rule.Title)
		}
	}
	return lines
}

// explainText says of some words, such as a line of a log, what they mean and which
// verdicts may be behind them, with the fix for a runtime unless that is "". It
// returns nil if it knows none of the words.
func explainText(text, runtime string) *render.Document {
	type found struct {
		Text     string         `json:"text"`
		Means    string         `json:"means"`
		Verdicts []verdict.Kind `json:"verdicts"`
	}
	matches, errors := symptoms.Find(text), errorcatalog.In(text)
	if len(matches) == 0 {
		if len(errors) > 0 && runtime == "" {
			return explainError(&errors[0])
		}
		return nil
	}
	d := &render.Document{Title: matches[0].Phrase, Records: [][]string{{"name", "part", "text"}}}
	d.Blocks = []render.Block{render.Part{Title: d.Title}}
	list := []found{}
	for _, m := range matches {
		f := found{Text: m.Phrase, Means: m.Means, Verdicts: []verdict.Kind{}}
		items := []render.Item{{Name: m.Phrase, Text: m.Means}}
		say := func(name, text string) {
			items = append(items, render.Item{Name: name, Text: text})
			d.Records = append(d.Records, []string{m.Phrase, name, text})
		}
		for _, kind := range kindsOf(m.Entry) {
			rule, ok := verdict.Lookup(verdict.Kind(kind))
			if !ok {
				continue
			}
			f.Verdicts = append(f.Verdicts, rule.Kind)
			say(kind, rule.Title)
			if rows := fixes.Rows(kind, runtime); runtime != "" && len(rows) > 0 {
				say("", "Fix for "+runtime+": "+rows[0].Fix)
			}
		}
		for _, r := range fixes.Speaking(m.Protocol) {
			if m.Protocol != "" && (runtime == "" || r.Runtime == "" || r.Runtime == runtime) {
				say("fix for "+cmp.Or(r.Runtime, "any program"), r.Fix)
			}
		}
		d.Blocks = append(d.Blocks, render.List{Items: items})
		list = append(list, f)
	}
	named := []string{}
	var items []render.Item
	for _, e := range errors {
		items = append(items, render.Item{Name: "sockwatch explain " + e.Name, Text: e.Title})
		named = append(named, e.Name)
	}
	if len(items) > 0 {
		d.Blocks = append(d.Blocks, render.Text{}, render.List{Items: items})
	}
	d.Blocks = append(d.Blocks, render.Text{Text: "sockwatch diagnose --pid N says which it is; sockwatch explain KIND says more of each.", Note: true})
	d.Data = render.Object{{Name: "schema", Value: explanationSchema}, {Name: "name", Value: text}, {Name: "matches", Value: list}, {Name: "errors", Value: named}}
	return d
}

// kindsOf are the kinds of an entry; of a severity, those that have it.
func kindsOf(e symptoms.Entry) []string {
	if len(e.Kinds) > 0 {
		return e.Kinds
	}
	var kinds []string
	for _, r := range verdict.Rules() {
		if strings.EqualFold(string(r.Severity), e.Phrases[0]) {
			kinds = append(kinds, string(r.Kind))
		}
	}
	return kinds
}
