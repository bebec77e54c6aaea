package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/exercise"
	"socketlab/internal/render"
)

// maxRun bounds how long the processes of a diagnosis run.
const maxRun = 2 * time.Hour

func exerciseRunCommand(streams program.Streams) *cobra.Command {
	var (
		output outputFlag
		length time.Duration
	)
	c := &cobra.Command{
		Use:   "run [DIR]",
		Short: "Start the processes of a diagnosis, and keep them running",
		Long: `Starts the processes of the exercise in DIR (default: this folder), most of them
healthy, and keeps them running until Ctrl-C, or for the time of --for. Look at them from
another terminal. Their connections stay on this machine.`,
		Args: program.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if length <= 0 || length > maxRun {
				return program.Usagef(c, "--for %s is not between 0 and %s", length, maxRun)
			}
			p, err := openProject(c, args)
			if err != nil {
				return err
			}
			if p.Exercise.Sort != exercise.Diagnosis {
				return program.Usagef(c, "%s has code to change, and no processes: use 'sockwatch exercise check'", p.Exercise.ID)
			}
			processes, err := exercise.StartProcesses(c.Context(), p.Exercise)
			if c.Context().Err() != nil {
				if err == nil {
					processes.End()
				}
				return interrupted()
			}
			if err != nil {
				return err
			}
			defer processes.End()
			if err := output.write(streams.Out, runningProcesses(p.Exercise, processes.List)); err != nil {
				return err
			}
			fmt.Fprintf(streams.Err, "They run for %s. Leave this terminal open, and look at them from another. Ctrl-C ends them.\n", length)
			ctx, cancel := context.WithTimeout(c.Context(), length) // without the time to build them
			defer cancel()
			return processes.Wait(ctx)
		},
	}
	output.add(c.Flags(), "table", textAnswer)
	c.Flags().DurationVar(&length, "for", 20*time.Minute, "how long the processes run")
	return c
}

func runningProcesses(e exercise.Exercise, list []exercise.Process) *render.Document {
	table := render.Table{Name: "the processes", Plain: true, Columns: []render.Column{{Title: "process"}, {Title: "pid", Number: true}}}
	if e.Find.Line {
		table.Columns = append(table.Columns, render.Column{Title: "its goroutines, in a browser or by curl"})
	}
	var (
		group render.Group
		data  []render.Object
	)
	for _, p := range list {
		words := []string{p.Name, fmt.Sprint(p.PID)}
		process := render.Object{{Name: "name", Value: p.Name}, {Name: "pid", Value: p.PID}}
		if e.Find.Line {
			words = append(words, p.Profile)
			process = append(process, render.Object{{Name: "profile", Value: p.Profile}}...)
		}
		group.Rows = append(group.Rows, render.Words(words...))
		data = append(data, process)
	}
	table.Groups = []render.Group{group}
	title := e.ID + ": " + e.Title
	return &render.Document{
		Title:  title,
		Data:   render.Object{{Name: "schema", Value: "sockwatch.exercise-processes/v1"}, {Name: "exercise", Value: e.ID}, {Name: "processes", Value: data}},
		Blocks: []render.Block{render.Part{Title: title}, table},
	}
}
