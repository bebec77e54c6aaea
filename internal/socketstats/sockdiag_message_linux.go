package socketstats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// The messages of sock_diag (include/uapi/linux/inet_diag.h and
// include/uapi/linux/netlink.h). Numbers are in the machine's byte order, ports and
// addresses in the network's.
const (
	// tcpDiagGetSock is the older of two requests. Its answer has both address
	// families (inet_diag_dump_compat). The newer request has one, so that both
	// would need two walks through the kernel's table.
	tcpDiagGetSock = 18
	// sockDiagByFamily is the newer request. It can also ask for one socket.
	sockDiagByFamily = 20

	headerLen  = 16        // struct nlmsghdr
	requestLen = 60        // struct inet_diag_req
	rowLen     = 72        // struct inet_diag_msg
	attrLen    = 4         // struct nlattr
	statesAt   = 4 + 48    // idiag_states, after four bytes and inet_diag_sockid
	extAt      = 3         // idiag_ext
	infoBit    = 1 << 1    // 1 << (INET_DIAG_INFO - 1)
	infoAttr   = 2         // INET_DIAG_INFO
	memoryBit  = 1 << 6    // 1 << (INET_DIAG_SKMEMINFO - 1)
	memoryAttr = 7         // INET_DIAG_SKMEMINFO
	filterAttr = 1         // INET_DIAG_REQ_BYTECODE
	minisock   = 3         // idiag_timer of an inet_timewait_sock
	maxPorts   = 2048      // what an attribute of 64 KiB holds, rounded down
	allStates  = 1<<12 - 2 // TCP_ESTABLISHED to TCP_CLOSING
)

// The operations of a filter. Each has two offsets: of the next operation if it is
// true, and if it is false.
const (
	opJump          = 1  // INET_DIAG_BC_JMP
	opSourceAtLeast = 2  // INET_DIAG_BC_S_GE
	opSourceAtMost  = 3  // INET_DIAG_BC_S_LE
	opSourceEqual   = 11 // INET_DIAG_BC_S_EQ
	opDestEqual     = 12 // INET_DIAG_BC_D_EQ
	opLen           = 4  // struct inet_diag_bc_op
	testLen         = 2 * opLen
)

// part is the part of a query's sockets that one dump lists. The halves are about the
// two ends of the connections: with ports, the sockets that have one of them as
// local port, and the others; without, those whose local port is below the
// ephemeral ports, and the others.
type part int

const (
	whole part = iota
	localHalf
	remoteHalf
)

// ephemeral is where Linux's ephemeral ports begin (ip_local_port_range).
const ephemeral = 32768

// diagRequest is the request for a dump of a part of the sockets of q: struct
// inet_diag_req, and a filter.
func diagRequest(seq uint32, q Query, p part) ([]byte, error) {
	if len(q.Ports) > maxPorts {
		return nil, fmt.Errorf("%d ports: at most %d can be asked for at once", len(q.Ports), maxPorts)
	}
	states := uint32(0)
	for _, s := range q.States {
		states |= 1 << s
	}
	if len(q.States) == 0 {
		states = allStates
	}
	b := make([]byte, headerLen+requestLen)
	body := b[headerLen:]
	binary.NativeEndian.PutUint32(body[statesAt:], states)
	if q.Info {
		body[extAt] = infoBit
	}
	if q.Held {
		body[extAt] |= memoryBit
	}
	if filter := p.filter(q.Ports); filter != nil {
		b = binary.NativeEndian.AppendUint16(b, uint16(attrLen+len(filter)))
		b = binary.NativeEndian.AppendUint16(b, filterAttr)
		b = append(b, filter...)
	}
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], tcpDiagGetSock)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(b[8:], seq)
	return b, nil
}

// test is one comparison of a socket's port.
type test struct {
	op   byte
	port uint16
}

// filter is a program for the kernel's interpreter of filters (inet_diag_bc_run);
// nil takes every socket.
func (p part) filter(ports []uint16) []byte {
	var local, remote []test
	for _, port := range ports {
		local, remote = append(local, test{opSourceEqual, port}), append(remote, test{opDestEqual, port})
	}
	switch {
	case len(ports) == 0 && p == whole:
		return nil
	case len(ports) == 0 && p == localHalf:
		return program(nil, []test{{opSourceAtMost, ephemeral - 1}})
	case len(ports) == 0:
		return program(nil, []test{{opSourceAtLeast, ephemeral}})
	case p == whole:
		return program(nil, append(local, remote...))
	case p == localHalf:
		return program(nil, local)
	default:
		return program(local, remote)
	}
}

