package loadgen

import (
	"context"
	"net"
)

// ResolverAt returns a resolver that asks the name server at addr and no other,
// whatever this machine's own settings are.
func ResolverAt(addr string) *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "udp", addr)
		},
	}
}
