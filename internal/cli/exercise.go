package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/exercise"
	"socketlab/internal/render"
	"socketlab/internal/words"
)

var _ = register(exerciseCommand)

// exerciseCommands are the commands below exercise. The file of each registers it.
var exerciseCommands = []func(program.Streams) *cobra.Command{
	exerciseListCommand, exerciseStartCommand, exercisePredictCommand, exerciseCheckCommand, exerciseWatchCommand,
	exerciseRunCommand, exerciseHintCommand, exerciseAnswerCommand, exerciseResetCommand,
	exerciseBoardCommand, exerciseJoinCommand, exerciseLeaveCommand,
}

func exerciseCommand(streams program.Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "exercise",
		Short: "Fix code yourself, and have it measured",
		Long: `An exercise is a small program with a fault as it is found in real code, and a
task. You fix it. Each check plays a load against your code, counts its sockets, and
says what is right and what is not yet.

Some exercises have no code to fix: processes run, one of them has a fault, and you find
out which, and what it is.`,
		Example: `  sockwatch exercise list
  sockwatch exercise start health-check-runs-dry   # in an empty folder of yours
  cd health-check-runs-dry
  sockwatch exercise predict 7    # what you think will happen
  sockwatch exercise check        # what happens
  sockwatch exercise watch        # checks each time you save`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return fmt.Errorf("no command %q: 'sockwatch exercise --help' shows them", args[0])
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, sub := range exerciseCommands {
		c.AddCommand(sub(streams))
	}
	return c
}

func exerciseListCommand(streams program.Streams) *cobra.Command {
	var output outputFlag
	c := &cobra.Command{
		Use:   "list",
		Short: "List the exercises, the easy ones first",
		Args:  program.Args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			all, err := exercise.All()
			if err != nil {
				return err
			}
			return output.write(streams.Out, listedExercises(all))
		},
	}
	output.add(c.Flags(), "table", tableAnswer)
	return c
}

func listedExercises(all []exercise.Exercise) *render.Document {
	table := render.Table{Name: "the exercises", Plain: true, Columns: []render.Column{
		{Title: "exercise"}, {Title: "min", Number: true}, {Title: "languages"}, {Title: "what it is about"},
	}}
	records := [][]string{{"exercise", "level", "minutes", "languages", "title"}}
	var data []render.Object
	for _, e := range all {
		group := fmt.Sprintf("level %d", e.Level)
		if n := len(table.Groups); n == 0 || table.Groups[n-1].Title != group {
			table.Groups = append(table.Groups, render.Group{Title: group})
		}
		in := e.LanguageNames()
		shown := strings.Join(in, " ")
		if e.Sort == exercise.Diagnosis {
			shown = "diagnosis"
		}
		g := &table.Groups[len(table.Groups)-1]
		g.Rows = append(g.Rows, render.Words(e.ID, fmt.Sprint(e.Minutes, " min"), shown, e.Title))
		records = append(records, []string{e.ID, fmt.Sprint(e.Level), fmt.Sprint(e.Minutes), shown, e.Title})
		data = append(data, render.Object{
			{Name: "id", Value: e.ID},
			{Name: "title", Value: e.Title},
			{Name: "level", Value: e.Level},
			{Name: "minutes", Value: e.Minutes},
			{Name: "languages", Value: in},
		})
	}
	title := words.Plural(len(all), "exercise")
	return &render.Document{
		Title: title, Records: records,
		Data:   render.Object{{Name: "schema", Value: "sockwatch.exercises/v1"}, {Name: "exercises", Value: data}},
		Blocks: []render.Block{render.Part{Title: title}, table, render.Text{Text: "Begin one with: sockwatch exercise start EXERCISE"}},
	}
}

