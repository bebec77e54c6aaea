package statefixture

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Sizes for fill, in bytes: the data has room in the sender's buffer (the kernel
// doubles the number that it is given), and is far more than the receiver's.
const (
	stuckBytes = 64 << 10
	sendBuffer = 128 << 10
	recvBuffer = 4 << 10
)

// Backlog is the backlog of a fixture's listeners until SynSent: more connections than
// any test leaves unaccepted or half-open.
const Backlog = 64

// socket opens a TCP socket for the family of addr. It does not use package net,
// whose listeners are MPTCP sockets, and which hides most of what is done here.
func (z *Fixture) socket(addr netip.AddrPort) int {
	z.t.Helper()
	domain := unix.AF_INET
	if addr.Addr().Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	z.skipWithoutFamily(err)
	// An accepted socket has its listener's buffers.
	require.NoError(z.t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer))
	require.NoError(z.t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, recvBuffer))
	return fd
}

// bind opens and binds a socket for a listener at addr, or at [::] in DualStack. Port
// 0 never gives a port that is in use, with or without SO_REUSEPORT.
func (z *Fixture) bind(addr netip.AddrPort) int {
	z.t.Helper()
	if z.family == DualStack {
		addr = netip.AddrPortFrom(netip.IPv6Unspecified(), addr.Port())
	}
	fd := z.socket(addr)
	z.open[fd] = true
	require.NoError(z.t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	if addr.Addr().Is6() {
		only6 := 1
		if z.family == DualStack {
			only6 = 0
		}
		require.NoError(z.t, unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only6))
	}
	z.skipWithoutFamily(unix.Bind(fd, sockaddr(addr)))
	return fd
}

func (z *Fixture) closeListener(fd int) {
	delete(z.open, fd)
	_ = unix.Close(fd)
}

func (z *Fixture) skipWithoutFamily(err error) {
	z.t.Helper()
	if z.family != IPv4 && (errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL)) {
		z.t.Skipf("this machine has no IPv6 loopback: %v", err)
	}
	require.NoError(z.t, err)
}

// await calls done every millisecond until it returns true. After 10 s it fails the
// test with what done saw last.
func (z *Fixture) await(what string, done func() (ok bool, saw any)) {
	z.t.Helper()
	limit := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		ok, saw := done()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			require.FailNow(z.t, "waited in vain for "+what, "saw last: %v", saw)
		}
	}
}

func info(t testing.TB, fd int) *unix.TCPInfo {
	t.Helper()
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	require.NoError(t, err)
	return info
}

// closeNow closes a connection with a reset, so that the kernel keeps nothing of it.
func closeNow(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Close(fd)
}

func localAddr(t testing.TB, fd int) netip.AddrPort {
	t.Helper()
	addr, err := unix.Getsockname(fd)
	require.NoError(t, err)
	return addrPort(addr)
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

func addrPort(a unix.Sockaddr) netip.AddrPort {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}
