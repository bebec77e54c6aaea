package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/profile"
	"socketlab/internal/profile/battery"
)

var _ = registerProfile(profileClientCommand)

func profileClientCommand(streams program.Streams) *cobra.Command {
	var (
		answer profileAnswer
		can    []string
		long   bool
		c      battery.Client
	)
	command := &cobra.Command{
		Use:   "client -- COMMAND",
		Short: "Measure how a client treats its connections",
		Long: `Measures a client on a server that notes what it sees: connections opened and left,
idle times, what happens to a request that meets a closed connection, redirects,
timeouts, HTTP/2. It takes about 75 s, and with --long about 7 minutes.

COMMAND reads lines, each with a number and a URL, makes a call for each, and writes a
line with the number and ok, or the error's name. Or it has {url} in it, makes one call
and ends. Its environment says more of the call: SOCKETLAB_METHOD is GET or POST. What
else it can do, --can says:

  unread    it leaves the body unread where SOCKETLAB_BODY is unread
  unclosed  it leaves the body open where SOCKETLAB_BODY is unclosed
  new       it makes a client for each call where SOCKETLAB_CLIENT is new
  closed    and closes it where SOCKETLAB_CLIENT is closed

docs/profiles.md has a client to begin with.`,
		Example: `  sockwatch profile client -- python3 mine.py
  sockwatch profile client --save mine.yaml -- node mine.js
  sockwatch profile client --can unread,new --long -- ./mine
  sockwatch profile client -- 'curl -sf -X $SOCKETLAB_METHOD {url}'`,
		Args: program.Args(0, program.Any),
		RunE: func(cmd *cobra.Command, args []string) error {
			old, err := answer.old(cmd, profile.Client)
			if err != nil {
				return err
			}
			if old != nil && len(args) == 0 {
				args = []string{old.Command}
				if !cmd.Flags().Changed("can") {
					can = old.Can
				}
			}
			if len(args) == 0 {
				return program.Usagef(cmd, "give the client's COMMAND after --")
			}
			for _, word := range can {
				if !slices.Contains(battery.Abilities(), battery.Ability(word)) {
					return program.Usagef(cmd, "--can %q is none of unread, unclosed, new, closed", word)
				}
				c.Can = append(c.Can, battery.Ability(word))
			}
			if c.Supervisor, err = lab.CommandSupervisor(); err != nil {
				return err
			}
			c.Command = commandLine(args)
			if long {
				c.Wait = battery.LongWait
			}
			c.Progress = func(done, of int, what string) {
				program.Say(streams.Err, "measured %d of %d: %s\n", done, of, what)
			}
			p, err := c.Measure(cmd.Context())
			if p == nil {
				return err
			}
			p.Can = can
			return answer.write(streams, p, old, err)
		},
	}
	f := command.Flags()
	f.StringSliceVar(&can, "can", nil, "what COMMAND can do: unread, unclosed, new, closed")
	f.BoolVar(&long, "long", false, "wait 400 s, in place of 65 s, for what may never happen")
	answer.add(f)
	return command
}

// commandLine is the words of a command as a line for the system's shell. One word alone
// is a line already.
func commandLine(args []string) string {
	if len(args) == 1 {
		return args[0]
	}
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = quoted(arg)
	}
	return strings.Join(words, " ")
}
