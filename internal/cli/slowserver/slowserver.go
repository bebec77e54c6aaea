// Package slowserver is the command slowserver.
package slowserver

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker"
)

// Command is the server under test, by itself or under the orders of the lab.
func Command(streams program.Streams) *cobra.Command {
	var (
		b           scenario.Server
		listen      string
		reportEvery time.Duration
		controlled  bool
		responses   []string
		upstreams   []string
		protocol    = program.NewChoice(scenario.HTTP, scenario.HTTP, scenario.HTTPS, scenario.H2C, scenario.ToyDB, scenario.Balancer)
		source      = program.NewChoice("gopsutil", socketstats.SourceNames()...)
	)
	c := &cobra.Command{
		Use:   "slowserver",
		Short: "Answer late, and say which TCP connections there really are",
		Long: `Slowserver waits 20 s before each answer. Every 5 s it logs how many requests
it is working on and which TCP connections the kernel holds for its port, by
state. It stops working for a client that has left, at once.

SIGTERM or Ctrl-C drains: no new connections, and the answers under way get
--grace to be given.

Times such as --pause-after and --down-after are counted from the first
connection.`,
		Example: `  slowserver                               # the original incident's server
  slowserver --delay 2s --idle-timeout 5s
  slowserver --listen 127.0.0.1:0 --no-response  # any free port; never answers
  slowserver --delay 0 --responses whole,cut  # every second answer is cut off`,
		RunE: func(c *cobra.Command, _ []string) error {
			log := program.Logger(streams)
			if controlled {
				return program.WorkerEnded(worker.Server(c.Context(), streams.In, streams.Out, log))
			}
			b.Protocol = protocol.String()
			for _, a := range responses {
				b.Responses = append(b.Responses, scenario.Response(a))
			}
			if err := cmp.Or(CheckBehaviour(b), checkUpstreams(b.Protocol, upstreams)); err != nil {
				return program.Usagef(c, "%w", err)
			}
			if err := checkListen(listen); err != nil {
				return program.Usagef(c, "%w", err)
			}
			src, err := socketstats.OpenSource(source.String())
			if err != nil {
				return err
			}
			defer src.Close()
			l, err := server.Listen(listen, b)
			if errors.Is(err, errors.ErrUnsupported) {
				return err
			}
			if err != nil {
				return fmt.Errorf("%w; choose another address with --listen, or --listen 127.0.0.1:0 for any free port", err)
			}
			srv := server.New(server.Config{
				Behaviour: b, Upstreams: upstreams, ReportEvery: reportEvery, Source: src, Log: log,
			})
			if addr, ok := l.Addr().(*net.TCPAddr); ok && !addr.IP.IsLoopback() {
				fmt.Fprintf(streams.Err, "slowserver: note: %s can be reached from other machines\n", addr)
			}
			fmt.Fprintf(streams.Out, "listening on %s\n", l.Addr())
			return srv.Serve(c.Context(), l)
		},
	}
	f := c.Flags()
	f.StringVar(&listen, "listen", server.DefaultAddr, "address to listen on; port 0 takes a free one")
	f.DurationVar(&reportEvery, "report-every", server.DefaultReportEvery, "time between two reports of the sockets; 0 for none")
	f.Var(&source, "source", "where the reports' counts come from; sockdiag is cheaper beside thousands of connections")
	f.Var(&protocol, "protocol", "what it speaks: HTTP, plain, with TLS and a certificate of its own (https) or as HTTP/2 too (h2c); toydb, one query a line over raw TCP; or balancer, which passes connections on")
	f.StringSliceVar(&upstreams, "upstreams", nil, "addresses that a balancer passes connections on to, in turn")
	program.DurationFlag(f, &b.Delay, "delay", server.DefaultDelay, "wait this long before each answer")
	program.DurationFlag(f, &b.Jitter, "jitter", 0, "add a random time up to this to each delay")
	program.DurationFlag(f, &b.HandshakeDelay, "handshake-delay", 0, "make each new connection wait this long before its first query (toydb)")
	f.IntVar(&b.Status, "status", 200, "HTTP status of each answer")
	f.IntVar(&b.Body, "body", 0, "size of each answer's body in bytes; 0 for a short text")
	f.BoolVar(&b.NoResponse, "no-response", false, "accept requests and never answer them")
	f.StringSliceVar(&responses, "responses", nil, "how to treat successive responses, cycling: "+joined(scenario.Responses()))
	f.IntVar(&b.Workers, "workers", 0, "work on this many requests at a time; the others wait; 0 for no limit")
	program.DurationFlag(f, &b.PauseAfter, "pause-after", 0, "answer nothing from then on, for the time of --pause-for")
	program.DurationFlag(f, &b.PauseFor, "pause-for", 0, "how long the pause lasts")
	f.BoolVar(&b.NoRead, "no-read", false, "accept connections, and neither read nor write")
	f.BoolVar(&b.NoAccept, "no-accept", false, "never accept, with the shortest queue there is (Linux)")
	f.IntVar(&b.Backlog, "backlog", 0, "let this many connections wait to be accepted (Linux); 0 for the system's limit")
	program.DurationFlag(f, &b.IdleTimeout, "idle-timeout", server.DefaultIdleTimeout, "close a connection that waited this long for its next request; 0 never")
	program.DurationFlag(f, &b.ReadHeaderTimeout, "read-header-timeout", 10*time.Second, "close a connection whose request header takes longer; 0 never")
	program.DurationFlag(f, &b.WriteTimeout, "write-timeout", 0, "close a connection whose answer takes longer; 0 never")
	f.IntVar(&b.MaxConns, "max-conns", 0, "accept at most this many connections at a time; 0 for no limit")
	f.StringVar(&b.OverLimit, "over-limit", "", "what becomes of connections above --max-conns: wait (the default), refuse (503, then closed) or close")
	program.DurationFlag(f, &b.DownAfter, "down-after", 0, "be gone from then on, with all connections, for the time of --down-for; 0 never")
	program.DurationFlag(f, &b.DownFor, "down-for", 0, "how long that lasts; 0 is a restart")
	f.IntVar(&b.CloseAfter, "close-after", server.DefaultCloseAfter, "close a connection after this many requests; 0 never")
	program.DurationFlag(f, &b.AbortAfter, "abort-after", 0, "cut off every answer later than this after the first request; 0 never")
	program.DurationFlag(f, &b.Grace, "grace", server.DefaultGrace, "when stopping, wait this long for answers under way")
	program.ControlledFlag(f, &controlled)
	return c
}

