// Package cli is the commands of sockwatch: their flags, help and streams. What they
// do is done by the packages below.
package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/client"
	"socketlab/internal/cli/program"
	"socketlab/internal/cli/slowserver"
	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/worker/netns"
	"socketlab/scenarios"
)

// commands are those that people use. The file of each registers it.
var commands []func(program.Streams) *cobra.Command

func register(c func(program.Streams) *cobra.Command) bool {
	commands = append(commands, c)
	return true
}

// Command is sockwatch.
func Command(streams program.Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "sockwatch",
		Short: "Play connection-management incidents, count every socket, compare",
		Long: `Sockwatch plays connection-management incidents as pairs, faulty code beside
fixed code, on real processes and real sockets of this machine, counts every
socket by state, and says what is wrong and how to fix it.

Exit codes: 0 fine, 1 failed or could not see, 2 wrong command line or script,
3 an expectation or a limit was not met, or diagnose found a fault, 130
interrupted.`,
		Example: `  sockwatch demo                    # the original incident, side by side
  sockwatch list                    # by what is seen; sockwatch list close_wait finds
  sockwatch show body-not-closed
  sockwatch run --all -o json
  sockwatch watch --port 8080       # any processes, ours or not
  sockwatch diagnose --pid 4242     # what is wrong with it, and how to fix it`,
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, c := range commands {
		root.AddCommand(c(streams))
	}
	// The other programs are workers of this one, so that a run needs nothing
	// but this binary.
	for _, c := range []*cobra.Command{
		slowserver.Command(streams), client.Command(scenario.Faulty)(streams), client.Command(scenario.Fixed)(streams),
		namespaceSupervisorCommand(), commandSupervisorCommand(streams), lifePlayerCommand(streams),
	} {
		c.Hidden = true
		root.AddCommand(c)
	}
	return root
}

// namespaceSupervisorCommand holds the namespace of an isolated side.
func namespaceSupervisorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   lab.NamespaceSupervisor,
		Short: "Hold a namespace for an isolated run",
		RunE: func(*cobra.Command, []string) error {
			if code := netns.Supervise(); code != program.ExitOK {
				return &program.CodeError{Code: code}
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

var _ = register(showCommand)

func showCommand(streams program.Streams) *cobra.Command {
	var output outputFlag
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show a scenario's lesson, the code of both sides, and their difference",
		Args:  program.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			id := args[0]
			if !scenarios.Has(id) {
				return program.Usagef(c, "no scenario %q%s; sockwatch list shows them all", id, program.Suggestion(id))
			}
			script, err := scenarios.Script(id)
			if err != nil {
				return err
			}
			lesson := scenarios.LessonFor(id, runtime.Version())
			faulty, fixed, difference := scenarios.Code(id, scenario.Faulty), scenarios.Code(id, scenario.Fixed), scenarios.Difference(id)
			blocks := []render.Block{
				render.Markdown{Text: lesson},
				render.Heading{Level: 3, Text: "faulty.go"}, render.Code{Language: "go", Text: faulty},
				render.Heading{Level: 3, Text: "fixed.go"}, render.Code{Language: "go", Text: fixed},
				render.Heading{Level: 3, Text: "the difference, but for the names"}, render.Code{Language: "diff", Text: difference},
			}
			client := scenarios.Client(id)
			if client != "" {
				blocks = append(blocks, render.Heading{Level: 3, Text: "client.go, the client of both sides"}, render.Code{Language: "go", Text: client})
			}
			return output.write(streams.Out, &render.Document{
				Title: id + ": " + script.Title,
				Data: render.Object{
					{Name: "schema", Value: "sockwatch.scenario/v1"}, {Name: "id", Value: id}, {Name: "title", Value: script.Title},
					{Name: "script", Value: script.Text}, {Name: "lesson", Value: lesson},
					{Name: "faulty", Value: faulty}, {Name: "fixed", Value: fixed}, {Name: "difference", Value: difference}, {Name: "client", Value: client},
				},
				Blocks: blocks,
			})
		},
	}
	output.add(c.Flags(), "table", textAnswer)
	return c
}
