package socketstats_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func conn(local, remote string, s socketstats.State) socketstats.Socket {
	socket := socketstats.Socket{Local: netip.MustParseAddrPort(local), State: s}
	if remote != "" {
		socket.Remote = netip.MustParseAddrPort(remote)
	}
	return socket
}

func TestTheEndOfASocketIsToldFromTheServersAddress(t *testing.T) {
	const (
		anyAddr = "anything" // the zero address with port 80
		clientE = "client"
		serverE = "server"
		neither = "neither"
	)
	for name, test := range map[string]struct {
		local, remote, server, want string
	}{
		"client":                             {"127.0.0.1:4000", "127.0.0.1:80", "127.0.0.1:80", clientE},
		"server":                             {"127.0.0.1:80", "127.0.0.1:4000", "127.0.0.1:80", serverE},
		"client over IPv6":                   {"[::1]:4000", "[::1]:80", "[::1]:80", clientE},
		"server over IPv6":                   {"[::1]:80", "[::1]:4000", "[::1]:80", serverE},
		"another port":                       {"127.0.0.1:4000", "127.0.0.1:81", "127.0.0.1:80", neither},
		"another address, same port":         {"127.0.0.1:4000", "127.0.0.2:80", "127.0.0.1:80", neither},
		"another server, same port":          {"127.0.0.2:80", "127.0.0.1:4000", "127.0.0.1:80", neither},
		"IPv4 client, IPv6 server":           {"127.0.0.1:4000", "127.0.0.1:80", "[::1]:80", neither},
		"IPv6 client, IPv4 server":           {"[::1]:4000", "[::1]:80", "127.0.0.1:80", neither},
		"server given as mapped":             {"127.0.0.1:4000", "127.0.0.1:80", "[::ffff:127.0.0.1]:80", clientE},
		"server on 0.0.0.0":                  {"127.0.0.1:4000", "127.0.0.1:80", "0.0.0.0:80", clientE},
		"server on [::], IPv4 client":        {"127.0.0.1:4000", "127.0.0.1:80", "[::]:80", clientE},
		"server on [::], its end":            {"[::1]:80", "[::1]:4000", "[::]:80", serverE},
		"server on [::], another port":       {"127.0.0.1:4000", "127.0.0.1:81", "[::]:80", neither},
		"server of no address, client":       {"127.0.0.1:4000", "127.0.0.1:80", anyAddr, clientE},
		"server of no address, its end":      {"10.0.0.1:80", "10.0.0.2:4000", anyAddr, serverE},
		"listener":                           {"127.0.0.1:80", "", "127.0.0.1:80", serverE},
		"listener, another address":          {"127.0.0.2:80", "", "127.0.0.1:80", neither},
		"listener, another port":             {"0.0.0.0:81", "", "127.0.0.1:80", neither},
		"listener on all, IPv4":              {"0.0.0.0:80", "", "127.0.0.1:80", serverE},
		"listener on all, IPv6":              {"[::]:80", "", "[::1]:80", serverE},
		"listener on all, dual stack":        {"[::]:80", "", "127.0.0.1:80", serverE},
		"IPv4 listener on all, IPv6 server":  {"0.0.0.0:80", "", "[::1]:80", neither},
		"listener on all for all":            {"0.0.0.0:80", "", "[::]:80", serverE},
		"client whose port is the server's":  {"127.0.0.1:80", "127.0.0.1:9", "127.0.0.2:80", neither},
		"both ports the server's, by remote": {"127.0.0.2:80", "127.0.0.1:80", "127.0.0.1:80", clientE},
		"both ports the server's, by local":  {"127.0.0.1:80", "127.0.0.2:80", "127.0.0.1:80", serverE},
	} {
		t.Run(name, func(t *testing.T) {
			at := netip.AddrPortFrom(netip.Addr{}, 80)
			if test.server != anyAddr {
				at = netip.MustParseAddrPort(test.server)
			}
			end, ok := conn(test.local, test.remote, socketstats.Established).EndOf(at)
			got := neither
			if ok {
				got = end.String()
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestCountLeavesOtherServersOut(t *testing.T) {
	sockets := []socketstats.Socket{
		conn("127.0.0.1:80", "", socketstats.Listen),
		conn("127.0.0.1:4000", "127.0.0.1:80", socketstats.Established),
		conn("127.0.0.1:80", "127.0.0.1:4000", socketstats.Established),
		conn("127.0.0.1:4001", "127.0.0.1:80", socketstats.TimeWait), // pid 0 is no reason to drop it
		conn("127.0.0.1:80", "127.0.0.1:4002", socketstats.SynRecv),
		conn("127.0.0.2:80", "", socketstats.Listen),
		conn("127.0.0.1:4000", "127.0.0.2:80", socketstats.Established),
	}
	atClient, atServer := socketstats.Count(sockets, netip.MustParseAddrPort("127.0.0.1:80"))
	require.Equal(t, counts(socketstats.Established, socketstats.TimeWait), atClient)
	require.Equal(t, counts(socketstats.Listen, socketstats.Established, socketstats.SynRecv), atServer)
}
