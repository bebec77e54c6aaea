package socketstats

import (
	"net"
	"net/netip"
)

// Addresses are those of this machine's network interfaces.
type Addresses map[netip.Addr]bool

// OwnAddresses returns the addresses of this thread's network namespace. Loopback
// is among them even where they cannot be read.
func OwnAddresses() Addresses {
	own := Addresses{}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				own[addr.Unmap()] = true
			}
		}
	}
	return own
}

// Has reports whether an address is one of them.
func (a Addresses) Has(addr netip.Addr) bool { return addr.IsLoopback() || a[addr] }