// CheckBehaviour says what of a behaviour makes no sense, or returns nil.
func CheckBehaviour(b scenario.Server) error {
	for name, d := range map[string]scenario.Duration{
		"delay": b.Delay, "jitter": b.Jitter, "idle-timeout": b.IdleTimeout,
		"read-header-timeout": b.ReadHeaderTimeout, "write-timeout": b.WriteTimeout,
		"abort-after": b.AbortAfter, "grace": b.Grace, "handshake-delay": b.HandshakeDelay,
		"pause-after": b.PauseAfter, "pause-for": b.PauseFor, "down-after": b.DownAfter, "down-for": b.DownFor,
	} {
		if d < 0 {
			return fmt.Errorf("--%s %s is negative", name, d)
		}
	}
	return cmp.Or(b.Check(), server.Check(b))
}

// checkUpstreams says what is wrong with the servers behind a balancer, or returns
// nil.
func checkUpstreams(protocol string, upstreams []string) error {
	switch {
	case protocol != scenario.Balancer && len(upstreams) > 0:
		return errors.New("--upstreams is for --protocol balancer")
	case protocol == scenario.Balancer && len(upstreams) == 0:
		return errors.New("--protocol balancer needs --upstreams: the addresses that it passes connections on to")
	}
	for _, addr := range upstreams {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("--upstreams: %w; write it like 127.0.0.1:8080", err)
		}
	}
	return nil
}

// joined is the values of a flag.
func joined[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
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
