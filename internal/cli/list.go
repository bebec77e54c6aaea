package cli

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/render"
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

var _ = register(listCommand)

func listCommand(streams program.Streams) *cobra.Command {
	var output outputFlag
	by := program.NewChoice(bySymptom, bySymptom, byCause, byOrder)
	c := &cobra.Command{
		Use:   "list [WORD...]",
		Short: "List the scenarios by what is seen, or find some by a word",
		Long: `Lists the scenarios by what an engineer sees before the cause is known; a
scenario stands under each of its symptoms. With words it finds those that have
them, together or else all of them: in the name, the title, the symptoms, the
cause, the fix, what a run must show, an error that the scenario teaches, and at
last the lesson. Capitals do not matter, and neither does what joins words:
close_wait, CLOSE-WAIT. Of a line of a log (socket hang up) that no scenario has it
finds those of the faults that may be behind it.

Each line says how long a run takes at the script's own speed.`,
		Example: `  sockwatch list
  sockwatch list --by cause
  sockwatch list close_wait
  sockwatch list 503
  sockwatch list 'Error: socket hang up'
  sockwatch list -o json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			// A collection took a seventh of the time here, and the memory is given back at once.
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
			forPrograms := output.name == "json" || output.name == "csv"
			if c.Flags().Changed("by") && (len(args) > 0 || forPrograms) {
				return program.Usagef(c, "--by groups the whole table: it goes with no word, and with no -o json or csv")
			}
			all := scenarios.Summaries()
			groups := []group{{scripts: all}}
			switch {
			case len(args) > 0:
				groups = search(all, searchWords(args))
				if !slices.ContainsFunc(groups, func(g group) bool { return g.heading == "" }) { // a lesson mentions much
					if faults := behind(all, strings.Join(args, " ")); len(faults) > 0 {
						groups = faults
					}
				}
				if len(groups) == 0 {
					return nothingFound(all, args)
				}
			case !forPrograms:
				groups = grouped(all, by.String())
			}
			return output.write(streams.Out, listed(groups))
		},
	}
	output.add(c.Flags(), "table", tableAnswer)
	output.addPager(c.Flags())
	c.Flags().Var(&by, "by", "what the list is grouped by; order is that in which it is best taught")
	return c
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
	groups = append(groups, group{"nothing is wrong: controls, where a tool must find no leak", only(all, sortIs(scenario.Control))})
	if by == bySymptom {
		groups = append(groups, group{"no verdict is expected: measurements", only(all, sortIs(scenario.Measurement))})
	}
	return slices.DeleteFunc(groups, func(g group) bool { return len(g.scripts) == 0 })
}

func sortIs(sort string) func(scenario.Script) bool {
	return func(s scenario.Script) bool { return s.Sort == sort }
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
	return append(groups, group{"no kind of verdict: what sockets do not show, and comparisons of what two ways cost", only(all, func(s scenario.Script) bool {
		return s.Fault == nil && s.Sort != scenario.Control
	})})
}

// causeOf is a kind of fault with what it means.
func causeOf(kind string) string {
	rule, _ := verdict.Lookup(verdict.Kind(kind))
	return kind + ": " + rule.Title
}

func only(all []scenario.Script, keep func(scenario.Script) bool) []scenario.Script {
	var kept []scenario.Script
	for _, s := range all {
		if keep(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// ownLength is how long a run of the script takes at the script's own speed.
func ownLength(s scenario.Script) time.Duration {
	return time.Duration(math.Round(float64(s.Length()) / s.Speed))
}

// namespaceMark stands beside scenarios that need a namespace.
const namespaceMark = "ns"

// verdicts are kinds of verdict, of each side.
type verdicts struct {
	Faulty verdict.Kind `json:"faulty"`
	Fixed  verdict.Kind `json:"fixed"`
}

// expected is what a script of the catalogue expects first of each side, of clients
// built by the Go that built us.
func expected(s scenario.Script) verdicts {
	return verdicts{first(s.Expect.Faulty), first(s.Expect.Fixed)}
}

// first is the kind of the first expectation that holds for our version of Go; a script
// has one for every version.
func first(all []scenario.Expectation) verdict.Kind {
	version := runtime.Version()
	return all[slices.IndexFunc(all, func(e scenario.Expectation) bool { return e.Go.Holds(version) })].Kind
}

// listEntry is one scenario in JSON.
type listEntry struct {
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

// listed is the answer with groups of scenarios.
func listed(groups []group) *render.Document {
	t := render.Table{Name: "the scenarios", Plain: true, Columns: []render.Column{
		{Title: "SCENARIO"}, {Title: "TAKES"}, {Title: "NEEDS"}, {Title: "TITLE"},
	}}
	list := []listEntry{}
	d := &render.Document{Title: "scenarios", Records: [][]string{{"id", "title", "symptoms", "kind", "requires", "speed", "length_ms"}}}
	marked := false
	for _, g := range groups {
		rows := render.Group{Title: g.heading}
		for _, s := range g.scripts {
			e := listEntry{
				ID: s.ID, Title: s.Title, Symptoms: append([]string{}, s.Symptoms...), Verdicts: expected(s), Requires: s.Requires,
				Speed: s.Speed, LengthMS: ownLength(s).Milliseconds(),
			}
			if s.Fault != nil {
				e.Kind, e.Fix = s.Fault.Kind, s.Fault.Fix
			}
			mark := ""
			if s.Requires == scenario.Namespace {
				mark, marked = namespaceMark, true
			}
			list = append(list, e)
			rows.Rows = append(rows.Rows, render.Words(s.ID, fmt.Sprintf("%5s", ownLength(s).Round(100*time.Millisecond)), mark, s.Title))
			d.Records = append(d.Records, []string{
				e.ID, e.Title, strings.Join(e.Symptoms, " "), e.Kind, e.Requires, fmt.Sprint(e.Speed), fmt.Sprint(e.LengthMS),
			})
		}
		t.Groups = append(t.Groups, rows)
	}
	d.Data = render.Object{{Name: "schema", Value: "sockwatch.list/v1"}, {Name: "scenarios", Value: list}}
	d.Blocks = []render.Block{t}
	if marked {
		d.Blocks = append(d.Blocks, render.Text{Text: "\n" + namespaceMark + ": needs a network namespace of its own (Linux, with user namespaces or as root)", Lines: true})
	}
	return d
}
