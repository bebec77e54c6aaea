package cli

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/profile"
	"socketlab/internal/profile/battery"
)

var _ = registerProfile(profileServerCommand)

// serverPaths are the paths that a server is asked for beside "/".
type serverPaths struct{ slow, read string }

func (p *serverPaths) add(f *pflag.FlagSet) {
	f.StringVar(&p.slow, "slow", "/slow", "path that is answered after 2 s or more")
	f.StringVar(&p.read, "read", "/read", "path that is answered once the request's body was read")
}

func (p *serverPaths) check(c *cobra.Command) error {
	for name, path := range map[string]string{"slow": p.slow, "read": p.read} {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \r\n") {
			return program.Usagef(c, "--%s: %q is no path: it begins with /", name, path)
		}
	}
	return nil
}

func profileServerCommand(streams program.Streams) *cobra.Command {
	var (
		b       battery.ServerBattery
		paths   serverPaths
		address string
		answer  profileAnswer
	)
	c := &cobra.Command{
		Use:   "server -- COMMAND | --url URL",
		Short: "Measure how a server of HTTP/1.1 treats its connections",
		Long: `Starts a server several times, each time on a port of its own, and measures how it
treats connections: after what time it closes an idle one and how, whether its
Keep-Alive header is true, how long it waits for a header and a body, how many requests
and connections it takes, and what SIGTERM does to a request under way. It takes about
80 s, with --long up to 8 minutes.

{port} in the command becomes the port; SOCKETLAB_PORT and PORT in its environment are
the same. The command is to stay in the foreground: SIGTERM goes to the process that was
started. SOCKETLAB_DIR names an empty folder, which is removed afterwards.

GET / is to be answered at once. For two questions it needs paths that few servers have:
GET /slow, answered after 2 s or more, and POST /read, answered once the body was read.
Others are named with --slow and --read; without them those questions have no answer.

With --url it measures a server of loopback that runs already. That one is not sent
SIGTERM.`,
		Example: `  sockwatch profile server -- python3 -m http.server {port}
  sockwatch profile server --save mine.yaml -- ./mine -listen 127.0.0.1:{port}
  sockwatch profile server --url http://127.0.0.1:8080/ --slow /report`,
		Args: program.Args(0, program.Any),
		RunE: func(c *cobra.Command, args []string) error {
			old, err := answer.old(c, profile.Server)
			if err != nil {
				return err
			}
			if old != nil && len(args) == 0 && address == "" {
				args = []string{old.Command}
			}
			if (len(args) > 0) == (address != "") {
				return program.Usagef(c, "give the server's COMMAND after --, or --url")
			}
			if err := paths.check(c); err != nil {
				return err
			}
			b.Slow, b.Read = paths.slow, paths.read
			if address != "" {
				addr, err := loopbackURL(address)
				if err != nil {
					return program.Usagef(c, "--url: %w", err)
				}
				b.Addr = addr
			} else {
				b.Program.Command = execLine(args)
				if b.Program.Supervisor, err = lab.CommandSupervisor(); err != nil {
					return err
				}
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
			p.Command = cmp.Or(commandLine(args), address)
			return answer.write(streams, p, old, err)
		},
	}
	f := c.Flags()
	f.StringVar(&address, "url", "", "address of a server that runs already, such as http://127.0.0.1:8080/")
	paths.add(f)
	f.BoolVar(&b.Long, "long", false, "wait up to 7 minutes for idle and header times, in place of 78 s")
	answer.add(f)
	return c
}

// execLine is a command for the shell that gives its process to the program, so that a
// signal to the process goes to the program. One word alone is a line as it is.
func execLine(args []string) string {
	if len(args) == 1 {
		return args[0]
	}
	return "exec " + commandLine(args)
}

// loopbackURL is the address in a URL of loopback.
func loopbackURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	if u.Scheme != "http" {
		return "", fmt.Errorf("%q: it begins with http://", text)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	host := u.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if addr, err := netip.ParseAddr(host); err != nil || !addr.IsLoopback() {
		return "", fmt.Errorf("%q is not an address of loopback: connections are only made there", u.Host)
	}
	return net.JoinHostPort(host, port), nil
}
