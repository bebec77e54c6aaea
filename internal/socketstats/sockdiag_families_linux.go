package socketstats

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// What sock_diag lists beside TCP.

const (
	requestV2Len = 56 // struct inet_diag_req_v2
	protocolAttr = 3  // INET_DIAG_REQ_PROTOCOL, for a number above 255

	unixRequestLen = 24 // struct unix_diag_req in include/uapi/linux/unix_diag.h
	unixRowLen     = 16 // struct unix_diag_msg
)

// dumpAll makes a dump by this request, without its header, and visits the rows. What
// the kernel does not know has none.
func (c *netlinkConn) dumpAll(ctx context.Context, request []byte, visit func(row []byte) error) error {
	c.seq++
	header := make([]byte, headerLen, headerLen+len(request))
	binary.NativeEndian.PutUint32(header[0:], uint32(headerLen+len(request)))
	binary.NativeEndian.PutUint16(header[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(header[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(header[8:], c.seq)
	if _, err := unix.Write(c.fd, append(header, request...)); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	var failed error
	for {
		n, err := unix.Read(c.fd, c.buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		for b := c.buf[:n]; len(b) >= headerLen; {
			size := int(binary.NativeEndian.Uint32(b))
			if size < headerLen || size > len(b) {
				return errCut
			}
			kind, seq := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:])
			body := b[headerLen:size]
			b = b[min(align(size), len(b)):]
			switch {
			case seq != c.seq:
			case kind == unix.NLMSG_DONE, kind == unix.NLMSG_ERROR:
				if err := netlinkError(body); err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
					failed = errors.Join(failed, err)
				}
				return errors.Join(failed, ctx.Err())
			case failed == nil:
				failed = visit(body)
			}
		}
	}
}

// mergeSubflows replaces the subflows in a list by their MPTCP connections: the first
// subflow has the connection's addresses, and every one its inode (mptcp_sock_graft
// in net/mptcp/protocol.h, mptcp_subflow_create_socket in net/mptcp/subflow.c).
func (c *netlinkConn) mergeSubflows(ctx context.Context, sockets []Socket) ([]Socket, error) {
	connections := map[Tuple]Socket{}
	byInode := map[uint32]Tuple{}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		request := make([]byte, requestV2Len, requestV2Len+8)
		request[0], request[1] = family, unix.IPPROTO_RAW // no protocol of an older kernel's that has rows of its own
		binary.NativeEndian.PutUint32(request[4:], allStates)
		request = binary.NativeEndian.AppendUint16(request, 8)
		request = binary.NativeEndian.AppendUint16(request, protocolAttr)
		request = binary.NativeEndian.AppendUint32(request, unix.IPPROTO_MPTCP)
		err := c.dumpAll(ctx, request, func(row []byte) error {
			s, err := decodeRow(row)
			if err == nil && s.State != Listen {
				connections[s.Tuple()] = s
				if s.Inode != 0 {
					byInode[s.Inode] = s.Tuple()
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(connections) == 0 {
		return sockets, nil
	}
	sockets = slices.DeleteFunc(sockets, func(s Socket) bool {
		first, multipath := byInode[s.Inode]
		return multipath && s.State != Listen && s.Tuple() != first
	})
	for i := range sockets {
		if of, ok := connections[sockets[i].Tuple()]; ok {
			// A subflow hands on at once what it receives.
			sockets[i].State, sockets[i].RecvQ, sockets[i].Multipath = of.State, of.RecvQ, true
		}
	}
	return sockets, nil
}

// UnixListeners is the method for [UnixListeners].
func (d *Sockdiag) UnixListeners(ctx context.Context) (map[uint32]bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	listeners := map[uint32]bool{}
	err := d.unixSockets(ctx, 1<<Listen, 0, func(s OtherSocket) { listeners[s.Inode] = true })
	return listeners, err
}

// OtherSockets is the method for [OtherSockets].
func (d *Sockdiag) OtherSockets(ctx context.Context) ([]OtherSocket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.conns) == 0 {
		return nil, os.ErrClosed
	}
	var list []OtherSocket
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		request := make([]byte, requestV2Len)
		request[0], request[1] = family, unix.IPPROTO_UDP
		binary.NativeEndian.PutUint32(request[4:], allStates)
		err := d.conns[0].dumpAll(ctx, request, func(row []byte) error {
			s, err := decodeRow(row)
			other := OtherSocket{Kind: KindUDP, Inode: s.Inode, Local: s.Local}
			if s.State == Established {
				other.Remote = s.Remote
			}
			list = append(list, other)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list UDP sockets through sock_diag: %w", err)
		}
	}
	const showName, showPeer = 1, 4 // UDIAG_SHOW_NAME, UDIAG_SHOW_PEER
	err := d.unixSockets(ctx, ^uint32(0), showName|showPeer, func(s OtherSocket) { list = append(list, s) })
	return list, err
}

// unixSockets visits the sockets of AF_UNIX in these states.
func (d *Sockdiag) unixSockets(ctx context.Context, states, show uint32, visit func(OtherSocket)) error {
	if len(d.conns) == 0 {
		return os.ErrClosed
	}
	request := make([]byte, unixRequestLen)
	request[0] = unix.AF_UNIX
	binary.NativeEndian.PutUint32(request[4:], states) // udiag_states
	binary.NativeEndian.PutUint32(request[12:], show)  // udiag_show
	err := d.conns[0].dumpAll(ctx, request, func(row []byte) error {
		if len(row) < unixRowLen {
			return errCut
		}
		s := OtherSocket{Kind: KindUnix, Inode: binary.NativeEndian.Uint32(row[4:])}
		if State(row[2]) == Listen {
			s.Kind = KindUnixListen
		}
		for b := row[unixRowLen:]; len(b) >= attrLen; {
			size, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])
			if size < attrLen || size > len(b) {
				return errCut
			}
			const name, peer = 0, 2 // UNIX_DIAG_NAME, UNIX_DIAG_PEER
			switch v := b[attrLen:size]; {
			case kind == name && len(v) > 0:
				s.Name = strings.TrimRight(string(v), "\x00")
				if v[0] == 0 {
					s.Name = "@" + string(v[1:])
				}
			case kind == peer && len(v) == 4:
				s.Peer = binary.NativeEndian.Uint32(v)
			}
			b = b[min(align(size), len(b)):]
		}
		visit(s)
		return nil
	})
	if err != nil {
		return fmt.Errorf("list unix sockets through sock_diag: %w", err)
	}
	return nil
}
