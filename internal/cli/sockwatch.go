// Package cli is the commands of sockwatch: their flags, help and streams. What they
// do is done by the packages below.
package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/client"
	"socketlab/internal/cli/program"
	"socketlab/internal/cli/slowserver"
	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/worker/netns"
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
		kubernetesHubCommand(streams), kubernetesAgentCommand(), ephemeralCommand(streams), endCommand(),
	} {
		c.Hidden = true
		root.AddCommand(c)
	}
	completeWords(root)
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
