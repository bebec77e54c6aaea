package socketstats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// destroyed implements [Closings] by the multicast of sock_diag
// (sock_diag_broadcast_destroy in net/core/sock_diag.c), which needs no
// privilege. A goroutine reads the messages as they come. The kernel drops those
// for which the socket's receive buffer has no room.
type destroyed struct {
	file  *os.File
	ports []uint16
	done  chan struct{}

	mu        sync.Mutex // guards what follows
	waiting   []Closed
	overflows int
	err       error
}

const (
	// closingsBuffer is the receive buffer that is asked for, in bytes; without
	// privilege the kernel gives at most net.core.rmem_max. A message takes
	// about a kilobyte of it.
	closingsBuffer = 8 << 20
	// maxWaiting is the largest number of sockets that wait to be drained; more
	// are lost.
	maxWaiting = 1 << 20
)

// listenClosings receives through a duplicate of f, a socket of an [OpenSocket].
func listenClosings(f *os.File, ports []uint16) (Closings, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("listen for closed sockets: %w", err)
	}
	if err := joinClosings(fd, ports); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for closed sockets: %w", err), unix.Close(fd))
	}
	c := &destroyed{file: os.NewFile(uintptr(fd), "sock_diag"), ports: slices.Clone(ports), done: make(chan struct{})}
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

// closingsFilter is a socket filter that drops most of the messages that do not
// concern the ports (see [Closed.concerns]), so that other programs' sockets do not
// fill the buffer. With too many ports for a filter it takes every message, and
// concerns alone decides.
func closingsFilter(ports []uint16) (*unix.SockFprog, error) {
	const most = 64
	none, all := bpf.RetConstant{}, bpf.RetConstant{Val: 1 << 16}
	program := []bpf.Instruction{}
	if len(ports) > 0 && len(ports) <= most {
		local, remote := uint32(headerLen+4), uint32(headerLen+6)
		for _, offset := range []uint32{local, remote} {
			program = append(program, bpf.LoadAbsolute{Off: offset, Size: 2})
			for _, p := range ports {
				program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(p), SkipTrue: 1}, all)
			}
		}
		program = append(program,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1}, none, // not forgotten
			bpf.LoadConstant{Dst: bpf.RegA, Val: headerLen + rowLen},
			bpf.LoadConstant{Dst: bpf.RegX, Val: infoAttr},
			bpf.LoadExtension{Num: bpf.ExtNetlinkAttr}, // where the struct tcp_info is
			bpf.TAX{},
			bpf.LoadIndirect{Off: attrLen + infoRcvSpace, Size: 4}, // 0 where never established
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1}, none,
		)
	}
	program = append(program, all)
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
		case !ok || !closed.concerns(c.ports):
		case len(c.waiting) >= maxWaiting:
			c.overflows++
		default:
			c.waiting = append(c.waiting, closed)
		}
		c.mu.Unlock()
	}
}

// Drain implements [Closings].
func (c *destroyed) Drain(into []Closed) (_ []Closed, overflows int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	into = append(into, c.waiting...)
	c.waiting = c.waiting[:0]
	return into, c.overflows, c.err
}

// Close implements [Closings].
func (c *destroyed) Close() error {
	err := c.file.Close()
	<-c.done
	return err
}

// decodeClosed decodes one message. It returns false if it is another kind of
// message, or about a socket that was never to be a connection.
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
	if tcp := attribute(body[rowLen:], infoAttr, infoLen); tcp != nil {
		// The room for data is set up once the handshake is complete, and kept to
		// the end (tcp_init_buffer_space, called by tcp_init_transfer in
		// net/ipv4/tcp_input.c).
		closed.Connected = binary.NativeEndian.Uint32(tcp[infoRcvSpace:]) > 0
		info := decodeInfo(tcp)
		closed.SegmentsOut, closed.SegmentsIn = info.SegmentsOut, info.SegmentsIn
		closed.Silent = min(info.Sent, info.Received)
		closed.Answered = binary.NativeEndian.Uint32(tcp[infoAllIn:]) > 0
	}
	return closed, true
}
