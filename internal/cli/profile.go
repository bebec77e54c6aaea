package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/profile"
	"socketlab/internal/render"
)

var _ = register(profileCommand)

// profileCommands are the commands below profile, one for each kind of program. The file
// of each registers it.
var profileCommands []func(program.Streams) *cobra.Command

func registerProfile(c func(program.Streams) *cobra.Command) bool {
	profileCommands = append(profileCommands, c)
	return true
}

func profileCommand(streams program.Streams) *cobra.Command {
	var (
		output    outputFlag
		questions bool
	)
	c := &cobra.Command{
		Use:   "profile",
		Short: "Measure how a program treats its connections",
		Long: `Measures how a program treats its connections: how many it opens, who closes an
idle one and when, what happens to a request that meets a closed connection, which
timeouts it really has. The answer is a profile, which is a file.

With --questions it lists what is measured, and how.`,
		Example: `  sockwatch profile client -- python3 mine.py
  sockwatch profile --questions`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("no profile of a %q%s", args[0], program.Closest(args[0], kindNames()))
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if !questions {
				if output.name != "table" {
					return program.Usagef(c, "-o goes with --questions, or with one of the commands")
				}
				return c.Help()
			}
			return output.write(streams.Out, render.ProfileQuestions())
		},
	}
	output.add(c.Flags(), "table", tableAnswer)
	output.addPager(c.Flags())
	c.Flags().BoolVar(&questions, "questions", false, "list what is measured, in which unit and how")
	program.Needs(c.Flags(), "no-pager", "questions")
	for _, sub := range profileCommands {
		c.AddCommand(sub(streams))
	}
	return c
}

func kindNames() []string {
	var names []string
	for _, k := range profile.Kinds() {
		names = append(names, string(k))
	}
	return names
}
