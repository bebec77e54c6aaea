package loadgen

import (
	"context"
	"fmt"
	"net"
)

// ResolverAt returns a resolver that asks the name server at addr and no other,
// whatever this machine's own settings are. It asks none that is not on loopback: a
// dialer hides the dials of its look-ups from the hooks of [Player.Keep].
func ResolverAt(addr string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: askedServer(addr).dial}
}

// askedServer is the address of one.
type askedServer string

func (n askedServer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if !onLoopback(string(n)) {
		return nil, fmt.Errorf("the name server %s is not on loopback", string(n))
	}
	return new(net.Dialer).DialContext(ctx, "udp", string(n))
}
