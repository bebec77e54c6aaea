package socketstats

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Sockdiag is a source for Linux, over the kernel's sock_diag (man 7 sock_diag,
// net/ipv4/inet_diag.c). The kernel filters by port and state, and one walk through
// its table gives both address families. It needs no privilege.
//
// Owners are found by the inodes of descriptors and cached, so that only new
// sockets cost a search (see [Query.Owners]).
//
// A Sockdiag lists the sockets of the network namespace in which it was opened,
// whatever thread calls it. Open one with [OpenSockdiag]; the caller closes it. It
// is safe for use by several goroutines; one listing is made at a time.
type Sockdiag struct {
	open OpenSocket

	mu     sync.Mutex // guards what follows
	conns  []*netlinkConn
	last   int // sockets in the last answer: the next one is about as long
	halve  int // worthHalving, except in tests
	owners inodes
}

// netlinkConn is one netlink socket, on which one dump at a time is read.
type netlinkConn struct {
	fd    int
	seq   uint32
	buf   []byte
	state dumpState
}

// batchSize is the largest message of a dump, in bytes (netlink_dump in
// net/netlink/af_netlink.c: 32 KiB with the kernel's own overhead).
const batchSize = 32 << 10

func init() {
	const filtered = 10 // by port and state, in the kernel
	register("sockdiag", filtered, func() (Source, error) {
		d, err := OpenSockdiag()
		if err != nil {
			return nil, err // not a nil *Sockdiag, which is no nil Source
		}
		return d, nil
	})
}

// OpenSockdiag returns a source for this thread's network namespace. It is an error
// if the kernel does not answer, as in some sandboxes.
func OpenSockdiag() (*Sockdiag, error) {
	return openSockdiag(SockdiagFile, 2) // a long answer is read in two halves at once
}

// SockdiagFile is the [OpenSocket] of this thread's network namespace. The caller
// closes the file, which may be handed to another process before.
func SockdiagFile() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("open sock_diag: %w", err)
	}
	return os.NewFile(uintptr(fd), "sock_diag"), nil
}

// openSockdiag returns a source with this many netlink sockets of one namespace. It
// makes one listing, to see that the kernel answers.
func openSockdiag(open OpenSocket, sockets int) (*Sockdiag, error) {
	d := &Sockdiag{open: open, halve: worthHalving}
	for range sockets {
		c, err := openNetlinkConn(open)
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		d.conns = append(d.conns, c)
	}
	if _, err := d.Sockets(context.Background(), Query{States: []State{Listen}}); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Inside is the method for [Inside]. The source has one netlink socket, because a
// run's namespace has few connections (see worthHalving).
func (*Sockdiag) Inside(open OpenSocket) (Source, error) {
	d, err := openSockdiag(open, 1)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ReportsInfo is the method for [ReportsInfo]. It returns true.
func (*Sockdiag) ReportsInfo() bool { return true }

// ReportsInodes is the method for [ReportsInodes]. It returns true.
func (*Sockdiag) ReportsInodes() bool { return true }

// Closings is the method for [OpenClosings]. For a source of [OpenSockdiag] it
// reports the sockets in the network namespace of the calling thread, for a source
// of Inside those in the namespace of the source.
func (d *Sockdiag) Closings(ports []uint16) (Closings, error) {
	f, err := d.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return listenClosings(f, ports)
}

func openNetlinkConn(open OpenSocket) (*netlinkConn, error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer f.Close() // the connection has a descriptor of its own
	return newNetlinkConn(f)
}

func newNetlinkConn(f *os.File) (*netlinkConn, error) {
	// A descriptor of our own, because that of an os.File does not block.
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open sock_diag: %w", err)
	}
	// Connected to the kernel only. Without an answer a read fails after 5 s,
	// instead of blocking for ever.
	err = errors.Join(
		unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}),
		unix.SetNonblock(fd, false),
	)
	// A socket of another netlink protocol would take the request for another one.
	if protocol, asked := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err == nil && protocol != unix.NETLINK_SOCK_DIAG {
		err = errors.Join(asked, unix.EPROTONOSUPPORT)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set up sock_diag: %w", err), unix.Close(fd))
	}
	return &netlinkConn{fd: fd, buf: make([]byte, batchSize)}, nil
}

