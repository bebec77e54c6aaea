package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/profile"
	"socketlab/internal/profile/battery"
	"socketlab/internal/regular"
	"socketlab/internal/render"
	"socketlab/internal/scratch"
	"socketlab/profiles"
)

var _ = register(matchCommand)

// matchOptions are the flags of match.
type matchOptions struct {
	output      outputFlag
	traffic     profile.Traffic
	clientIdle  string
	serverIdle  string
	proxyIdle   string
	backendIdle string
	play        bool
	atlas       string
}

func matchCommand(streams program.Streams) *cobra.Command {
	o := matchOptions{traffic: profile.Traffic{PerSecond: 1, Connections: 1, RTT: time.Millisecond}}
	c := &cobra.Command{
		Use:   "match [CLIENT] [PROXY] [SERVER]",
		Short: "Say which of two programs closes their connections first, and which requests fail of it",
		Long: `Says of a client and a server, or of a client, a proxy and a server, who closes an idle
connection first, where TIME_WAIT is then, which requests meet a connection that is being
closed and how many these are at a given traffic, what their callers see, and which
setting ends it.

A program is the name of one in the atlas, or a file that sockwatch profile has written.
In the place of a program, or of its measured times, --client-idle and --server-idle are
numbers: a time such as 90s, or never.

With --play both programs run, with what delays them by --rtt between them, and make
requests after pauses about the time at which the one closes: for each method some dozens,
in about a minute. It prints the prediction beside the measurement and exits with 3 where
they differ.`,
		Example: `  sockwatch match node-fetch-3 nginx
  sockwatch match --client-idle 90s --server-idle 5s --rate 20/m --rtt 40ms
  sockwatch match node-fetch-3 haproxy mine.yaml
  sockwatch match axios lighttpd --play
  sockwatch match node-fetch-3 express --client-idle 4s    # what if it were set so?`,
		Args: program.Args(0, 3),
		RunE: func(c *cobra.Command, args []string) error {
			hops, err := o.hops(c, args)
			if err != nil {
				return err
			}
			// Without the flag the folder may be missing: the lab's own is played then.
			if info, err := os.Stat(o.atlas); c.Flags().Changed("atlas") && (err != nil || !info.IsDir()) {
				return program.Usagef(c, "--atlas: there is no folder %s: give the folder profiles of socketlab's source", o.atlas)
			}
			if o.play && !c.Flags().Changed("rtt") {
				o.traffic.RTT = battery.PlayRTT
			}
			var matches []*profile.Match
			for _, hop := range hops {
				matches = append(matches, profile.Pair(hop[0], hop[1], o.traffic))
			}
			if !o.play {
				return o.output.write(streams.Out, render.Match(matches, nil))
			}
			return o.playAll(c.Context(), streams, matches)
		},
	}
	o.add(c.Flags())
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return profileIDs(), cobra.ShellCompDirectiveDefault
	}
	return c
}

func (o *matchOptions) add(f *pflag.FlagSet) {
	f.StringVar(&o.clientIdle, "client-idle", "", "the client closes an idle connection after this time, such as 90s, or never")
	f.StringVar(&o.serverIdle, "server-idle", "", "the server does after this time")
	f.StringVar(&o.proxyIdle, "proxy-idle", "", "the proxy does after this time, on the side of its clients")
	f.StringVar(&o.backendIdle, "proxy-backend-idle", "", "and after this time on the side of its backend")
	f.Var(rateFlag{&o.traffic.PerSecond}, "rate", "requests, such as 10/s, 20/m or 500/h; they come at random moments")
	f.IntVar(&o.traffic.Connections, "connections", 1, "connections that share the requests")
	f.BoolVar(&o.play, "play", false, "prove it: play the programs where they are installed, or else the lab's own set to the same times; --rtt is 200ms then, unless it is given")
	f.StringVar(&o.atlas, "atlas", "profiles", "folder with the adapters of the atlas, which start its programs for --play")
	program.Needs(f, "atlas", "play")
	f.DurationVar(&o.traffic.RTT, "rtt", o.traffic.RTT, "time of a packet to the server and back")
	o.output.add(f, "table", tableAnswer)
}

