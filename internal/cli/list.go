package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/render/report"
	"socketlab/internal/scenario"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// How a list of the catalogue is grouped.
const (
	bySymptom = "symptom"
	byCause   = "cause"
	byOrder   = "order"
)

func listCommand(streams program.Streams) *cobra.Command {
	format := program.NewChoice("table", "table", "json")
	by := program.NewChoice(bySymptom, bySymptom, byCause, byOrder)
	c := &cobra.Command{
		Use:   "list [WORD...]",
		Short: "List the scenarios by what is seen, or find some by a word",
		Long: `Lists the scenarios by what an engineer sees before the cause is known; a
scenario stands under each of its symptoms. With words it finds those that have
them, together or else all of them: in the name, the title, the symptoms, the
cause, the fix, what a run must show, an error that the scenario teaches, and at
last the lesson. Capitals do not matter, and neither does what joins words:
close_wait, CLOSE-WAIT.

Each line says how long a run takes at the script's own speed.`,
		Example: `  sockwatch list
  sockwatch list --by cause
  sockwatch list close_wait
  sockwatch list 503
  sockwatch list -o json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			asJSON := format.String() == "json"
			if c.Flags().Changed("by") && (len(args) > 0 || asJSON) {
				return program.Usagef(c, "--by groups the whole table: it goes with no word and no -o json")
			}
			all, err := catalogue()
			if err != nil {
				return err
			}
			groups := []group{{scripts: all}}
			switch {
			case len(args) > 0:
				groups = search(all, searchWords(args))
				if len(groups) == 0 {
					return nothingFound(all, args)
				}
			case !asJSON:
				groups = grouped(all, by.String())
			}
			if asJSON {
				return listJSON(streams.Out, groups)
			}
			return listTable(streams.Out, groups)
		},
	}
	c.Flags().VarP(&format, "output", "o", "form of the list")
	c.Flags().Var(&by, "by", "what the list is grouped by; order is that in which it is best taught")
	return c
}

// catalogue reads all scripts, in the order in which they are best taught.
func catalogue() ([]scenario.Script, error) {
	var all []scenario.Script
	for _, id := range scenarios.IDs() {
		s, err := scenarios.Script(id)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// group is some scenarios under a heading, or under none.
type group struct {
	heading string
	scripts []scenario.Script
}

// grouped puts every script into a group at least, and leaves out groups that
// nobody is in.
func grouped(all []scenario.Script, by string) []group {
	var groups []group
	switch by {
	case bySymptom:
		groups = symptomGroups(all)
	case byCause:
		groups = causeGroups(all)
	default:
		return []group{{scripts: all}}
	}
	groups = append(groups, group{"nothing is wrong: controls, where a tool must find no leak", only(all, scenario.Script.Control)})
	return slices.DeleteFunc(groups, func(g group) bool { return len(g.scripts) == 0 })
}

func symptomGroups(all []scenario.Script) []group {
	var groups []group
	for _, symptom := range scenario.Symptoms() {
		groups = append(groups, group{symptom.Sees, only(all, func(s scenario.Script) bool {
			return slices.Contains(s.Symptoms, symptom.Name)
		})})
	}
	return append(groups, group{"something else", only(all, func(s scenario.Script) bool {
		return s.Fault != nil && len(s.Symptoms) == 0
	})})
}

func causeGroups(all []scenario.Script) []group {
	var groups []group
	for _, kind := range verdict.Kinds() {
		groups = append(groups, group{causeOf(string(kind)), only(all, func(s scenario.Script) bool {
			return s.Fault != nil && s.Fault.Kind == string(kind)
		})})
	}
	return append(groups, group{"no leak on either side: comparisons of what two ways cost", only(all, func(s scenario.Script) bool {
		return s.Fault == nil && !s.Control()
	})})
}

// causeOf is a kind of fault with what it means.
func causeOf(kind string) string {
	about, _ := verdict.Explain(verdict.Kind(kind))
	return kind + ": " + about.Title
}

func only(all []scenario.Script, keep func(scenario.Script) bool) []scenario.Script {
	return slices.DeleteFunc(slices.Clone(all), func(s scenario.Script) bool { return !keep(s) })
}

// ownLength is how long a run of the script takes at the script's own speed.
func ownLength(s scenario.Script) time.Duration {
	return s.AtSpeed(s.Speed).Length().Round(100 * time.Millisecond)
}

// listTable writes the groups in the width that report.Wrap keeps to: titles
// too long for it go on under themselves.
func listTable(w io.Writer, groups []group) error {
	width, marked := 0, false
	for _, g := range groups {
		for _, s := range g.scripts {
			width = max(width, len(s.ID))
			marked = marked || s.Requires == scenario.Namespace
		}
	}
	var text strings.Builder
	for i, g := range groups {
		if i > 0 {
			text.WriteString("\n")
		}
		if g.heading != "" {
			text.WriteString(report.Wrap("", g.heading))
		}
		for _, s := range g.scripts {
			text.WriteString(listLine(s, width, g.heading != ""))
		}
	}
	if marked {
		text.WriteString("\n" + report.Wrap("", namespaceMark+": needs a network namespace of its own (Linux, with user namespaces or as root)"))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// namespaceMark stands beside scenarios that need a namespace.
const namespaceMark = "ns"

func listLine(s scenario.Script, width int, indent bool) string {
	margin, mark := "", ""
	if indent {
		margin = "  "
	}
	if s.Requires == scenario.Namespace {
		mark = namespaceMark
	}
	return report.Wrap(fmt.Sprintf("%s%-*s  %5s %-2s  ", margin, width, s.ID, ownLength(s), mark), s.Title)
}

// verdicts are kinds of verdict, of each side.
type verdicts struct {
	Faulty verdict.Kind `json:"faulty"`
	Fixed  verdict.Kind `json:"fixed"`
}

// expected is what a script of the catalogue expects first of each side.
func expected(s scenario.Script) verdicts {
	return verdicts{s.Expect.Faulty[0].Kind, s.Expect.Fixed[0].Kind}
}

func listJSON(w io.Writer, groups []group) error {
	type entry struct {
		ID       string   `json:"id"`
		Title    string   `json:"title"`
		Symptoms []string `json:"symptoms"`
		Kind     string   `json:"kind,omitempty"`
		Fix      string   `json:"fix,omitempty"`
		// Verdicts are what the script expects each side to be found.
		Verdicts verdicts `json:"verdicts"`
		Requires string   `json:"requires"`
		Speed    float64  `json:"speed"`
		// LengthMS is how long a run takes at Speed.
		LengthMS int64 `json:"length_ms"`
	}
	list := []entry{}
	for _, g := range groups {
		for _, s := range g.scripts {
			e := entry{ID: s.ID, Title: s.Title, Symptoms: append([]string{}, s.Symptoms...), Verdicts: expected(s), Requires: s.Requires, Speed: s.Speed, LengthMS: s.AtSpeed(s.Speed).Length().Milliseconds()}
			if s.Fault != nil {
				e.Kind, e.Fix = s.Fault.Kind, s.Fault.Fix
			}
			list = append(list, e)
		}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(list)
}
