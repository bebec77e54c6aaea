package client

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"socketlab/internal/loadgen"
)

// allowRemoteHint follows an error of what is not on loopback.
const allowRemoteHint = "a faulty client can overload a server; give --allow-remote if it is yours"

// checkTarget returns the host and port of a URL. A host that is not this
// machine's loopback is refused without allowRemote: a faulty client is a
// small denial-of-service tool. What the server may redirect to is refused when it
// is dialled.
func checkTarget(ctx context.Context, raw string, allowRemote bool) (addr string, err error) {
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
	if allowRemote {
		return net.JoinHostPort(u.Hostname(), port), nil
	}
	if err := loadgen.OnLoopback(ctx, u.Hostname()); err != nil {
		return "", fmt.Errorf("--url: %w: %s", err, allowRemoteHint)
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}
