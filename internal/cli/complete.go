package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/exercise"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// completeWords gives the commands what a shell's Tab key offers for their words and for
// the flags that take one of some words. Other words stay files.
func completeWords(c *cobra.Command) {
	switch strings.TrimPrefix(c.CommandPath(), "sockwatch ") {
	case "demo", "go-diff", "run", "show", "sweep":
		c.ValidArgsFunction = oneOf(scenarios.IDs, cobra.ShellCompDirectiveDefault)
	case "exercise start":
		c.ValidArgsFunction = oneOf(exercise.IDs, cobra.ShellCompDirectiveDefault)
	case "explain":
		c.ValidArgsFunction = oneOf(kinds, cobra.ShellCompDirectiveNoFileComp)
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if words := strings.Split(f.Value.Type(), "|"); len(words) > 1 {
			_ = c.RegisterFlagCompletionFunc(f.Name, oneOf(func() []string { return words }, cobra.ShellCompDirectiveNoFileComp))
		}
	})
	for _, sub := range c.Commands() {
		completeWords(sub)
	}
}

func oneOf(words func() []string, others cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var fit []cobra.Completion
		for _, w := range words() {
			if strings.HasPrefix(w, begun) {
				fit = append(fit, w)
			}
		}
		return fit, others
	}
}

func kinds() []string {
	var names []string
	for _, r := range verdict.Rules() {
		names = append(names, string(r.Kind))
	}
	return names
}
