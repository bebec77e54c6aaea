package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/errorcatalog"
	"socketlab/internal/fixes"
	"socketlab/internal/render"
	"socketlab/internal/symptoms"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

var _ = register(explainCommand)

func explainCommand(streams program.Streams) *cobra.Command {
	var (
		output  outputFlag
		runtime string
	)
	c := &cobra.Command{
		Use:   "explain [KIND | ERROR | TEXT]",
		Short: "Say what a verdict, an error or a line of a log means, and how to fix it",
		Long: `Says what a verdict means and how it is recognised; or of an error the form in
which Go gives it, the code that detects it, the sockets at both ends, and which
handling makes it worse and which does not. An error is named as failed requests
are counted (ECONNRESET), or by its text (connection refused). Of any other text
(a line of a log, a state, a protocol) it says which verdicts may be behind it.
Without a name it lists the verdicts and the errors.

With --for it prints the fix in the words of a language or a server, with code.`,
		Example: `  sockwatch explain
  sockwatch explain idle-connections-not-reused
  sockwatch explain connection-churn --for python
  sockwatch explain ECONNRESET
  sockwatch explain connection refused
  sockwatch explain 'Error: socket hang up'
  sockwatch explain CLOSE_WAIT
  sockwatch explain nxdomain`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if runtime != "" {
				name, ok := fixes.Known(runtime)
				if !ok {
					return program.Usagef(c, "--for %q is no runtime that there are fixes for%s; there are %s",
						runtime, program.Closest(runtime, fixes.Runtimes("")), strings.Join(fixes.Runtimes(""), ", "))
				}
				runtime = name
			}
			if len(args) == 0 {
				if runtime != "" {
					return program.Usagef(c, "--for goes with the KIND of a verdict, or with a text")
				}
				return output.write(streams.Out, explainAll())
			}
			name := strings.Join(args, " ") // an error's text is several words
			if rule, ok := verdict.Lookup(verdict.Kind(name)); ok {
				d, err := explainKind(&rule, runtime)
				if err != nil {
					return err
				}
				return output.write(streams.Out, d)
			}
			if entry, ok := errorcatalog.Find(name); ok && runtime == "" {
				return output.write(streams.Out, explainError(&entry))
			}
			if d := explainText(name, runtime); d != nil {
				return output.write(streams.Out, d)
			}
			return program.Usagef(c, "no verdict and no error %q%s; sockwatch explain lists them all", name, closestExplained(name))
		},
	}
	output.add(c.Flags(), "table", tableAnswer)
	output.addPager(c.Flags())
	c.Flags().StringVar(&runtime, "for", "", "a language or a server to print the fix for: go, python, node, java, nginx …")
	return c
}

// closestExplained is the closest among verdicts, errors and the texts of errors. Most names of
// errors are in capitals, and typed without.
func closestExplained(name string) string {
	var names []string
	for _, k := range verdict.Kinds() {
		names = append(names, string(k))
	}
	for _, e := range errorcatalog.All() {
		names = append(names, e.Name)
		names = append(names, e.Aliases...)
	}
	return program.Closest(name, names, strings.ToUpper(name))
}

// explanationSchema names the form of an explanation in JSON.
const explanationSchema = "sockwatch.explanation/v1"

// explainAll lists the verdicts and the errors.
func explainAll() *render.Document {
	type line struct {
		Name  string `json:"name"`
		Title string `json:"title"`
	}
	d := &render.Document{Title: "verdicts and errors", Records: [][]string{{"of", "name", "title"}}}
	list := func(of string, lines []line) {
		t := render.Table{Name: "the " + of + "s", Plain: true, Columns: []render.Column{{Title: strings.ToUpper(of)}, {Title: "MEANS"}}, Groups: []render.Group{{}}}
		for _, l := range lines {
			t.Groups[0].Rows = append(t.Groups[0].Rows, render.Words(l.Name, l.Title))
			d.Records = append(d.Records, []string{of, l.Name, l.Title})
		}
		if len(d.Blocks) > 0 {
			d.Blocks = append(d.Blocks, render.Text{})
		}
		d.Blocks = append(d.Blocks, t)
	}
	var kinds, errors []line
	for _, rule := range verdict.Rules() {
		kinds = append(kinds, line{string(rule.Kind), rule.Title})
	}
	for _, e := range errorcatalog.All() {
		errors = append(errors, line{e.Name, e.Title})
	}
	list("verdict", kinds)
	list("error", errors)
	d.Data = render.Object{{Name: "schema", Value: explanationSchema}, {Name: "verdicts", Value: kinds}, {Name: "errors", Value: errors}}
	return d
}

