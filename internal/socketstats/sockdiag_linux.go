package socketstats

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Sockdiag is the Linux source, over the kernel's sock_diag (man 7 sock_diag,
// net/ipv4/inet_diag.c). The kernel itself filters by port and state, and one
// reading of its table gives both address families. It needs no privilege.
//
// Owners are found through the inodes of descriptors and remembered, so that
// only sockets never met before cost a search (see [Query.Owners]).
//
// A Sockdiag lists the sockets of the network namespace in which it was opened,
// wherever it is used. Create one with [OpenSockdiag]; Close ends it.
type Sockdiag struct {
	open OpenSocket

	mu     sync.Mutex
	conns  []*netlinkConn
	last   int // sockets in the last answer: the next one is about as long
	halve  int // worthHalving, but for tests
	owners inodes
}

// netlinkConn is one netlink socket, on which one dump at a time is read.
type netlinkConn struct {
	fd    int
	seq   uint32
	buf   []byte
	state dumpState
}

// batchSize is the most that the kernel puts into one message of a dump
// (netlink_dump in net/netlink/af_netlink.c: 32 KiB with its own overhead).
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

// OpenSockdiag returns a source for this thread's network namespace. An error
// says that the kernel does not answer, as in some sandboxes.
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

// openSockdiag returns a source over this many sockets of one namespace. It asks
// the kernel for one listing, to know that it answers.
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

// Inside implements what [EntersNamespaces] asks. The source has one socket, for
// a run's namespace holds few connections (see worthHalving).
func (*Sockdiag) Inside(open OpenSocket) (Source, error) {
	d, err := openSockdiag(open, 1)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ReportsInfo returns true.
func (*Sockdiag) ReportsInfo() bool { return true }

// Closings implements what [OpenClosings] asks. A source of [OpenSockdiag] hears
// the network namespace of the thread that calls it, one of Inside its own.
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
	// A descriptor of its own: that of an os.File would not block.
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open sock_diag: %w", err)
	}
	// To the kernel only; and an answer that never comes is an error, no hang.
	err = errors.Join(
		unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}),
		unix.SetNonblock(fd, false),
	)
	// Another netlink socket would understand something else, and answer.
	if protocol, asked := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err == nil && protocol != unix.NETLINK_SOCK_DIAG {
		err = errors.Join(asked, unix.EPROTONOSUPPORT)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set up sock_diag: %w", err), unix.Close(fd))
	}
	return &netlinkConn{fd: fd, buf: make([]byte, batchSize)}, nil
}

// Close ends the source. Calls after it return an error.
func (d *Sockdiag) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, c := range d.conns {
		errs = append(errs, unix.Close(c.fd))
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
	sockets, err := d.list(ctx, q)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("list TCP sockets through sock_diag: %w", err)
	}
	d.last = len(sockets)
	if q.Owners {
		d.owners.attribute(sockets, q.OwnersAmong)
	}
	return sockets, nil
}

// worthHalving is the number of sockets from which a second thread saves time.
// Both halves walk through the whole table, and below some thousand sockets that
// and the waking of a thread cost as much as they save.
const worthHalving = 4000

// list reads one answer: in two halves at once where it is long.
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
	if len(local) <= half { // still in all, and so is there room behind it
		local = all[:len(local)]
	}
	return append(local, remote.sockets...), nil
}

// dump asks for a part of what q wants, and appends the whole answer.
func (c *netlinkConn) dump(ctx context.Context, q Query, p part, into []Socket) ([]Socket, error) {
	c.seq++
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
			// The rest of the answer is still to come; the kernel forgets it
			// only with the socket. So it is read, and not looked at.
			answer.skip = true
		}
	}
	if answer.skip {
		return nil, ctx.Err()
	}
	err = c.restore(&answer, q, p)
	return answer.sockets, err
}
