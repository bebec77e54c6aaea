package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/fleet"
	"socketlab/internal/render"
)

var _ = register(fleetCommand)

// fleetOptions are the flags of fleet.
type fleetOptions struct {
	dns, prometheus, job string
	expect, most         int
	asking
	output outputFlag
}

// asking are the flags of a command that asks exporters or Prometheus over HTTP.
type asking struct {
	allowRemote        bool
	timeout            time.Duration
	user, passwordFile string
	ca                 string
	insecure           bool
}

// addAsking adds the flags. with says what they are for, and begins each text.
func (a *asking) addAsking(f *pflag.FlagSet, with string) {
	f.BoolVar(&a.allowRemote, "allow-remote", false, with+"connect to other machines, too")
	f.DurationVar(&a.timeout, "timeout", 10*time.Second, with+"time for an answer")
	f.StringVar(&a.user, "user", "", with+"user for basic authentication")
	f.StringVar(&a.passwordFile, "password-file", "", with+"file with the password")
	program.Needs(f, "password-file", "user")
	f.StringVar(&a.ca, "ca", "", with+"file with the certificates that sign those of who is asked")
	f.BoolVar(&a.insecure, "insecure", false, with+"do not check certificates")
}

func fleetCommand(streams program.Streams) *cobra.Command {
	var o fleetOptions
	c := &cobra.Command{
		Use:   "fleet [HOST:PORT | URL]... | --dns NAME:PORT | --prometheus URL",
		Short: "Show the processes of many nodes, the worst first",
		Long: `Asks the exporters of many nodes, or the Prometheus that scrapes them, and shows
one table: who leaks, what runs out, who grows, the worst first; and which nodes are
silent. Where one does not answer there is no sum over the fleet: it says
inconclusive. The exporters are those of the arguments, or each address of a DNS
name, such as that of a headless Service.

It connects to this machine only, unless --allow-remote.

Exit codes: 0 no fault; 3 a process with a leak or a fault; 1 when a node did not
answer, or has processes that its exporter cannot observe.`,
		Example: `  sockwatch fleet 127.0.0.1:9719
  sockwatch fleet --allow-remote node1:9719 node2:9719 node3:9719
  sockwatch fleet --allow-remote --dns sockwatch.monitoring.svc:9719 --expect 12
  sockwatch fleet --prometheus http://127.0.0.1:9090 -o json`,
		Args: program.Args(0, 10_000),
		RunE: func(c *cobra.Command, args []string) error {
			sources := 0
			for _, given := range []bool{len(args) > 0, o.dns != "", o.prometheus != ""} {
				if given {
					sources++
				}
			}
			if sources != 1 {
				return program.Usagef(c, "give exporters, or --dns, or --prometheus: just one of them")
			}
			if err := o.checkAsking(c); err != nil {
				return err
			}
			if o.dns != "" && !isPlace(o.dns) {
				return program.Usagef(c, "--dns %s: give NAME:PORT", o.dns)
			}
			if err := checkPrometheusURL(c, o.prometheus); err != nil {
				return err
			}
			secure := o.dns != "" || strings.HasPrefix(o.prometheus, "https:")
			var urls []string
			given := map[string]string{}
			for _, arg := range args {
				at, err := metricsURL(arg)
				if err != nil {
					return program.Usagef(c, "%w", err)
				}
				if other, twice := given[exporterAt(at)]; twice {
					return program.Usagef(c, "%s is given twice, also as %s: its sockets would be counted twice; leave one out", arg, other)
				}
				given[exporterAt(at)] = arg
				urls = append(urls, at.String())
				secure = secure || at.Scheme == "https"
			}
			if err := o.checkTLS(c, secure); err != nil {
				return err
			}
			return showFleet(c.Context(), streams, &o, urls)
		},
	}
	f := c.Flags()
	f.StringVar(&o.dns, "dns", "", "ask the exporter at each address of this NAME:PORT, over TLS with --ca or --insecure")
	f.StringVar(&o.prometheus, "prometheus", "", "ask this Prometheus instead, such as http://127.0.0.1:9090")
	f.StringVar(&o.job, "job", "sockwatch", "with --prometheus, the job of the exporters")
	program.Needs(f, "job", "prometheus")
	f.IntVar(&o.expect, "expect", 0, "how many nodes there should be; 0 is as many as the source names")
	f.IntVar(&o.most, "most", 20, "most processes to show in the table without a fault or a note; 0 is all")
	o.addAsking(f, "")
	o.output.add(f, "table", checkAnswer)
	return c
}

