package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"socketlab/internal/report"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

func explainCommand(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [KIND]",
		Short: "Say what a verdict means, how it is recognised, and where it is taught",
		Example: `  sockwatch explain
  sockwatch explain idle-connections-not-reused`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return explainAll(streams.Out)
			}
			about, ok := verdict.Explain(verdict.Kind(args[0]))
			if !ok {
				return usagef(c, "no verdict %q%s; sockwatch explain lists them all", args[0], closest(args[0], kindNames()))
			}
			return explain(streams.Out, about)
		},
	}
}

func kindNames() []string {
	var names []string
	for _, k := range verdict.Kinds() {
		names = append(names, string(k))
	}
	return names
}

func explainAll(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "VERDICT\tMEANS")
	for _, k := range verdict.Kinds() {
		about, _ := verdict.Explain(k)
		fmt.Fprintf(t, "%s\t%s\n", k, about.Title)
	}
	return t.Flush()
}

func explain(w io.Writer, about verdict.Explanation) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n", about.Kind, about.Title)
	part := func(name, words string) {
		if words != "" {
			text.WriteString("\n" + report.Wrap(fmt.Sprintf("%-13s", name), words))
		}
	}
	part("means", about.Means)
	part("recognised", about.Recognised)
	part("fix", about.Fix)
	if taught, err := taughtIn(about); err != nil {
		return err
	} else if len(taught) > 0 {
		fmt.Fprintf(&text, "\n%-13ssockwatch show %s\n", "taught in", strings.Join(taught, "\n"+strings.Repeat(" ", 13)+"sockwatch show "))
	}
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
