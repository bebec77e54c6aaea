package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
)

// isPort reports whether a text is a port that can be connected to.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// isPlace reports whether a text is HOST:PORT, of a port that can be connected to.
func isPlace(text string) bool {
	_, port, err := net.SplitHostPort(text)
	return err == nil && isPort(port)
}

// isURL reports whether a text is the address of a server of HTTP.
func isURL(at string) bool {
	u, err := url.Parse(at)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && (u.Port() == "" || isPort(u.Port()))
}

// checkPrometheusURL returns what is wrong with a URL; "" is none.
func checkPrometheusURL(c *cobra.Command, at string) error {
	if at == "" {
		return nil
	}
	// An error would show the password, and a list of processes shows it anyway.
	if u, err := url.Parse(at); err == nil && u.User != nil {
		return program.Usagef(c, "--prometheus %s: give the user and the password by --user and --password-file", u.Redacted())
	}
	if !isURL(at) {
		return program.Usagef(c, "--prometheus %s: give a URL, such as http://127.0.0.1:9090", at)
	}
	return nil
}

// metricsURL is where an exporter's metrics are.
func metricsURL(arg string) (*url.URL, error) {
	full := arg
	if !strings.Contains(arg, "://") {
		full = "http://" + arg
	}
	u, err := url.Parse(full)
	if err != nil || !isPort(u.Port()) || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is neither HOST:PORT nor a URL with a port from 1 to 65535", arg)
	}
	if u.User != nil {
		return nil, fmt.Errorf("%q has a user in it: give --user and --password-file", u.Redacted())
	}
	port := strings.TrimLeft(u.Port(), "0")
	u.Host = net.JoinHostPort(u.Hostname(), port)
	if u.Path == "" || u.Path == "/" {
		u.Path = "/metrics"
	}
	u.Fragment, u.ForceQuery = "", false // neither says anything to a server
	return u, nil
}

// exporterAt is the same text for two URLs that surely have the same exporter behind them: a
// name of this machine's loopback device is as good as another, and one port has one server
// whatever the scheme is. Other names are not looked up: behind one address a proxy may have
// many exporters, also by the path or the query.
func exporterAt(u *url.URL) string {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if address, err := netip.ParseAddr(host); err == nil {
		host = address.Unmap().String()
	}
	switch host {
	case "", "0.0.0.0", "::", "127.0.0.1", "::1": // the first three are connected to as the local machine
		host = "localhost"
	}
	return net.JoinHostPort(host, u.Port()) + u.Path + "?" + u.RawQuery
}

// resolve returns the exporters at the addresses of a name, each once: localhost has two.
func resolve(ctx context.Context, name string, secure bool) ([]string, error) {
	host, port, err := net.SplitHostPort(name)
	if err != nil {
		return nil, err
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("--dns: %w", err)
	}
	slices.Sort(addresses)
	scheme := "http"
	if secure {
		scheme = "https"
	}
	urls, seen := []string{}, map[string]bool{}
	for _, address := range addresses {
		u := &url.URL{Scheme: scheme, Host: net.JoinHostPort(address, port), Path: "/metrics"}
		if at := exporterAt(u); !seen[at] {
			seen[at] = true
			urls = append(urls, u.String())
		}
	}
	return urls, nil
}