// explanation is an answer in the making: of each part a paragraph or more, and the
// same in JSON.
type explanation struct {
	*render.Document
	parts []render.Item
	data  render.Object
	// fixes come before the parts.
	fixes []render.Block
}

func newExplanation(name, title string) *explanation {
	e := &explanation{Document: &render.Document{Title: name + ": " + title, Records: [][]string{{"name", "part", "text"}}}}
	e.data = render.Object{{Name: "schema", Value: explanationSchema}, {Name: "name", Value: name}, {Name: "title", Value: title}}
	return e
}

// add adds a part; without a text it is left out.
func (e *explanation) add(part string, paragraphs ...string) {
	paragraphs = slices.DeleteFunc(slices.Clone(paragraphs), func(s string) bool { return s == "" })
	name := part
	for _, text := range paragraphs {
		e.parts = append(e.parts, render.Item{Name: name, Text: text})
		e.Records = append(e.Records, []string{e.data[1].Value.(string), part, text})
		name = ""
	}
	if len(paragraphs) > 0 {
		e.data = append(e.data, render.Member{Name: strings.ReplaceAll(part, " ", "_"), Value: paragraphs})
	}
}

// taughtIn adds the scenarios, and returns the whole.
func (e *explanation) taughtIn(ids []string) *render.Document {
	var shows []string
	for _, id := range ids {
		shows = append(shows, "sockwatch show "+id)
	}
	e.add("taught in", shows...)
	e.Blocks = append([]render.Block{render.Part{Title: e.Title}}, e.fixes...)
	e.Blocks = append(e.Blocks, render.List{Items: e.parts, Apart: true})
	e.Data = e.data
	return e.Document
}

// explainKind explains a kind, with the fix for a runtime first unless that is "".
func explainKind(rule *verdict.Rule, runtime string) (*render.Document, error) {
	e := newExplanation(string(rule.Kind), rule.Title)
	if runtime != "" {
		e.addFixes(rule.Kind, runtime)
	}
	e.add("severity", string(rule.Severity))
	e.add("means", rule.Means)
	e.add("recognised", rule.Recognised)
	e.add("limits", rule.Limits)
	var needs []string
	for _, n := range rule.Needs {
		needs = append(needs, n.Name)
	}
	e.add("needs", strings.Join(needs, ", "))
	e.add("fix", rule.Fix)
	if others := fixes.Runtimes(string(rule.Kind)); runtime == "" && len(others) > 0 {
		e.add("with code", fmt.Sprintf("sockwatch explain %s --for RUNTIME, which is one of %s", rule.Kind, strings.Join(others, ", ")))
	}
	taught, err := taughtIn(rule)
	return e.taughtIn(taught), err
}

func explainError(entry *errorcatalog.Entry) *render.Document {
	e := newExplanation(entry.Name, entry.Title)
	e.add("means", entry.Means)
	var chains []string
	for _, c := range entry.Chains {
		if c.When != "" {
			chains = append(chains, c.When+":")
		}
		chains = append(chains, c.Errors)
	}
	e.add("in Go", chains...)
	e.add("test", strings.Split(entry.Test, "\n")...)
	e.add("also true of", strings.Join(entry.Also, ", "))
	e.add("counted as", entry.Counted)
	e.add("verdicts", verdictsBehind(symptoms.Of(entry.Name))...)
	e.add("this end", entry.Here)
	e.add("the other", entry.There)
	e.add("after", entry.After)
	e.add("worse", entry.Worse)
	e.add("better", entry.Better)
	e.add("sources", entry.Sources...)
	return e.taughtIn(slices.DeleteFunc(slices.Clone(entry.Scenarios), func(id string) bool { return !scenarios.Has(id) }))
}

// taughtIn lists the scenarios whose faulty side shows a kind, the one that
// shows it best first.
func taughtIn(rule *verdict.Rule) ([]string, error) {
	var taught []string
	if rule.Scenario != "" {
		taught = append(taught, rule.Scenario)
	}
	for _, id := range scenarios.IDs() {
		s, err := scenarios.Script(id)
		if err != nil {
			return nil, err
		}
		if s.Fault != nil && s.Fault.Kind == string(rule.Kind) && id != rule.Scenario {
			taught = append(taught, id)
		}
	}
	return taught, nil
}