func exerciseStartCommand(streams program.Streams) *cobra.Command {
	language := program.NewChoice("go", exercise.LanguageNames()...)
	c := &cobra.Command{
		Use:   "start ID [DIR]",
		Short: "Make a folder with an exercise to work in",
		Long: `Makes the folder DIR (default: ID) with TASK.md and the code to change. It is
complete in itself: it needs the language, and neither a network nor this repository.
Be in an empty folder of yours: in a git clone its files would be untracked ones.`,
		Example: `  sockwatch exercise start health-check-runs-dry
  sockwatch exercise start health-check-runs-dry mine --lang python`,
		Args: program.Args(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(exercise.IDs(), args[0]) {
				return program.Usagef(c, "no exercise %q%s; 'sockwatch exercise list' shows them all", args[0], program.Closest(args[0], exercise.IDs()))
			}
			e, err := exercise.Find(args[0])
			if err != nil {
				return err
			}
			dir := e.ID
			if len(args) > 1 {
				dir = args[1]
			}
			if dir == "-" {
				return program.Usagef(c, "- is no folder: give the name of one, and one named - is ./-")
			}
			if e.Sort == exercise.Diagnosis {
				if c.Flags().Changed("lang") {
					return program.Usagef(c, "%s is a diagnosis, with no code to change: leave out --lang", e.ID)
				}
				p, err := exercise.Start(e, nil, dir)
				if err != nil {
					return folderError(c, err)
				}
				sayStarted(streams.Out, p, fmt.Sprintf("2. Start the processes, and leave them running:\n     cd %s\n     sockwatch exercise run\n", folderForShell(dir))+
					"3. In another terminal, find the one with the fault.\n4. Write it into "+p.File()+", and see if it is right:\n")
				return nil
			}
			l, err := exercise.FindLanguage(language.String())
			if err != nil {
				return err
			}
			if in := e.LanguageNames(); !slices.Contains(in, l.Name) {
				return program.Usagef(c, "%s is not in %s: use --lang %s", e.ID, l.Title, strings.Join(in, " or --lang "))
			}
			p, err := exercise.Start(e, l, dir)
			if err != nil {
				return folderError(c, err)
			}
			sayStarted(streams.Out, p, fmt.Sprintf("2. Guess. %s\n     cd %s\n     sockwatch exercise predict NUMBER\n", e.Predict.Ask, folderForShell(dir))+
				"3. Change "+p.File()+", and see what it does:\n")
			if missing := l.Missing(); missing != "" {
				program.Say(streams.Err, "sockwatch: %s is not installed, or not on PATH: check will need it\n", missing)
			}
			return nil
		},
	}
	c.Flags().Var(&language, "lang", "the language to work in")
	return c
}

// folderForShell is a folder as cd takes it, which has flags, too.
func folderForShell(dir string) string {
	if strings.HasPrefix(dir, "-") {
		dir = "./" + dir
	}
	return quotedPath(dir)
}

// sayStarted says what to do next; steps are what comes between the first and the last.
func sayStarted(out io.Writer, p *exercise.Project, steps string) {
	in := "a diagnosis"
	if p.Language != nil {
		in = p.Language.Title
	}
	program.Say(out, "%s\nIn the folder %s: %s, about %d minutes.\n\n1. Read %s.\n%s     sockwatch exercise check\n",
		p.Exercise.Title, p.Dir, in, p.Exercise.Minutes, filepath.Join(p.Dir, "TASK.md"), steps)
}

// folderError is the error of a participant's folder; that of a name that is empty is one of
// the command line.
func folderError(c *cobra.Command, err error) error {
	if errors.Is(err, exercise.ErrNoFolder) {
		return program.Usagef(c, "%w", err)
	}
	return err
}

// openProject opens the participant's folder that a command line names, or the one that
// it is given in.
func openProject(c *cobra.Command, args []string) (*exercise.Project, error) {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	p, err := exercise.Open(dir)
	return p, folderError(c, err)
}

// openCode is [openProject], of an exercise with code to change; what says what cannot be
// done with another.
func openCode(c *cobra.Command, args []string, what string) (*exercise.Project, error) {
	p, err := openProject(c, args)
	if err == nil && p.Exercise.Sort == exercise.Diagnosis {
		err = program.Usagef(c, "%s is a diagnosis: %s; its commands are run and check", p.Exercise.ID, what)
	}
	return p, err
}
