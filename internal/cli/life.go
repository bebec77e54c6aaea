package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/life"
	lifeplay "socketlab/internal/life/play"
	"socketlab/internal/render"
)

var _ = register(lifeCommand)

func lifeCommand(streams program.Streams) *cobra.Command {
	var (
		output  outputFlag
		variant = program.NewChoice(life.Names()[0], life.Names()...)
		list    bool
		wait    bool
	)
	c := &cobra.Command{
		Use:   "life",
		Short: "Show one connection's life: each call, each segment, both ends' states",
		Long: `Plays one connection, from socket() until it is gone, and shows each call, each
segment, and the state of both ends after it. The connection is between two sockets
of this program, in a network namespace of its own, which needs Linux and no
privilege. Each segment is held until the states that it found are read, so that no
state is missed; the times show the order, not how fast a connection is.`,
		Example: `  sockwatch life
  sockwatch life --list
  sockwatch life --variant refused
  sockwatch life --variant lost-fin -o svg > lost-fin.svg`,
		Args: program.Args(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if list && output.name == "svg" {
				return program.Usagef(c, "-o svg draws one variant: the list of them has no picture")
			}
			if list && (wait || c.Flags().Changed("variant")) {
				return program.Usagef(c, "--variant and --wait are for a play, and --list plays none")
			}
			if list {
				return output.write(streams.Out, render.LifeVariants(life.Variants()))
			}
			answer, err := playLife(c.Context(), variant.String(), wait)
			for tries := 1; err == nil && answer.Disturbed && tries < mostPlays; tries++ {
				answer, err = playLife(c.Context(), variant.String(), wait)
			}
			switch {
			case err != nil:
				return err
			case answer.Error != "":
				return errors.New(answer.Error)
			}
			return output.write(streams.Out, render.Life(answer.Record))
		},
	}
	f := c.Flags()
	f.Var(&variant, "variant", "the course that the connection takes")
	f.BoolVar(&list, "list", false, "list the variants, and play none")
	f.BoolVar(&wait, "wait", false, "wait until TIME_WAIT ends, which takes a minute")
	output.add(f, "table", tableAnswer|render.HasCharts)
	return c
}

// lifePlayer is the hidden command that plays inside the namespace.
const lifePlayer = "play-life"

// mostPlays bounds the plays of a variant that a busy machine disturbs.
const mostPlays = 3

// lifeAnswer is written by the player: a record, or why there is none.
type lifeAnswer struct {
	Record    *life.Record `json:",omitempty"`
	Error     string       `json:",omitempty"`
	Disturbed bool         `json:",omitempty"`
}

// playLife plays a variant in a namespace of its own, which ends with it.
func playLife(ctx context.Context, variant string, wait bool) (*lifeAnswer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program's own file to start the player from it: %w", err)
	}
	namespace, err := lab.NewNamespace()
	if err != nil {
		return nil, fmt.Errorf("a connection's life is played in a network namespace of its own: %w", err)
	}
	defer namespace.Close()
	defer context.AfterFunc(ctx, func() { namespace.Close() })()
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer nothing.Close()
	said, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer said.Close()
	player, err := namespace.Start([]string{self, lifePlayer, variant, fmt.Sprint(wait)}, nothing, theirs, os.Stderr)
	if err = errors.Join(err, theirs.Close()); err != nil {
		return nil, err
	}
	var answer lifeAnswer
	err = json.NewDecoder(said).Decode(&answer)
	switch ended := player.Wait(); {
	case ctx.Err() != nil:
		return nil, &program.CodeError{Code: program.ExitInterrupted, Err: errors.New("interrupted before the connection was gone: nothing is shown of it")}
	case err != nil:
		return nil, fmt.Errorf("the player of the connection said nothing: %w", errors.Join(ended, err))
	}
	return &answer, nil
}

// lifePlayerCommand is the process inside: lifePlayer VARIANT WAIT.
func lifePlayerCommand(streams program.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   lifePlayer,
		Short: "Play one connection inside a namespace",
		Args:  program.Args(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			answer := lifeAnswer{}
			var err error
			if answer.Record, err = lifeplay.Play(c.Context(), args[0], args[1] == "true"); err != nil {
				answer = lifeAnswer{Error: err.Error(), Disturbed: errors.Is(err, lifeplay.ErrDisturbed)}
			}
			return json.NewEncoder(streams.Out).Encode(answer)
		},
	}
}
