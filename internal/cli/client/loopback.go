package client

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// checkTarget returns the host and port of a URL. A host that is not this
// machine's loopback is refused without allowRemote: a faulty client is a
// small denial-of-service tool.
func checkTarget(raw string, allowRemote bool) (addr string, err error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("--url: %w", err)
	}
	if u.Scheme != "http" || u.Host == "" {
		return "", fmt.Errorf("--url %q is not of the form http://HOST:PORT", raw)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	if !isLoopback(u.Hostname()) && !allowRemote {
		return "", fmt.Errorf("%s is not on loopback: a faulty client can wear a server out; give --allow-remote if it is yours", u.Host)
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

// isLoopback judges by the name alone and asks no name server, which could
// answer otherwise a moment later.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
