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
	"socketlab/internal/words"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netfault"
)

// Command is the server under test, by itself or under the orders of the lab.
func Command(streams program.Streams) *cobra.Command {
	var (
		listen      string
		reportEvery time.Duration
		controlled  bool
		upstreams   []string
		source      = program.NewChoice("gopsutil", socketstats.SourceNames()...)
	)
	protocol, protocolText := protocolFlag()
	c := &cobra.Command{
		Use:   "slowserver",
		Short: "Answer late, and say which TCP connections there really are",
		Long: `Slowserver waits 20 s before each response. Every 5 s it logs how many requests
it is working on and which TCP connections the kernel holds for its port, by
state, and which source counted them. It stops working for a client that has left, at once.

SIGTERM or Ctrl-C drains: no new connections, and the responses in progress get
--grace to be given.

Times such as --pause-after and --down-after are counted from the first
connection.`,
		Example: `  slowserver                               # the original incident's server
  slowserver --delay 2s --idle-timeout 5s
  slowserver --listen 127.0.0.1:0 --no-response  # any free port; never responds
  slowserver --delay 0 --responses whole,cut  # every second response is cut off`,
	}
	f := c.Flags()
	var defaults []scenario.Setting
	for _, k := range scenario.Keys() {
		defaults = append(defaults, scenario.Setting{Key: k, Value: k.Flag})
	}
	behaviour := AddFlags(f, "", defaults)
	c.RunE = func(c *cobra.Command, _ []string) error {
		log := program.Logger(streams)
		if controlled {
			return program.WorkerEnded(worker.Server(c.Context(), streams.In, streams.Out, log, netfault.Changes{}))
		}
		b, err := behaviour(protocol.String())
		if err := cmp.Or(err, checkUpstreams(b, upstreams), checkListen(listen)); err != nil {
			return program.Usagef(c, "%w", err)
		}
		src, err := socketstats.OpenSource(source.String())
		if err != nil {
			return err
		}
		socket, err := server.Listen(listen, b)
		if errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		if err != nil {
			return fmt.Errorf("%w; choose another address with --listen, or --listen 127.0.0.1:0 for any free port", err)
		}
		var peers []server.Peer
		for _, addr := range upstreams {
			peers = append(peers, server.Peer{Addr: addr})
		}
		srv := server.New(server.Config{
			Behaviour: b, Peers: peers, ReportEvery: reportEvery, Source: src,
			Log: log, ReportLog: log.With("source", src.Name()),
		})
		if addr, ok := socket.Addr().(*net.TCPAddr); ok && !addr.IP.IsLoopback() {
			fmt.Fprintf(streams.Err, "slowserver: note: %s can be reached from other machines\n", addr)
		}
		if down := program.LoopbackDown(); down != "" {
			fmt.Fprintf(streams.Err, "slowserver: note: %s\n", down)
		}
		fmt.Fprintf(streams.Out, "listening on %s\n", socket.Addr())
		err = srv.Serve(c.Context(), socket)
		served := srv.Served()
		fmt.Fprintf(streams.Out, "%s on %s: %d answered, %d abandoned, %d cut off\n",
			words.Plural(served.Received, "request"), words.Plural(served.Accepted, "connection"), served.Answered, served.Left, served.Cut)
		return err
	}
	f.StringVar(&listen, "listen", server.DefaultAddr, "address to listen on; port 0 takes a free one")
	f.DurationVar(&reportEvery, "report-every", server.DefaultReportEvery, "time between two reports of the sockets; 0 for none")
	f.Var(&source, "source", "where the reports' counts come from; sockdiag is cheaper beside thousands of connections")
	f.Var(&protocol, "protocol", protocolText)
	f.StringSliceVar(&upstreams, "upstreams", nil, "addresses that a balancer passes connections on to, in turn")
	program.ControlledFlag(f, &controlled)
	return c
}

// protocolFlag is the flag of what a server by itself can speak, and its usage.
func protocolFlag() (program.Choice, string) {
	var names, texts []string
	for _, p := range scenario.Protocols() {
		if !p.NameServer {
			names, texts = append(names, p.Name), append(texts, p.Name+" ("+p.Text+")")
		}
	}
	return program.NewChoice(scenario.DefaultProtocol, names...), "what it speaks: " + strings.Join(texts, "; ")
}

// checkUpstreams says what is wrong with the servers behind one that relays, or
// returns nil.
func checkUpstreams(b scenario.Server, upstreams []string) error {
	relays := scenario.ProtocolOf(b).Relays
	switch {
	case !relays && len(upstreams) > 0:
		return errors.New("--upstreams is for --protocol balancer")
	case relays && len(upstreams) == 0:
		return fmt.Errorf("--protocol %s needs --upstreams: the addresses that it passes connections on to", b.Protocol)
	}
	for _, addr := range upstreams {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("--upstreams: %w; write it like 127.0.0.1:8080", err)
		}
	}
	return nil
}

func checkListen(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("--listen: %w; write it like 127.0.0.1:8080", err)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("--listen %s: %s is not a port", addr, port)
	}
	if host == "" {
		return errors.New("--listen " + addr + " would listen on every address of this machine: write 0.0.0.0:" + port + " if you mean it")
	}
	return nil
}
