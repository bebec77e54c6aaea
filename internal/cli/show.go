package cli

import (
	"errors"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

var _ = register(showCommand)

func showCommand(streams program.Streams) *cobra.Command {
	var (
		output                     outputFlag
		lesson, code, diff, answer bool
		asScript                   bool
	)
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show a scenario's lesson, the code of both sides, and their difference",
		Long: `Shows a scenario's lesson, the code of both sides, and their difference. Flags
choose parts of it; -o json has all of them in any case. --script prints the script
alone, to be changed in a copy: sockwatch run FILE plays that with the same code.`,
		Example: `  sockwatch show body-not-closed
  sockwatch show body-not-closed --diff
  sockwatch show body-not-closed --lesson  # ends with its question
  sockwatch show body-not-closed --answer
  sockwatch show body-not-closed --script > mine.yaml`,
		Args: program.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			id := args[0]
			if !scenarios.Has(id) {
				if _, err := os.Stat(id); err == nil {
					return program.Usagef(c, "%s is a file: show takes the id of a scenario, such as the one whose code the file names; sockwatch list shows them all", id)
				}
				return program.Usagef(c, "no scenario %q%s; sockwatch list shows them all", id, program.Suggestion(id))
			}
			script, err := scenarios.Script(id)
			if err != nil {
				return err
			}
			if asScript && (lesson || code || diff || answer || output.name != "table") {
				return program.Usagef(c, "--script prints nothing but the script: give it alone")
			}
			if asScript {
				_, err := io.WriteString(streams.Out, script.Text)
				return err
			}
			text := scenarios.LessonFor(id, runtime.Version(), runtime.GOOS)
			faulty, fixed, difference := scenarios.Code(id, scenario.Faulty), scenarios.Code(id, scenario.Fixed), scenarios.Difference(id)
			client := scenarios.Client(id)
			toQuestion, solution := scenarios.Answer(text)
			all := !lesson && !code && !diff && !answer
			var blocks []render.Block
			switch {
			case all:
				blocks = append(blocks, render.Markdown{Text: text})
			case lesson && !answer:
				blocks = append(blocks, render.Markdown{Text: toQuestion})
				if solution != "" {
					blocks = append(blocks, render.Text{Text: "\nThe answer: sockwatch show " + id + " --answer", Lines: true, Note: true})
				}
			case lesson:
				blocks = append(blocks, render.Markdown{Text: text})
			case answer && solution == "":
				return errors.New(id + ": its lesson gives no answer to its question")
			case answer:
				_, question, _ := strings.Cut(toQuestion, "\n## A question\n")
				blocks = append(blocks, render.Markdown{Text: "## A question\n" + question + "\n" + solution})
			}
			if all || code {
				blocks = append(blocks,
					render.Heading{Level: 3, Text: "faulty.go"}, render.Code{Language: "go", Text: faulty},
					render.Heading{Level: 3, Text: "fixed.go"}, render.Code{Language: "go", Text: fixed})
			}
			if all || diff {
				blocks = append(blocks, render.Heading{Level: 3, Text: "the difference, but for the names"}, render.Code{Language: "diff", Text: difference})
			}
			if client != "" && (all || code) {
				blocks = append(blocks, render.Heading{Level: 3, Text: "client.go, the client of both sides"}, render.Code{Language: "go", Text: client})
			}
			return output.write(streams.Out, &render.Document{
				Title: id + ": " + script.Title,
				Data: render.Object{
					{Name: "schema", Value: "sockwatch.scenario/v1"},
					{Name: "id", Value: id},
					{Name: "title", Value: script.Title},
					{Name: "script", Value: script.Text},
					{Name: "lesson", Value: text},
					{Name: "answer", Value: strings.TrimSpace(solution)},
					{Name: "faulty", Value: faulty},
					{Name: "fixed", Value: fixed},
					{Name: "difference", Value: difference},
					{Name: "client", Value: client},
				},
				Blocks: blocks,
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&lesson, "lesson", false, "the lesson, to its question")
	f.BoolVar(&code, "code", false, "the code of both sides")
	f.BoolVar(&diff, "diff", false, "their difference")
	f.BoolVar(&answer, "answer", false, "the lesson's question, and its answer")
	f.BoolVar(&asScript, "script", false, "the script, and nothing else")
	output.add(f, "table", textAnswer)
	output.addPager(f)
	return c
}