// playAll plays the hops, one after the other, and prints what they showed.
func (o *matchOptions) playAll(ctx context.Context, streams program.Streams, hops []*profile.Match) error {
	supervisor, err := lab.CommandSupervisor()
	if err != nil {
		return err
	}
	tmp, err := scratch.New("match")
	if err != nil {
		return err
	}
	defer func() { _ = tmp.Remove() }()
	installed := map[*profile.Profile]string{}
	var why []string
	own := map[*profile.Profile]string{}
	for i, hop := range hops {
		for _, p := range []*profile.Profile{hop.Client, hop.Server} {
			if installed[p] != "" || own[p] != "" {
				continue
			}
			into := filepath.Join(tmp.Path, fmt.Sprint(i, p.Kind))
			err := notOfTheAtlas(p)
			if err == nil {
				program.Say(streams.Err, "installing %s\n", p.Name)
				err = battery.Install(ctx, p, o.atlas, into, streams.Err)
			}
			if err == nil {
				installed[p] = into
				continue
			}
			own[p] = fmt.Sprintf("the lab's own in place of %s: %v", p.Name, err)
			why = append(why, own[p])
		}
	}
	var played []*profile.Played
	wrong, undecided, stopped := false, false, false
	for _, hop := range hops {
		program.Say(streams.Err, "playing %s and %s\n", hop.Client.Name, hop.Server.Name)
		p, err := battery.Player{Supervisor: supervisor, ClientDir: installed[hop.Client], ServerDir: installed[hop.Server]}.Play(ctx, hop)
		stopped = err != nil && ctx.Err() != nil
		if err != nil && !stopped {
			return fmt.Errorf("%s and %s: %w", hop.Client.Name, hop.Server.Name, err)
		}
		if p != nil {
			p.Why = why
			played = append(played, p)
			differs, open := hop.Disagreements(p)
			wrong, undecided = wrong || len(differs) > 0, undecided || len(open) > 0
		}
		if stopped {
			break
		}
	}
	// The prediction, too, where no trial was made.
	if err := o.output.write(streams.Out, render.Match(hops, played)); err != nil {
		return err
	}
	if stopped {
		return interrupted()
	}
	if wrong {
		return &program.CodeError{Code: program.ExitFault}
	}
	if undecided {
		return errors.New("not decided: play it again on a quiet machine, or with a longer --rtt")
	}
	return nil
}

// notOfTheAtlas is why a program cannot be played itself; nil for one of the atlas.
func notOfTheAtlas(p *profile.Profile) error {
	switch {
	case p.ID == "", strings.Contains(p.Name, ", --"):
		return errors.New("its idle time is a number: the lab's own is set to it")
	case p.Adapter == "":
		return errors.New("only programs of the atlas are played, and its profile is a file: the lab's own is set to its times")
	}
	return nil
}

func profileIDs() []string {
	var ids []string
	for _, p := range profiles.All() {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	return ids
}

// maxProfile bounds what is read as a profile. The longest of the atlas has about 1 KiB.
const maxProfile = 64 << 10

// findProfile finds a profile by its name in the atlas, or reads its file.
func findProfile(word string) (*profile.Profile, error) {
	if p := profiles.Find(word); p != nil {
		copied := *p
		return &copied, nil
	}
	text, err := regular.Read(word, maxProfile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%q is neither a program of the atlas nor a file%s", word, program.Closest(word, profileIDs()))
	}
	if err != nil {
		return nil, err
	}
	return profile.Parse(word, text)
}

// hops are the pairs of programs with connections between them.
func (o *matchOptions) hops(c *cobra.Command, args []string) ([][2]*profile.Profile, error) {
	if err := o.traffic.Check(); err != nil {
		return nil, program.Usagef(c, "%w", err)
	}
	parts := map[profile.Kind]*profile.Profile{}
	last := -1
	order := []profile.Kind{profile.Client, profile.Proxy, profile.Server}
	for _, word := range args {
		p, err := findProfile(word)
		if err != nil {
			return nil, program.Usagef(c, "%w", err)
		}
		at := slices.Index(order, p.Kind)
		if at <= last {
			return nil, program.Usagef(c, "%s is a %s: the order is CLIENT PROXY SERVER, one of each at most", word, p.Kind)
		}
		last, parts[p.Kind] = at, p
	}
	for _, set := range []struct {
		flag, text string
		kind       profile.Kind
		questions  []string
	}{
		{"client-idle", o.clientIdle, profile.Client, []string{"idle_close", "idle_close_shortest"}},
		{"server-idle", o.serverIdle, profile.Server, []string{"idle_timeout", "idle_timeout_shortest"}},
		{"proxy-idle", o.proxyIdle, profile.Proxy, []string{"idle_timeout", "idle_timeout_shortest"}},
		{"proxy-backend-idle", o.backendIdle, profile.Proxy, []string{"idle_close", "idle_close_shortest"}},
	} {
		if set.text == "" {
			continue
		}
		p, named := parts[set.kind]
		if !named {
			p = &profile.Profile{Kind: set.kind, Name: "a " + string(set.kind)}
			parts[set.kind] = p
		}
		values := map[string]profile.Value{}
		for id, v := range p.Values {
			values[id] = v
		}
		p.Values = values
		if named {
			p.Name += ", --" + set.flag + " " + set.text
		}
		for _, id := range set.questions {
			q, _ := profile.Lookup(id)
			v, err := q.Parse(set.text)
			if err != nil {
				return nil, program.Usagef(c, "--%s: %w", set.flag, err)
			}
			p.Set(id, v)
		}
	}
	var chain []*profile.Profile
	for _, k := range order {
		if parts[k] != nil {
			chain = append(chain, parts[k])
		}
	}
	if len(chain) < 2 {
		return nil, program.Usagef(c, "name a client and a server, or give --client-idle and --server-idle; the atlas has %s", strings.Join(profileIDs(), ", "))
	}
	var hops [][2]*profile.Profile
	for i := range chain[1:] {
		hops = append(hops, [2]*profile.Profile{chain[i], chain[i+1]})
	}
	return hops, nil
}