// program assembles "none of these tests, and one of those". A socket is taken if
// the program ends exactly at its end, and refused if it jumps beyond.
func program(none, oneOf []test) []byte {
	const step = testLen + opLen // a test, and the jump that a yes falls on
	end := (len(none)+len(oneOf))*step - opLen
	b := make([]byte, 0, end)
	add := func(t test, target int) {
		b = append(b, t.op, testLen)
		b = binary.NativeEndian.AppendUint16(b, step) // on a no, over the jump
		b = append(b, 0, 0)
		b = binary.NativeEndian.AppendUint16(b, t.port)
		if len(b) < end {
			b = append(b, opJump, opLen) // the first offset is never used, and checked all the same
			b = binary.NativeEndian.AppendUint16(b, uint16(target-len(b)+2))
		}
	}
	for _, t := range none {
		add(t, end+opLen)
	}
	for _, t := range oneOf {
		add(t, end)
	}
	return b
}

// diagAnswer collects the sockets of a dump.
type diagAnswer struct {
	seq         uint32
	query       Query
	skip        bool // do not decode any more
	sockets     []Socket
	done        bool
	batch       int   // where in sockets the message being read began
	chunkBounds []int // where the earlier ones ended
}

var errCut = errors.New("the kernel's message is cut short")

// add decodes the result of one read(2): one or more netlink messages.
func (a *diagAnswer) add(b []byte) error {
	if a.batch = len(a.sockets); a.batch > 0 {
		a.chunkBounds = append(a.chunkBounds, a.batch)
	}
	for len(b) >= headerLen && !a.done {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerLen || size > len(b) {
			return errCut
		}
		kind, seq := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:])
		body := b[headerLen:size]
		b = b[min(align(size), len(b)):]
		if seq != a.seq {
			continue // of an earlier request, given up in the middle
		}
		switch kind {
		case unix.NLMSG_DONE, unix.NLMSG_ERROR:
			a.done = true
			if err := netlinkError(body); err != nil {
				return err
			}
		case tcpDiagGetSock, sockDiagByFamily:
			if a.skip {
				continue
			}
			if err := a.row(body); err != nil {
				return err
			}
		}
	}
	if len(b) > 0 && !a.done {
		return errCut
	}
	return nil
}

// row decodes one socket, and leaves out one that the kernel lists twice. When a
// message is full, the kernel keeps its position in a hash bucket. A socket that
// enters the bucket meanwhile moves one that was listed already behind that
// position. (For a socket that leaves see dumpState.)
func (a *diagAnswer) row(body []byte) error {
	s, err := decodeRow(body)
	if err != nil {
		return err
	}
	if n := len(a.sockets); n-a.batch < bucket {
		before := a.sockets[max(0, a.batch-bucket):a.batch]
		if slices.ContainsFunc(before, func(t Socket) bool { return t.Cookie == s.Cookie }) {
			return nil
		}
	}
	if a.query.Info {
		if tcp := attribute(body[rowLen:], infoAttr, infoLen); tcp != nil {
			s.Info = decodeInfo(tcp)
			// Of probes without an answer there are two or more (icsk_probes_out in net/ipv4/inet_diag.c).
			s.Info.Paused = Timer(body[2]) == ProbeTimer && body[3] < 2
			if s.State == SynSent {
				s.Info.Sent, s.Info.Received = 0, 0 // the kernel's are since the machine started
			}
		}
	}
	if a.query.Held {
		s.Held = decodeHeld(body)
	}
	a.sockets = append(a.sockets, s)
	return nil
}

// netlinkError decodes the status at the end of a dump: 0 or a negative errno.
func netlinkError(body []byte) error {
	if len(body) < 4 {
		return errCut
	}
	if n := int32(binary.NativeEndian.Uint32(body)); n < 0 {
		return unix.Errno(-n)
	}
	return nil
}

