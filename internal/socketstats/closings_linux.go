package socketstats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// destroyed implements [Closings] by the multicast of sock_diag
// (sock_diag_broadcast_destroy in net/core/sock_diag.c), which needs no
// privilege.
//
// Messages wait in a buffer of the kernel's until they are read, which a
// goroutine does all the time; those that find it full are lost.
type destroyed struct {
	file *os.File
	done chan struct{}

	mu        sync.Mutex // guards what follows
	heard     []Closed
	overflows int
	err       error
}

const (
	// closingsBuffer is asked of the kernel; without privilege it gives at
	// most net.core.rmem_max. A message takes about a kilobyte of it.
	closingsBuffer = 8 << 20
	// maxHeard bounds what waits to be drained; what comes above is lost.
	maxHeard = 1 << 20
)

// listenClosings listens through a socket of [SockdiagFile], which the caller
// closes.
func listenClosings(f *os.File, ports []uint16) (Closings, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("listen for closed sockets: %w", err)
	}
	if err := joinClosings(fd, ports); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for closed sockets: %w", err), unix.Close(fd))
	}
	c := &destroyed{file: os.NewFile(uintptr(fd), "sock_diag"), done: make(chan struct{})}
	go c.listen()
	return c, nil
}

// The multicast groups: enum sknetlink_groups in linux/sock_diag.h.
const (
	groupInetTCPDestroy  = 1
	groupInet6TCPDestroy = 3
)

func joinClosings(fd int, ports []uint16) error {
	filter, err := closingsFilter(ports)
	if err != nil {
		return err
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, closingsBuffer) != nil { // without privilege
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, closingsBuffer); err != nil {
			return err
		}
	}
	return errors.Join(
		unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, filter),
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, groupInetTCPDestroy),
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, groupInet6TCPDestroy),
		unix.SetNonblock(fd, true), // for the runtime's poller
	)
}

// closingsFilter keeps what is not asked for out of the buffer. A message
// whose remote port is forgotten may be one that is.
func closingsFilter(ports []uint16) (*unix.SockFprog, error) {
	const all = 1 << 16
	program := []bpf.Instruction{}
	if len(ports) > 0 && len(ports) <= 64 {
		local, remote := uint32(headerLen+4), uint32(headerLen+6)
		take := func(offset uint32, ports []uint16) {
			program = append(program, bpf.LoadAbsolute{Off: offset, Size: 2})
			for _, p := range ports {
				program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(p), SkipTrue: 1}, bpf.RetConstant{Val: all})
			}
		}
		take(local, ports)
		take(remote, append([]uint16{0}, ports...))
		program = append(program, bpf.RetConstant{Val: 0})
	} else {
		program = append(program, bpf.RetConstant{Val: all})
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return nil, err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}, nil
}

func (c *destroyed) listen() {
	defer close(c.done)
	b := make([]byte, 8<<10)
	for {
		n, err := c.file.Read(b)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			c.mu.Lock()
			c.overflows++
			c.mu.Unlock()
			continue
		case errors.Is(err, os.ErrClosed):
			return
		case err != nil:
			c.mu.Lock()
			c.err = fmt.Errorf("listen for closed sockets: %w", err)
			c.mu.Unlock()
			return
		}
		closed, ok := decodeClosed(b[:n])
		c.mu.Lock()
		switch {
		case !ok:
		case len(c.heard) >= maxHeard:
			c.overflows++
		default:
			c.heard = append(c.heard, closed)
		}
		c.mu.Unlock()
	}
}

// Drain implements [Closings].
func (c *destroyed) Drain(into []Closed) (_ []Closed, overflows int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	into = append(into, c.heard...)
	c.heard = c.heard[:0]
	return into, c.overflows, c.err
}

// Close implements [Closings].
func (c *destroyed) Close() error {
	err := c.file.Close()
	<-c.done
	return err
}

// decodeClosed reads one message of the multicast, and false where it is none.
func decodeClosed(b []byte) (Closed, bool) {
	if len(b) < headerLen || binary.NativeEndian.Uint16(b[4:]) != sockDiagByFamily {
		return Closed{}, false
	}
	size := int(binary.NativeEndian.Uint32(b))
	if size < headerLen+rowLen || size > len(b) {
		return Closed{}, false
	}
	body := b[headerLen:size]
	s, err := decodeRow(body)
	if err != nil || !s.Remote.IsValid() || s.Remote.Addr().IsUnspecified() {
		return Closed{}, false // a listener, or a socket that was never connected
	}
	closed := Closed{Local: s.Local, Remote: s.Remote, Cookie: s.Cookie}
	if info := decodeInfo(body[rowLen:]); info != nil {
		// A round trip was measured when the handshake was complete
		// (tcp_synack_rtt_meas and tcp_ack in net/ipv4/tcp_input.c).
		closed.Connected = info.RTT > 0
		closed.SegmentsOut, closed.SegmentsIn = info.SegmentsOut, info.SegmentsIn
	}
	return closed, true
}
