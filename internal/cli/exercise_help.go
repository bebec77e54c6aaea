package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/exercise"
	"socketlab/internal/render"
)

func exercisePredictCommand(streams program.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "predict [DIR] NUMBER",
		Short: "Say what you think will happen, before you check",
		Long:  `Keeps your guess for the exercise in DIR (default: this folder). check shows it beside what came.`,
		Args:  program.Args(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			guess, err := guessOf(args[len(args)-1])
			if err != nil {
				return program.Usagef(c, "%w", err)
			}
			p, err := openCode(c, args[:len(args)-1], "there is no number to guess")
			if err != nil {
				return err
			}
			p.State.Guess, p.State.GuessShown = &guess, false
			if err := p.Save(); err != nil {
				return err
			}
			fmt.Fprintf(streams.Out, "%s\nYour guess: %g. See if it is right: sockwatch exercise check\n", p.Exercise.Predict.Ask, guess)
			return nil
		},
	}
}

// guessOf reads a guess.
func guessOf(text string) (float64, error) {
	guess, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(guess >= 0 && guess <= math.MaxInt32) { // also refuses NaN
		return 0, fmt.Errorf("%q is no number of 0 or more", text)
	}
	return guess, nil
}

// askForGuess asks who has not guessed yet, where there is somebody to ask.
func askForGuess(streams program.Streams, p *exercise.Project) error {
	in, isFile := streams.In.(term.File)
	out, toFile := streams.Err.(term.File)
	if p.State.Guess != nil || !isFile || !toFile || !term.IsTerminal(in.Fd()) || !term.IsTerminal(out.Fd()) {
		return nil
	}
	fmt.Fprintf(streams.Err, "First a guess, for the code as it was at the start.\n%s\n", p.Exercise.Predict.Ask)
	for lines := bufio.NewReader(streams.In); ; {
		fmt.Fprint(streams.Err, "Your guess (Enter: none): ")
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) || strings.TrimSpace(line) == "" {
			return nil
		}
		if err != nil {
			return err
		}
		guess, err := guessOf(line)
		if err == nil {
			p.State.Guess = &guess
			return p.Save()
		}
		fmt.Fprintln(streams.Err, "That is not a number.")
	}
}

func exerciseHintCommand(streams program.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "hint [DIR]",
		Short: "Show the next hint",
		Long:  `Shows the hints that you have seen, and one more. There are three: the last nearly says it.`,
		Args:  program.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := openProject(c, args)
			if err != nil {
				return err
			}
			hints := p.Exercise.HintsFor(p.State.Language)
			p.State.Hints = min(p.State.Hints+1, len(hints))
			var blocks []render.Block
			for i, hint := range hints[:p.State.Hints] {
				blocks = append(blocks, render.Text{Text: fmt.Sprintf("Hint %d of %d: %s", i+1, len(hints), hint)})
			}
			if p.State.Hints == len(hints) {
				blocks = append(blocks, render.Text{Text: "There are no more. 'sockwatch exercise answer' shows our solution."})
			}
			output := outputFlag{name: "table", has: textAnswer} // in lines as long as the terminal's
			if err := output.write(streams.Out, &render.Document{Title: p.Exercise.ID + ": hints", Blocks: blocks}); err != nil {
				return err
			}
			return p.Save()
		},
	}
}

func exerciseAnswerCommand(streams program.Streams) *cobra.Command {
	var output outputFlag
	c := &cobra.Command{
		Use:   "answer [DIR]",
		Short: "Show what was wrong, and our solution",
		Args:  program.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := openProject(c, args)
			if err != nil {
				return err
			}
			text, code, err := p.Exercise.Answer(p.Language)
			if err != nil {
				return err
			}
			blocks := []render.Block{render.Markdown{Text: text}}
			files, language := render.Object{}, ""
			if p.Language != nil {
				language = p.Language.Name
			}
			for _, name := range slices.Sorted(maps.Keys(code)) {
				blocks = append(blocks, render.Heading{Level: 3, Text: name}, render.Code{Language: language, Text: string(code[name])})
				files = append(files, render.Object{{Name: name, Value: string(code[name])}}...)
			}
			return output.write(streams.Out, &render.Document{
				Title: p.Exercise.ID + ": the answer", Blocks: blocks,
				Data: render.Object{
					{Name: "schema", Value: "sockwatch.exercise-answer/v1"},
					{Name: "exercise", Value: p.Exercise.ID},
					{Name: "language", Value: language},
					{Name: "answer", Value: text},
					{Name: "code", Value: files},
				},
			})
		},
	}
	output.add(c.Flags(), "table", textAnswer)
	return c
}

func exerciseResetCommand(streams program.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "reset [DIR]",
		Short: "Put the files of an exercise back as they were",
		Long: `Writes the files of the exercise in DIR (default: this folder) as they were at the
start. What you have changed in them is gone then. Your guess and other files stay.`,
		Args: program.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := openProject(c, args)
			if err != nil {
				return err
			}
			if err := p.Reset(); err != nil {
				return err
			}
			program.Say(streams.Out, "%s is as it was at the start.\n", p.File())
			return nil
		},
	}
}
