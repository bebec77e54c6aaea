package cli

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/role"
	"socketlab/internal/scenario"
	"socketlab/internal/slowserver"
	"socketlab/internal/socketstats"
)

func slowserverCommand(streams Streams) *cobra.Command {
	var (
		b           scenario.Server
		listen      string
		reportEvery time.Duration
		controlled  bool
		protocol    = choice{scenario.HTTP, []string{scenario.HTTP, scenario.RowDB}}
		source      = choice{"gopsutil", socketstats.SourceNames()}
	)
	c := &cobra.Command{
		Use:   "slowserver",
		Short: "Answer late, and say which TCP connections there really are",
		Long: `Slowserver waits 20 s before each answer. Every 5 s it logs how many requests
it is working on and which TCP connections the kernel holds for its port, by
state. It stops working for a client that has left, at once.

SIGTERM or Ctrl-C drains: no new connections, and the answers under way get
--grace to be given.`,
		Example: `  slowserver                               # the original incident's server
  slowserver --delay 2s --idle-timeout 5s
  slowserver --listen 127.0.0.1:0 --hang    # any free port; never answers`,
		RunE: func(c *cobra.Command, _ []string) error {
			log := logger(streams)
			if controlled {
				return roleEnded(role.Server(c.Context(), streams.In, streams.Out, log))
			}
			b.Protocol = protocol.value
			if err := checkBehaviour(b); err != nil {
				return usagef(c, "%w", err)
			}
			if err := checkListen(listen); err != nil {
				return usagef(c, "%w", err)
			}
			src, err := socketstats.OpenSource(source.value)
			if err != nil {
				return err
			}
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return fmt.Errorf("%w; choose another address with --listen, or --listen 127.0.0.1:0 for any free port", err)
			}
			server := slowserver.New(slowserver.Config{
				Behaviour: b, ReportEvery: reportEvery, Source: src, Log: log,
			})
			if addr, ok := l.Addr().(*net.TCPAddr); ok && !addr.IP.IsLoopback() {
				fmt.Fprintf(streams.Err, "slowserver: note: %s can be reached from other machines\n", addr)
			}
			fmt.Fprintf(streams.Out, "listening on %s\n", l.Addr())
			return server.Serve(c.Context(), l)
		},
	}
	f := c.Flags()
	f.StringVar(&listen, "listen", slowserver.DefaultAddr, "address to listen on; port 0 takes a free one")
	f.DurationVar(&reportEvery, "report-every", slowserver.DefaultReportEvery, "time between two reports of the sockets; 0 for none")
	f.Var(&source, "source", "where the reports' counts come from; sockdiag is cheaper beside thousands of connections")
	f.Var(&protocol, "protocol", "what it speaks: HTTP, or rowdb, one query a line over raw TCP")
	durationFlag(f, &b.Delay, "delay", slowserver.DefaultDelay, "wait this long before each answer")
	durationFlag(f, &b.Jitter, "jitter", 0, "add a random time up to this to each delay")
	durationFlag(f, &b.SetUp, "set-up", 0, "make each new connection wait this long before its first query (rowdb)")
	f.IntVar(&b.Status, "status", 200, "HTTP status of each answer")
	f.IntVar(&b.Body, "body", 0, "size of each answer's body in bytes; 0 for a short text")
	f.BoolVar(&b.Hang, "hang", false, "accept requests and never answer them")
	durationFlag(f, &b.IdleTimeout, "idle-timeout", slowserver.DefaultIdleTimeout, "close a connection that waited this long for its next request; 0 never")
	durationFlag(f, &b.ReadHeaderTimeout, "read-header-timeout", 10*time.Second, "close a connection whose request header takes longer; 0 never")
	durationFlag(f, &b.WriteTimeout, "write-timeout", 0, "close a connection whose answer takes longer; 0 never")
	f.IntVar(&b.MaxConns, "max-conns", 0, "accept at most this many connections at a time; 0 for no limit")
	f.IntVar(&b.CloseAfter, "close-after", slowserver.DefaultCloseAfter, "close a connection after this many requests; 0 never")
	durationFlag(f, &b.AbortAfter, "abort-after", 0, "cut off every answer later than this after the first request; 0 never")
	durationFlag(f, &b.Grace, "grace", slowserver.DefaultGrace, "when stopping, wait this long for answers under way")
	controlledFlag(f, &controlled)
	return c
}

// durationFlag adds a flag for a time of a script.
func durationFlag(f *pflag.FlagSet, d *scenario.Duration, name string, def time.Duration, usage string) {
	f.DurationVar((*time.Duration)(d), name, def, usage)
}

// controlledFlag adds the flag that the lab gives to processes it starts.
func controlledFlag(f *pflag.FlagSet, controlled *bool) {
	f.BoolVar(controlled, "controlled", false, "take orders on standard input (what sockwatch uses)")
	_ = f.MarkHidden("controlled")
}

// roleEnded is the end of a role: what went wrong, it has told the lab.
func roleEnded(code int) error {
	if code == exitOK {
		return nil
	}
	return &codeError{code: code}
}

func checkBehaviour(b scenario.Server) error {
	for name, d := range map[string]scenario.Duration{
		"delay": b.Delay, "jitter": b.Jitter, "set-up": b.SetUp, "idle-timeout": b.IdleTimeout,
		"read-header-timeout": b.ReadHeaderTimeout, "write-timeout": b.WriteTimeout,
		"abort-after": b.AbortAfter, "grace": b.Grace,
	} {
		if d < 0 {
			return fmt.Errorf("--%s %s is negative", name, d)
		}
	}
	return b.Check()
}

func checkListen(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("--listen: %w; write it like 127.0.0.1:8080", err)
	}
	if host == "" {
		return errors.New("--listen " + addr + " would listen on every address of this machine: write 0.0.0.0:" + port + " if you mean it")
	}
	return nil
}
