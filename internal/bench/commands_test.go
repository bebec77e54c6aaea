package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// noOldBuild is the limit of a table that compares with the old build where there is none.
const noOldBuild = "Not measured: the commit to compare with is not in this clone (scripts/bench)."

// timeOf runs a command to its end, and returns how long that took.
func timeOf(ctx context.Context, command []string) (time.Duration, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.SysProcAttr = diesWithUs()
	cmd.Stdout, cmd.Stderr = io.Discard, &stderr
	begin := time.Now()
	err := cmd.Run()
	took := time.Since(begin)
	count(cmd.ProcessState)
	if err != nil {
		return 0, fmt.Errorf("run %v: %w %s", command, err, &stderr)
	}
	return took, nil
}

// measureCommands measures commands that answer at once.
func measureCommands(ctx context.Context, o options, n *neighbours) (table, error) {
	const times = 20
	commands := []string{"--help", "list"}
	took := make([]figures, len(commands))
	for run := range o.runs {
		for i, command := range commands {
			what := fmt.Sprintf("sockwatch %s, run %d of %d", command, run+1, o.runs)
			all, err := undisturbed(ctx, n, what, func() (all figures, err error) {
				for range times {
					d, err := timeOf(ctx, []string{o.sockwatch, command})
					if err != nil {
						return nil, err
					}
					all = append(all, millis(d))
				}
				return all, nil
			})
			if err != nil {
				return table{}, err
			}
			took[i] = append(took[i], all.median())
		}
	}
	return table{
		title: "Commands that answer at once", columns: []string{"sockwatch"},
		rows: []row{
			{"`sockwatch --help`, ms", 1, []figures{took[0]}, atMost(10, took[0].median())},
			{"`sockwatch list`, ms", 1, []figures{took[1]}, atMost(10, took[1].median())},
		},
		how: fmt.Sprintf("From the start of the process to its end; a run's figure is the median of %d.", times),
	}, nil
}

// measureCatalogue plays the scenarios that the old build has with both builds.
func measureCatalogue(ctx context.Context, o options, n *neighbours) (table, error) {
	t := table{
		title: "Playing the catalogue", columns: []string{"sockwatch", "the old build"},
		how: `The time of sockwatch run with the scenarios that the old build (commit 64b316a) has, a seed for
each run. Every scenario must show what its script expects, or nothing is written.`,
	}
	if o.old == "" {
		t.limits = []string{noOldBuild}
		return t, nil
	}
	listed, err := exec.CommandContext(ctx, o.old, "list", "-o", "json").Output()
	if err != nil {
		return table{}, fmt.Errorf("list the scenarios of the old build: %w", err)
	}
	var scenarios []struct{ ID string }
	if err := json.Unmarshal(listed, &scenarios); err != nil {
		return table{}, err
	}
	builds := []string{o.sockwatch, o.old}
	took := make([]figures, len(builds))
	for run := range min(o.runs, 3) {
		for _, i := range order(len(builds), run) {
			command := []string{builds[i], "run", "-q", "--seed", strconv.Itoa(run + 1)}
			for _, s := range scenarios {
				command = append(command, s.ID)
			}
			what := fmt.Sprintf("play %d scenarios, run %d: %s", len(scenarios), run+1, t.columns[i])
			d, err := undisturbed(ctx, n, what, func() (time.Duration, error) { return timeOf(ctx, command) })
			if err != nil {
				return table{}, err
			}
			took[i] = append(took[i], d.Seconds())
		}
	}
	ratio := took[0].over(took[1])
	t.rows = []row{
		{fmt.Sprintf("`sockwatch run` of %d scenarios, s", len(scenarios)), 1, slices.Clone(took), nil},
		{"the same against the old build", 2, []figures{ratio, nil}, atMost(0.6, ratio.median())},
	}
	return t, nil
}
