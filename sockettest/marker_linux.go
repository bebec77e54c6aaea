package sockettest

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"

	"golang.org/x/sys/unix"
)

// marker makes connections whose end is heard after that of all earlier ones. The
// kernel reports the end of a socket from a work queue of the processor on which it
// ended (sock_diag_broadcast_destroy in net/core/sock_diag.c), and one processor may
// be far behind another. So each must have come to a mark of its own.
//
// It asks the kernel itself: on a thread that is kept to a busy processor, Go's
// poller would wait for its turn several times.
type marker struct {
	listener int
	at       netip.AddrPort
}

func newMarker() (*marker, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("listen on loopback to hear of closed sockets in time: %w", err)
	}
	m := &marker{listener: fd}
	err = errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: markerAddr.As4()}), unix.Listen(fd, 1))
	if err == nil {
		var port uint16
		port, err = portOf(fd)
		m.at = netip.AddrPortFrom(markerAddr, port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on loopback to hear of closed sockets in time: %w", errors.Join(err, m.close()))
	}
	return m, nil
}

func (m *marker) close() error { return unix.Close(m.listener) }

func portOf(fd int) (uint16, error) {
	at, err := unix.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	return uint16(at.(*unix.SockaddrInet4).Port), nil
}

// mark opens a connection on each processor that this process may use, ends it, and
// returns the ports of the ends that connected.
func (m *marker) mark() (ports []uint16, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread stays locked, so that it ends with this goroutine: nothing else
		// is ever kept to one processor.
		runtime.LockOSThread()
		var cpus unix.CPUSet
		if unix.SchedGetaffinity(0, &cpus) != nil || cpus.Count() == 0 {
			cpus.Set(0)
		}
		for cpu, left := 0, cpus.Count(); left > 0 && err == nil; cpu++ {
			if !cpus.IsSet(cpu) {
				continue
			}
			left--
			var one unix.CPUSet
			one.Set(cpu)
			_ = unix.SchedSetaffinity(0, &one) // where that is forbidden, the mark is on any
			var port uint16
			port, err = m.markHere()
			ports = append(ports, port)
		}
	}()
	<-done
	if err != nil {
		return nil, fmt.Errorf("connect to hear of closed sockets in time: %w", err)
	}
	return ports, nil
}

// markHere opens a connection and ends it, on this thread.
func (m *marker) markHere() (port uint16, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	to := &unix.SockaddrInet4{Port: int(m.at.Port()), Addr: markerAddr.As4()}
	err = uninterrupted(func() error { return unix.Connect(fd, to) })
	if errors.Is(err, unix.EISCONN) || errors.Is(err, unix.EALREADY) { // it was interrupted, and goes on
		err = nil
	}
	accepted := -1
	if err == nil {
		err = uninterrupted(func() (err error) {
			accepted, _, err = unix.Accept4(m.listener, unix.SOCK_CLOEXEC)
			return err
		})
	}
	if err == nil {
		port, err = portOf(fd)
	}
	// Reset, so that nothing is left in TIME_WAIT.
	err = errors.Join(err, unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}), unix.Close(fd))
	if accepted >= 0 {
		err = errors.Join(err, unix.Close(accepted))
	}
	return port, err
}

// uninterrupted calls again what a signal interrupted: Go's runtime sends some.
func uninterrupted(do func() error) error {
	for {
		if err := do(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
