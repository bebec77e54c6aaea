package loadgen

import (
	"context"
	"fmt"
	"net"
)

// DialByName returns a function for Transport.DialContext that asks the name
// server at addr each time it dials: its SRV record says which server is meant,
// and at which port.
func DialByName(addr string) func(ctx context.Context, network, hostPort string) (net.Conn, error) {
	resolver := ResolverAt(addr)
	dialer := net.Dialer{Resolver: resolver}
	return func(ctx context.Context, network, hostPort string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(hostPort)
		if err != nil {
			return nil, err
		}
		_, servers, err := resolver.LookupSRV(ctx, "", "", host)
		if err != nil {
			return nil, err
		}
		if len(servers) == 0 {
			return nil, &net.DNSError{Err: "no such host", Name: host, Server: addr, IsNotFound: true}
		}
		return dialer.DialContext(ctx, network, fmt.Sprintf("%s:%d", servers[0].Target, servers[0].Port))
	}
}
