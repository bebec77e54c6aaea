package errorcatalog

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// ofTheKernel are those that take an option of a socket, a limit, or a network
// of one's own to make.
var ofTheKernel = []proof{
	{entry: "EADDRNOTAVAIL", when: "no port left (connect)", make: func(t *testing.T) (response, error) {
		// A range of one port, which is taken.
		port := uint32(netip.MustParseAddrPort(bound(t, -1)).Port())
		return nil, dial(here, with(t, unix.IPPROTO_IP, unix.IP_LOCAL_PORT_RANGE, int(port<<16|port)), bound(t, 1))
	}},
	{entry: "ETIMEDOUT", when: "from conn.Write or Read, TCP_USER_TIMEOUT", make: func(t *testing.T) (response, error) {
		// The peer acknowledges and never reads: there the kernel gives up on
		// data that was not taken, as it does on data that was not acknowledged.
		d := with(t, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(brief.Milliseconds()))
		conn, err := d.Dial("tcp", serve(t, silent))
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return nil, writeUntilItFails(conn)
	}},
	{entry: "ETIMEDOUT", when: "from a dial, no SYN answered", make: func(t *testing.T) (response, error) {
		return nil, dial(here, with(t, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(brief.Milliseconds())), full(t))
	}},
	{entry: "ENETUNREACH", when: "from a dial", apart: true, make: func(*testing.T) (response, error) {
		return nil, dial(here, net.Dialer{}, "192.0.2.1:80")
	}},
	{entry: "EHOSTUNREACH", when: "from a dial", apart: true, make: func(t *testing.T) (response, error) {
		loopbackUp(t)
		unreachable(t, netip.MustParseAddr("192.0.2.1"))
		return nil, dial(here, net.Dialer{}, "192.0.2.1:80")
	}},
	{entry: "ECONNABORTED", when: "the socket was destroyed (ss -K)", apart: true, make: func(t *testing.T) (response, error) {
		loopbackUp(t)
		end := make(chan error, 1)
		conn := connect(t, serve(t, func(peer *net.TCPConn) {
			_, err := peer.Read(make([]byte, 1))
			end <- err
		}))
		destroy(t, conn)
		require.ErrorIs(t, <-end, syscall.ECONNRESET, "at the other end")
		_, err := conn.Read(make([]byte, 1))
		return nil, err
	}},
	{entry: "EMFILE", when: "from a dial", apart: true, make: func(t *testing.T) (response, error) {
		loopbackUp(t)
		addr := listen(t).Addr().String()
		noneLeft(t)
		return nil, dial(here, net.Dialer{}, addr)
	}},
	{entry: "EMFILE", when: "from http.Client", apart: true, make: func(t *testing.T) (response, error) {
		loopbackUp(t)
		addr := listen(t).Addr().String()
		noneLeft(t)
		return get(t, here, "http://"+addr, nil)
	}},
	{entry: "EMFILE", when: "from accept", apart: true, make: func(t *testing.T) (response, error) {
		loopbackUp(t)
		l := listen(t)
		connect(t, l.Addr().String())
		noneLeft(t)
		_, err := l.Accept()
		return nil, err
	}},
}

// with is a dialer whose sockets have an option.
func with(t *testing.T, level, option, value int) net.Dialer {
	return net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			if err := unix.SetsockoptInt(int(fd), level, option, value); errors.Is(err, unix.ENOPROTOOPT) {
				t.Skip("this kernel does not know the option", option)
			} else if err != nil {
				t.Error(err)
			}
		})
	}}
}

// listen is a listener as long as the test lasts. No goroutine accepts: that takes a descriptor
// for a moment even where there is no connection (accept4 in net/socket.c).
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// noneLeft takes all descriptors that this process may still have.
func noneLeft(t *testing.T) {
	t.Helper()
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: 64}))
	for {
		file, err := os.Open(os.DevNull)
		if err != nil {
			require.ErrorIs(t, err, syscall.EMFILE)
			return
		}
		t.Cleanup(func() { file.Close() })
	}
}

// unreachable adds a route that says so.
func unreachable(t *testing.T, to netip.Addr) {
	t.Helper()
	route := make([]byte, unix.SizeofRtMsg, unix.SizeofRtMsg+8)
	route[0], route[1] = unix.AF_INET, 32
	route[4], route[5], route[7] = unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, unix.RTN_UNREACHABLE
	route = binary.NativeEndian.AppendUint16(route, 8)
	route = binary.NativeEndian.AppendUint16(route, unix.RTA_DST)
	route = append(route, to.AsSlice()...)
	require.NoError(t, netlink(t, unix.NETLINK_ROUTE, unix.RTM_NEWROUTE, unix.NLM_F_CREATE, route))
}

// destroy is ss -K (sock_diag(7), struct inet_diag_req_v2).
func destroy(t *testing.T, conn net.Conn) {
	t.Helper()
	const sockDestroy = 21
	local := netip.MustParseAddrPort(conn.LocalAddr().String())
	remote := netip.MustParseAddrPort(conn.RemoteAddr().String())
	request := make([]byte, 56)
	request[0], request[1] = unix.AF_INET, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(request[4:], ^uint32(0)) // any state
	binary.BigEndian.PutUint16(request[8:], local.Port())
	binary.BigEndian.PutUint16(request[10:], remote.Port())
	copy(request[12:], local.Addr().AsSlice())
	copy(request[28:], remote.Addr().AsSlice())
	binary.NativeEndian.PutUint64(request[48:], ^uint64(0)) // any cookie
	err := netlink(t, unix.NETLINK_SOCK_DIAG, sockDestroy, 0, request)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) {
		t.Skip("this kernel is built without INET_DIAG_DESTROY:", err)
	}
	require.NoError(t, err)
}
