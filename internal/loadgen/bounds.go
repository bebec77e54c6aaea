package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
)

// bounds holds a load to this machine's loopback, or to the one server that a run in a
// cluster names: a faulty client is a small denial-of-service tool. All that a [Player] lets dial passes here, by the hooks in the
// context of its calls: net.Dialer calls them for each name that it looks up and each
// address that it tries, whoever made it and for whatever protocol, also for a redirect.
//
// The hooks cannot return an error. A dial that is refused waits in its hook for the end
// of the process, which whoever plays the load sees to: nothing is sent.
type bounds struct {
	// names says that names are looked up: at a name server of the lab.
	names bool
	// server is the one address that may be dialled; the zero AddrPort is all of loopback.
	server  netip.AddrPort
	once    sync.Once
	refused chan struct{} // closed at the first dial that is refused
	what    string        // it; to be read after refused
}

// connect is the hook before a connection is opened.
func (b *bounds) connect(network, addr string) {
	if !strings.HasPrefix(network, "unix") && !b.allows(addr) {
		b.refuse("a connection to " + addr)
	}
}

// allows reports whether an address, as IP:PORT, may be dialled.
func (b *bounds) allows(addr string) bool {
	if !b.server.IsValid() {
		return onLoopback(addr)
	}
	to, err := netip.ParseAddrPort(addr)
	return err == nil && netip.AddrPortFrom(to.Addr().Unmap(), to.Port()) == b.server
}

// onLoopback reports whether an address, as IP:PORT, is on loopback.
func onLoopback(addr string) bool {
	to, err := netip.ParseAddrPort(addr)
	return err == nil && to.Addr().Unmap().IsLoopback()
}

// lookUp is the hook before a name is looked up.
func (b *bounds) lookUp(host string) {
	if !b.names && host != "localhost" {
		b.refuse(fmt.Sprintf("the look-up of %.100q", host))
	}
}

func (b *bounds) refuse(what string) {
	b.once.Do(func() {
		b.what = what
		close(b.refused)
	})
	select {}
}

// OnLoopback returns nil if a server's host is this machine's loopback: a number of it, or
// localhost where that is one.
func OnLoopback(ctx context.Context, host string) error {
	addrs := make([]netip.Addr, 1)
	var err error
	if host == "localhost" {
		addrs, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	} else if addrs[0], err = netip.ParseAddr(host); err != nil {
		err = errors.New(host + " is not on loopback")
	}
	for _, addr := range addrs {
		if err == nil && !addr.Unmap().IsLoopback() {
			if host == "localhost" {
				host += ", which is " + addr.Unmap().String() + " here,"
			}
			err = errors.New(host + " is not on loopback")
		}
	}
	return err
}

// IgnoreProxies takes the settings of proxies out of this process's environment: the
// connections that are counted go to the server, and what a proxy on loopback is sent
// would leave the machine. It is called before the first request: net/http reads the
// settings once.
func IgnoreProxies() {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		_ = os.Unsetenv(name)
		_ = os.Unsetenv(strings.ToLower(name))
	}
}
