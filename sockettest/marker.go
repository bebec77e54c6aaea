package sockettest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"socketlab/internal/socketstats"
)

// marker makes connections whose end is heard after that of all earlier ones. The
// kernel reports the end of a socket from a work queue of the processor on which it
// ended (sock_diag_broadcast_destroy in net/core/sock_diag.c), and one processor may
// be far behind another. So each must have said that it has come to the mark.
type marker struct {
	listener *net.TCPListener
	at       netip.AddrPort
}

// markerAddr is an address of the loopback interface that nobody else uses, so
// that the marker's connections are not taken for a test's, not even by the
// check of the test around it.
var markerAddr = netip.AddrFrom4([4]byte{127, 83, 84, 77})

// marks reports whether a socket is a marker's.
func marks(s socketstats.Socket) bool {
	return s.Local.Addr() == markerAddr || s.Remote.Addr() == markerAddr
}

func newMarker() (*marker, error) {
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(markerAddr, 0)))
	if err != nil {
		return nil, fmt.Errorf("listen on loopback to hear of closed sockets in time: %w", err)
	}
	return &marker{listener: l, at: l.Addr().(*net.TCPAddr).AddrPort()}, nil
}

// mark opens a connection on each processor and ends it, and returns the ports of
// the ends that connected.
func (m *marker) mark() (ports []uint16, err error) {
	err = onEachCPU(func() error {
		conn, err := net.DialTCP("tcp4", nil, m.listener.Addr().(*net.TCPAddr))
		if err != nil {
			return fmt.Errorf("connect to hear of closed sockets in time: %w", err)
		}
		defer conn.Close()
		accepted, err := m.listener.Accept()
		if err != nil {
			return fmt.Errorf("connect to hear of closed sockets in time: %w", err)
		}
		ports = append(ports, conn.LocalAddr().(*net.TCPAddr).AddrPort().Port())
		// Reset, so that nothing is left in TIME_WAIT.
		return errors.Join(conn.SetLinger(0), conn.Close(), accepted.Close())
	})
	return ports, err
}

func (m *marker) close() error { return m.listener.Close() }