func (c *netlinkConn) close() error { return unix.Close(c.fd) }

// Close implements [Source]. Calls of Sockets after it return an error that Is
// [os.ErrClosed].
func (d *Sockdiag) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, c := range d.conns {
		errs = append(errs, c.close())
	}
	d.conns = nil
	return errors.Join(errs...)
}

// Name returns "sockdiag".
func (d *Sockdiag) Name() string { return "sockdiag" }

// UnsupportedStates implements [Source]: the kernel lists every state.
func (d *Sockdiag) UnsupportedStates() []State { return nil }

// Sockets implements [Source].
func (d *Sockdiag) Sockets(ctx context.Context, q Query) ([]Socket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !slices.IsSorted(q.Ports) { // so that dumpState takes the same ports for the same query
		q.Ports = slices.Sorted(slices.Values(q.Ports))
	}
	sockets, err := d.list(ctx, q)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("list TCP sockets through sock_diag: %w", err)
	}
	d.last = len(sockets)
	if q.Listed != nil {
		*q.Listed = time.Now()
	}
	if q.Multipath {
		if sockets, err = d.conns[0].mergeSubflows(ctx, sockets); err != nil {
			return nil, fmt.Errorf("list MPTCP connections through sock_diag: %w", err)
		}
	}
	if q.Owners {
		d.owners.attribute(sockets, q.OwnersAmong)
	}
	return sockets, nil
}

// worthHalving is the number of sockets from which a second thread saves time. Each
// half is a walk through the whole table. With fewer sockets the second walk and
// the second thread cost as much as they save.
const worthHalving = 4000

// list reads one answer. It reads a long one as two halves in parallel.
func (d *Sockdiag) list(ctx context.Context, q Query) ([]Socket, error) {
	if len(d.conns) == 0 {
		return nil, os.ErrClosed
	}
	room := d.last + d.last/8 + 16
	if len(d.conns) == 1 || q.Thrifty || d.last < d.halve || runtime.GOMAXPROCS(0) == 1 {
		return d.conns[0].dump(ctx, q, whole, q.room(room))
	}
	half := room/2 + room/8
	all := q.room(2 * half)[:2*half]
	type answer struct {
		sockets []Socket
		err     error
	}
	second := make(chan answer, 1)
	go func() {
		sockets, err := d.conns[1].dump(ctx, q, remoteHalf, all[half:half:2*half])
		second <- answer{sockets, err}
	}()
	local, err := d.conns[0].dump(ctx, q, localHalf, all[:0:half])
	remote := <-second
	if err := errors.Join(err, remote.err); err != nil {
		return nil, err
	}
	if len(local) <= half { // it is still in all, which has room behind it
		local = all[:len(local)]
	}
	return append(local, remote.sockets...), nil
}

// dump asks for a part of the sockets of q, and appends the whole answer to into.
func (c *netlinkConn) dump(ctx context.Context, q Query, p part, into []Socket) ([]Socket, error) {
	c.seq++
	if len(q.Last) > 0 && p == whole {
		if !c.state.asked(q, p) {
			c.state.remember(q, p, q.Last) // before it is overwritten
		}
		defer func() { c.state = dumpState{} }()
	}
	request, err := diagRequest(c.seq, q, p)
	if err != nil {
		return nil, err
	}
	if _, err := unix.Write(c.fd, request); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	answer := diagAnswer{seq: c.seq, query: q, sockets: into, chunkBounds: c.state.chunkBounds[:0]}
	for !answer.done {
		n, err := unix.Read(c.fd, c.buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		if err := answer.add(c.buf[:n]); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil && !answer.done {
			// The kernel drops the rest of the answer only with the socket. So
			// it is read, and not decoded.
			answer.skip = true
		}
	}
	if answer.skip {
		return nil, ctx.Err()
	}
	err = c.restore(&answer, q, p)
	return answer.sockets, err
}
