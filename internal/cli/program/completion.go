package program

import (
	"fmt"

	"github.com/spf13/cobra"
)

// completionCommand writes what a shell needs to complete a program's command line.
func completionCommand(root *cobra.Command) *cobra.Command {
	name := root.Name()
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print what a shell needs to complete commands and flags",
		Long: fmt.Sprintf(`Prints a script for a shell. With it the Tab key completes the commands, flags and
scenarios of %s.`, name),
		Example: fmt.Sprintf(`  source <(%[1]s completion bash)
  %[1]s completion zsh > "${fpath[1]}/_%[1]s"
  %[1]s completion fish > ~/.config/fish/completions/%[1]s.fish
  %[1]s completion powershell | Out-String | Invoke-Expression`, name),
		Args:      Args(1, 1),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		// A program without commands has none in its help because of this one.
		Hidden: !root.HasAvailableSubCommands(),
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			default:
				return Usagef(c, "no script for the shell %q: it is bash, zsh, fish or powershell", args[0])
			}
		},
	}
}