func showFleet(ctx context.Context, streams program.Streams, o *fleetOptions, urls []string) error {
	client, err := o.client(ctx)
	if err != nil {
		return err
	}
	defer client.HTTP.CloseIdleConnections()
	var found *fleet.Fleet
	switch {
	case o.prometheus != "":
		found, err = client.Prometheus(ctx, o.prometheus, o.job)
	case o.dns != "":
		if urls, err = resolve(ctx, o.dns, o.ca != "" || o.insecure); err == nil {
			found, err = client.Exporters(ctx, urls)
		}
	default:
		found, err = client.Exporters(ctx, urls)
	}
	if err != nil {
		return interruptedOr(ctx, err)
	}
	found.Expected = o.expect
	if err := o.output.write(streams.Out, render.Fleet(found, o.most)); err != nil {
		return err
	}
	if slices.ContainsFunc(found.Processes(), func(p *fleet.Process) bool { return p.Verdict.IsFault() }) {
		return &program.CodeError{Code: program.ExitFault}
	}
	switch missing, unobserved := found.Missing(), found.Unobserved(); {
	case missing > 0:
		return fmt.Errorf("inconclusive: %d of %d nodes did not answer", missing, max(o.expect, len(found.Nodes)))
	case unobserved > 0:
		return fmt.Errorf("not all could be seen: exporters cannot observe %d processes", unobserved)
	}
	return nil
}

// errNotLoopback is why no connection is made to another machine.
var errNotLoopback = errors.New("not on this machine: give --allow-remote")

// checkAsking returns what is wrong with the flags.
func (a *asking) checkAsking(c *cobra.Command) error {
	if a.timeout <= 0 {
		return program.Usagef(c, "--timeout must be above 0")
	}
	return nil
}

// checkTLS returns what is wrong with the flags where nothing is asked over TLS.
func (a *asking) checkTLS(c *cobra.Command, secure bool) error {
	for _, name := range []string{"ca", "insecure"} {
		if c.Flags().Changed(name) && !secure {
			return program.Usagef(c, "--%s is for https://, and nothing here is asked over it", name)
		}
	}
	return nil
}

// readNamed reads a file that a flag names, until ctx is done: it may be a pipe, as of
// --password-file <(pass show it), and one that nothing is written to is waited for.
func readNamed(ctx context.Context, path string) ([]byte, error) {
	type answer struct {
		data []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		data, err := os.ReadFile(path)
		read <- answer{data, err}
	}()
	select {
	case a := <-read:
		return a.data, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// client returns a client that does what the flags say. Its idle connections are the caller's
// to close.
func (o *asking) client(ctx context.Context) (*fleet.Client, error) {
	client := &fleet.Client{User: o.user}
	if o.passwordFile != "" {
		password, err := readNamed(ctx, o.passwordFile)
		if err != nil {
			return nil, fmt.Errorf("--password-file: %w", err)
		}
		client.Password = strings.TrimRight(string(password), "\r\n")
	}
	config := &tls.Config{InsecureSkipVerify: o.insecure} //nolint:gosec // where --insecure asks for it
	if o.ca != "" {
		pem, err := readNamed(ctx, o.ca)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca: %s has no certificate", o.ca)
		}
	}
	dialer := &net.Dialer{Timeout: o.timeout}
	if !o.allowRemote {
		// Checked where the connection is made: a name may stand for any address.
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !to.Addr().Unmap().IsLoopback() {
				return errNotLoopback
			}
			return nil
		}
	}
	client.HTTP = &http.Client{
		Timeout: o.timeout,
		// Headers are bounded as the answers are: many are asked at once.
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: config, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		// A redirection could lead anywhere, with the password.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client, nil
}
