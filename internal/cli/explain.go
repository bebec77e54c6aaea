package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/errorcatalog"
	"socketlab/internal/render/report"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

func explainCommand(streams program.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [KIND | ERROR]",
		Short: "Say what a verdict or an error means, how it is recognised, and where it is taught",
		Long: `Says what a verdict means and how it is recognised; or of an error the form in
which Go gives it, the code that detects it, the sockets at both ends, and which
handling makes it worse and which does not. An error is named as failed requests
are counted (ECONNRESET), or by its text (connection refused). Without a name it
lists the verdicts and the errors.`,
		Example: `  sockwatch explain
  sockwatch explain idle-connections-not-reused
  sockwatch explain ECONNRESET
  sockwatch explain connection refused
  sockwatch explain nxdomain`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return explainAll(streams.Out)
			}
			name := strings.Join(args, " ") // an error's text is several words
			if about, ok := verdict.Explain(verdict.Kind(name)); ok {
				return explain(streams.Out, about)
			}
			if entry, ok := errorcatalog.Find(name); ok {
				return explainError(streams.Out, entry)
			}
			return program.Usagef(c, "no verdict and no error %q%s; sockwatch explain lists them all", name, closestExplained(name))
		},
	}
}

// closestExplained is closest among verdicts and errors, and then among the
// texts of errors. Most names of errors are in capitals, and typed without.
func closestExplained(name string) string {
	var names, texts []string
	for _, k := range verdict.Kinds() {
		names = append(names, string(k))
	}
	for _, e := range errorcatalog.All() {
		names = append(names, e.Name)
		texts = append(texts, e.Aliases...)
	}
	return cmp.Or(program.Closest(name, names, strings.ToUpper(name)), program.Closest(name, texts))
}

func explainAll(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "VERDICT\tMEANS")
	for _, k := range verdict.Kinds() {
		about, _ := verdict.Explain(k)
		fmt.Fprintf(t, "%s\t%s\n", k, about.Title)
	}
	fmt.Fprintln(t, "\nERROR\tMEANS")
	for _, e := range errorcatalog.All() {
		fmt.Fprintf(t, "%s\t%s\n", e.Name, e.Title)
	}
	return t.Flush()
}

func explain(w io.Writer, about verdict.Explanation) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n", about.Kind, about.Title)
	explainPart(&text, "means", about.Means)
	explainPart(&text, "recognised", about.Recognised)
	explainPart(&text, "fix", about.Fix)
	taught, err := taughtIn(about)
	if err != nil {
		return err
	}
	explainScenarios(&text, taught)
	_, err = io.WriteString(w, text.String())
	return err
}

// explainPart writes paragraphs under a name in the margin.
func explainPart(text *strings.Builder, name string, paragraphs ...string) {
	for i, words := range paragraphs {
		if words == "" {
			continue
		}
		if i == 0 {
			text.WriteString("\n")
		} else {
			name = ""
		}
		text.WriteString(report.Wrap(fmt.Sprintf("%-13s", name), words))
	}
}

func explainScenarios(text *strings.Builder, ids []string) {
	var shows []string
	for _, id := range ids {
		shows = append(shows, "sockwatch show "+id)
	}
	explainPart(text, "taught in", shows...)
}

func explainError(w io.Writer, e errorcatalog.Entry) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n", e.Name, e.Title)
	explainPart(&text, "means", e.Means)
	var chains []string
	for _, c := range e.Chains {
		if c.When == "" {
			chains = append(chains, c.Errors)
		} else {
			chains = append(chains, c.When+":", "  "+c.Errors)
		}
	}
	explainPart(&text, "in Go", chains...)
	if e.Test != "" {
		explainPart(&text, "test", strings.Split(e.Test, "\n")...)
	}
	if len(e.Also) > 0 {
		explainPart(&text, "also true of", strings.Join(e.Also, ", "))
	}
	explainPart(&text, "counted as", e.Counted)
	explainPart(&text, "this end", e.Here)
	explainPart(&text, "the other", e.There)
	explainPart(&text, "after", e.After)
	explainPart(&text, "worse", e.Worse)
	explainPart(&text, "better", e.Better)
	explainPart(&text, "sources", e.Sources...)
	explainScenarios(&text, slices.DeleteFunc(slices.Clone(e.Scenarios), func(id string) bool { return !scenarios.Has(id) }))
	_, err := io.WriteString(w, text.String())
	return err
}

// taughtIn lists the scenarios whose faulty side shows a kind, the one that
// shows it best first.
func taughtIn(about verdict.Explanation) ([]string, error) {
	var taught []string
	if about.Scenario != "" {
		taught = append(taught, about.Scenario)
	}
	for _, id := range scenarios.IDs() {
		s, err := scenarios.Script(id)
		if err != nil {
			return nil, err
		}
		if s.Fault != nil && s.Fault.Kind == string(about.Kind) && id != about.Scenario {
			taught = append(taught, id)
		}
	}
	return taught, nil
}