// decodeRow decodes a struct inet_diag_msg.
func decodeRow(b []byte) (Socket, error) {
	if len(b) < rowLen {
		return Socket{}, errCut
	}
	family, state, timer := b[0], State(b[1]), b[2]
	if state == 0 || int(state) >= numStates {
		return Socket{}, fmt.Errorf("the kernel lists a socket in state %d, which is no state of TCP", state)
	}
	s := Socket{
		State: state, Minisock: timer == minisock,
		Cookie: uint64(binary.NativeEndian.Uint32(b[44:])) | uint64(binary.NativeEndian.Uint32(b[48:]))<<32,
		RecvQ:  binary.NativeEndian.Uint32(b[56:]), SendQ: binary.NativeEndian.Uint32(b[60:]),
		UID: binary.NativeEndian.Uint32(b[64:]), Inode: binary.NativeEndian.Uint32(b[68:]),
	}
	s.Unowned = s.Inode == 0
	var local, remote netip.Addr
	switch family {
	case unix.AF_INET:
		local, remote = netip.AddrFrom4([4]byte(b[8:])), netip.AddrFrom4([4]byte(b[24:]))
	case unix.AF_INET6:
		local, remote = netip.AddrFrom16([16]byte(b[8:])).Unmap(), netip.AddrFrom16([16]byte(b[24:])).Unmap()
	default:
		return Socket{}, fmt.Errorf("the kernel lists a TCP socket of address family %d", family)
	}
	s.Local = netip.AddrPortFrom(local, binary.BigEndian.Uint16(b[4:]))
	if state != Listen {
		s.Remote = netip.AddrPortFrom(remote, binary.BigEndian.Uint16(b[6:]))
	}
	return s, nil
}

// Where fields of struct tcp_info are (include/uapi/linux/tcp.h).
const (
	infoSent        = 44 // tcpi_last_data_sent
	infoReceived    = 52 // tcpi_last_data_recv
	infoRTT         = 68
	infoRcvSpace    = 96
	infoRetransmits = 100 // tcpi_total_retrans
	infoAllIn       = 140 // tcpi_segs_in
	infoSegmentsIn  = 152 // tcpi_data_segs_in
	infoSegmentsOut = 156 // tcpi_data_segs_out
	infoBytesSent   = 200 // tcpi_bytes_sent, then tcpi_bytes_retrans (Linux 4.19)
	infoLen         = 160 // of what is read; the kernel's is longer (Linux 4.6)
)

// attribute finds an attribute of at least so many bytes among those of a row; nil
// where there is none.
func attribute(b []byte, wanted uint16, least int) []byte {
	for len(b) >= attrLen {
		size, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])
		if size < attrLen || size > len(b) {
			return nil
		}
		if v := b[attrLen:size]; kind == wanted && len(v) >= least {
			return v
		}
		b = b[min(align(size), len(b)):]
	}
	return nil
}

// decodeHeld decodes the timer and the memory of a struct inet_diag_msg. Buffers are
// in the order of enum SK_MEMINFO (include/uapi/linux/sock_diag.h).
func decodeHeld(b []byte) *Held {
	h := &Held{Timer: Timer(b[2]), Unanswered: b[3]}
	if h.Timer != NoTimer {
		h.Expires = time.Duration(binary.NativeEndian.Uint32(b[52:])) * time.Millisecond
	}
	if m := attribute(b[rowLen:], memoryAttr, 16); m != nil {
		for i, into := range []*uint32{&h.RecvMemory, &h.RecvBuffer, &h.SendMemory, &h.SendBuffer} {
			*into = binary.NativeEndian.Uint32(m[4*i:])
		}
	}
	return h
}

// decodeInfo decodes struct tcp_info.
func decodeInfo(tcp []byte) *Info {
	u32 := func(at int) uint32 { return binary.NativeEndian.Uint32(tcp[at:]) }
	var bytesSent uint64
	if len(tcp) >= infoBytesSent+16 {
		bytesSent = binary.NativeEndian.Uint64(tcp[infoBytesSent:]) - binary.NativeEndian.Uint64(tcp[infoBytesSent+8:])
	}
	return &Info{
		BytesSent:   bytesSent,
		RTT:         time.Duration(u32(infoRTT)) * time.Microsecond,
		Retransmits: u32(infoRetransmits),
		SegmentsOut: u32(infoSegmentsOut),
		SegmentsIn:  u32(infoSegmentsIn),
		Sent:        time.Duration(u32(infoSent)) * time.Millisecond,
		Received:    time.Duration(u32(infoReceived)) * time.Millisecond,
	}
}

// align rounds a length up to where netlink puts what follows.
func align(n int) int { return (n + 3) &^ 3 }
