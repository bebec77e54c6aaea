package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"socketlab/internal/netns"
	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

func sockwatchCommand(streams Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "sockwatch",
		Short: "Play connection-management incidents, count every socket, compare",
		Long: `Sockwatch plays connection-management incidents as pairs, faulty code beside
fixed code, on real processes and real sockets of this machine, counts every
socket by state, and says what is wrong and how to mend it.

Exit codes: 0 fine, 1 failed, 2 wrong command line or script, 3 a leak was
found or an expectation was not met, 130 interrupted.`,
		Example: `  sockwatch demo                    # the original incident, side by side
  sockwatch list
  sockwatch show body-not-closed
  sockwatch run --all -o json
  sockwatch watch --port 8080       # any processes, ours or not
  sockwatch diagnose --pid 4242     # what is wrong with it, and how to mend it`,
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(
		demoCommand(streams), listCommand(streams), showCommand(streams), explainCommand(streams),
		runCommand(streams), abCommand(streams),
		watchCommand(streams), diagnoseCommand(streams), checkCommand(streams), recordCommand(streams), replayCommand(streams),
	)
	// The other programs are roles of this one, so that a run needs nothing
	// but this binary.
	for _, c := range []*cobra.Command{
		slowserverCommand(streams), clientCommand("client-faulty", streams), clientCommand("client-fixed", streams),
		keeperCommand(), runnerCommand(streams),
	} {
		c.Hidden = true
		root.AddCommand(c)
	}
	return root
}

// keeperCommand holds the namespace of an isolated side.
func keeperCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "keeper",
		Short: "Hold a namespace for an isolated run",
		RunE: func(*cobra.Command, []string) error {
			if code := netns.Keep(); code != exitOK {
				return &codeError{code: code}
			}
			return nil
		},
	}
}

// knownCommand refuses a word that is no command, and says which one is like it.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	hint := ""
	if like := c.SuggestionsFor(args[0]); len(like) > 0 {
		hint = ", did you mean " + like[0] + "?"
	}
	return fmt.Errorf("no command %q%s", args[0], hint)
}

func listCommand(streams Streams) *cobra.Command {
	format := choice{"table", []string{"table", "json"}}
	c := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios",
		RunE: func(*cobra.Command, []string) error {
			var all []scenario.Script
			for _, id := range scenarios.IDs() {
				s, err := scenarios.Script(id)
				if err != nil {
					return err
				}
				all = append(all, s)
			}
			if format.value == "json" {
				return listJSON(streams.Out, all)
			}
			return listTable(streams.Out, all)
		},
	}
	c.Flags().VarP(&format, "output", "o", "form of the list")
	return c
}

// faultKind is what the faulty side of a script shows.
func faultKind(s scenario.Script) string {
	if s.Fault == nil {
		return "none (a control)"
	}
	return s.Fault.Kind
}

func listTable(w io.Writer, all []scenario.Script) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tFAULT\tTITLE")
	for _, s := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.ID, faultKind(s), s.Title)
	}
	return t.Flush()
}

func listJSON(w io.Writer, all []scenario.Script) error {
	type entry struct {
		ID    string  `json:"id"`
		Title string  `json:"title"`
		Kind  string  `json:"kind,omitempty"`
		Fix   string  `json:"fix,omitempty"`
		Needs string  `json:"needs"`
		Speed float64 `json:"speed"`
		// LengthMS is how long a run takes at Speed.
		LengthMS int64 `json:"length_ms"`
	}
	list := make([]entry, 0, len(all))
	for _, s := range all {
		e := entry{ID: s.ID, Title: s.Title, Needs: s.Needs, Speed: s.Speed, LengthMS: s.AtSpeed(s.Speed).Length().Milliseconds()}
		if s.Fault != nil {
			e.Kind, e.Fix = s.Fault.Kind, s.Fault.Fix
		}
		list = append(list, e)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(list)
}

func showCommand(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a scenario's lesson, the code of both sides, and their difference",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id := args[0]
			if !scenarios.Has(id) {
				return usagef(c, "no scenario %q%s; sockwatch list shows them all", id, suggestion(id))
			}
			faulty, fixed := scenarios.Code(id, scenario.Faulty), scenarios.Code(id, scenario.Fixed)
			_, err := fmt.Fprintf(streams.Out, "%s\n--- faulty.go ---\n\n%s\n--- fixed.go ---\n\n%s\n--- the difference ---\n\n%s",
				scenarios.Lesson(id), faulty, fixed, diff.Diff("faulty.go", []byte(faulty), "fixed.go", []byte(fixed)))
			return err
		},
	}
}
