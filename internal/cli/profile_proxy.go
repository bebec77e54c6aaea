package cli

import (
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/profile"
	"socketlab/internal/profile/battery"
)

var _ = registerProfile(profileProxyCommand)

func profileProxyCommand(streams program.Streams) *cobra.Command {
	var (
		b      battery.ProxyBattery
		answer profileAnswer
	)
	c := &cobra.Command{
		Use:   "proxy -- COMMAND",
		Short: "Measure how a reverse proxy treats its connections, on both sides",
		Long: `Starts a reverse proxy of HTTP/1.1 several times, each time with a port and a server of
ours behind it, and measures both sides: what it does to its clients, as profile server
does, and what it does to the backend: how many connections it opens and when it closes
them, whether it passes the backend's Keep-Alive header on, and what happens to a GET and
a POST when the backend has just closed the connection. It takes about 80 s.

{port} in the command becomes the proxy's port and {backend} the server's address
(127.0.0.1:PORT); SOCKETLAB_PORT and SOCKETLAB_BACKEND in its environment are the same,
for configurations. SOCKETLAB_DIR names an empty folder, which is removed afterwards.
All paths are to go to the backend.`,
		Example: `  sockwatch profile proxy -- caddy reverse-proxy --from http://127.0.0.1:{port} --to {backend}
  sockwatch profile proxy --save mine.yaml -- ./mine -listen 127.0.0.1:{port} -to http://{backend}`,
		Args: program.Args(0, program.Any),
		RunE: func(c *cobra.Command, args []string) error {
			old, err := answer.old(c, profile.Proxy)
			if err != nil {
				return err
			}
			if old != nil && len(args) == 0 {
				args = []string{old.Command}
			}
			if len(args) == 0 {
				return program.Usagef(c, "give the proxy's COMMAND after --")
			}
			b.Program.Command = execLine(args)
			if b.Program.Supervisor, err = lab.CommandSupervisor(); err != nil {
				return err
			}
			b.Say = func(format string, args ...any) { program.Say(streams.Err, format+"\n", args...) }
			begun := time.Now()
			p, err := b.Measure(c.Context())
			if p == nil {
				return err
			}
			if err == nil {
				b.Say("measured in %.0f s", time.Since(begun).Seconds())
			}
			p.Command = commandLine(args)
			return answer.write(streams, p, old, err)
		},
	}
	f := c.Flags()
	f.BoolVar(&b.Long, "long", false, "wait up to 7 minutes for idle and header times, in place of 78 s")
	answer.add(f)
	return c
}
