package socketstats

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
)

// Procfs is a source for Linux, over /proc/PID/net/tcp and tcp6 of some process
// (Documentation/networking/proc_net_tcp.rst). It sees into that process's network
// namespace without privilege; it reports neither cookies nor [Socket.Info]. Open one
// with [OpenProcfs]. It is safe for use by several goroutines.
type Procfs struct {
	mu     sync.Mutex // guards what follows
	dir    string
	owners inodes
}

func init() {
	const text = 50 // the whole table, as text
	register("procfs", text, func() (Source, error) { return openProcfs("/proc/self/net") })
}

// OpenProcfs returns a source for the network namespace of a process.
func OpenProcfs(pid int32) (*Procfs, error) { return openProcfs(procDir(pid) + "/net") }

func openProcfs(dir string) (*Procfs, error) {
	p := &Procfs{dir: dir}
	f, err := os.Open(dir + "/tcp")
	if err != nil {
		return nil, fmt.Errorf("open the kernel's table: %w", err)
	}
	return p, f.Close()
}

// Through has the source read the table by another process of the namespace, because
// the one before may end.
func (p *Procfs) Through(pid int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dir = procDir(pid) + "/net"
}

// Name returns "procfs".
func (*Procfs) Name() string { return "procfs" }

// ReportsInodes is the method for [ReportsInodes]. It returns true.
func (*Procfs) ReportsInodes() bool { return true }

// UnsupportedStates implements [Source]: the kernel lists every state.
func (*Procfs) UnsupportedStates() []State { return nil }

// Close does nothing: between two calls nothing is open.
func (*Procfs) Close() error { return nil }

// Sockets implements [Source].
func (p *Procfs) Sockets(ctx context.Context, q Query) ([]Socket, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sockets, err := readTwice(p.dir, q)
	if err != nil {
		return nil, fmt.Errorf("list TCP sockets through procfs: %w", err)
	}
	if q.Owners {
		p.owners.attribute(sockets, q.OwnersAmong)
	}
	return sockets, nil
}

// UnixListeners is the method for [UnixListeners].
func (p *Procfs) UnixListeners(context.Context) (map[uint32]bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := os.Open(p.dir + "/unix")
	if err != nil {
		return nil, fmt.Errorf("list unix sockets through procfs: %w", err)
	}
	defer f.Close()
	listeners := map[uint32]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// Num RefCount Protocol Flags Type St Inode Path; __SO_ACCEPTCON is 1 << 16.
		fields := strings.Fields(lines.Text())
		if len(fields) < 7 || fields[3] != "00010000" {
			continue
		}
		if inode, err := strconv.ParseUint(fields[6], 10, 32); err == nil {
			listeners[uint32(inode)] = true
		}
	}
	return listeners, nil
}

// readTwice reads the tables twice, and takes each socket that is in either, once. The
// kernel gives a table page by page, and finds the place where it goes on by number:
// when sockets come and go meanwhile, it leaves one out or gives it twice
// (tcp_seek_last_pos in net/ipv4/tcp_ipv4.c).
func readTwice(dir string, q Query) ([]Socket, error) {
	first, err := readTables(dir, q.room(0), q.wants)
	if err != nil {
		return nil, err
	}
	again, err := readTables(dir, nil, q.wants)
	if err != nil {
		return nil, err
	}
	type key struct {
		Tuple
		listener uint32 // several may listen on one address
	}
	at := make(map[key]int, len(first))
	all := first[:0]
	for _, s := range append(first, again...) {
		k := key{Tuple: s.Tuple()}
		if s.State == Listen {
			k.listener = s.Inode
		}
		if i, there := at[k]; there {
			all[i] = s
			continue
		}
		at[k] = len(all)
		all = append(all, s)
	}
	return all, nil
}

// readTables appends the rows of tcp and tcp6 in a folder that are wanted. A kernel
// without IPv6 has no tcp6, which is no error.
func readTables(dir string, into []Socket, wanted func(Socket) bool) ([]Socket, error) {
	err := eachRow(dir, func(s Socket) bool {
		if wanted(s) {
			into = append(into, s)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return into, nil
}

// readListeners reads the listeners alone. In both tables they come first
// (tcp_seek_last_pos in net/ipv4/tcp_ipv4.c), so that the rest is not even written.
func readListeners(dir string) (listeners []Socket, err error) {
	err = eachRow(dir, func(s Socket) bool {
		if s.State == Listen {
			listeners = append(listeners, s)
		}
		return s.State == Listen
	})
	return listeners, err
}

// eachRow hands over the rows of both tables, of each until more is false.
func eachRow(dir string, row func(Socket) (more bool)) error {
	for _, name := range []string{"/tcp", "/tcp6"} {
		f, err := os.Open(dir + name)
		if errors.Is(err, fs.ErrNotExist) && name == "/tcp6" {
			continue
		}
		if err != nil {
			return err
		}
		err = parseTable(f, row)
		_ = f.Close()
		if err != nil {
			return fmt.Errorf("read %s%s: %w", dir, name, err)
		}
	}
	return nil
}

// parseTable hands over the rows of the text of /proc/net/tcp or tcp6, until more is false.
func parseTable(r io.Reader, row func(Socket) (more bool)) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) == 0 || f[0] == "sl" { // the headings
			continue
		}
		if len(f) < 10 {
			return fmt.Errorf("row %q is cut short", lines.Text())
		}
		s, err := parseRow(f)
		if err != nil {
			return err
		}
		if !row(s) {
			return nil
		}
	}
	return lines.Err()
}

// parseRow reads the fields sl, local address, remote address, state, both queues,
// timer, retransmits, uid, timeout and inode.
func parseRow(f []string) (s Socket, err error) {
	if s.Local, err = parseHexAddr(f[1]); err != nil {
		return s, err
	}
	if s.Remote, err = parseHexAddr(f[2]); err != nil {
		return s, err
	}
	state, err := strconv.ParseUint(f[3], 16, 8)
	const newSynRecv = 12 // TCP_NEW_SYN_RECV in include/net/tcp_states.h
	switch {
	case state == newSynRecv:
		state = uint64(SynRecv)
	case err != nil, state == 0, state >= uint64(numStates):
		return s, fmt.Errorf("state %q is no state of TCP", f[3])
	}
	s.State = State(state)
	if s.State == Listen {
		s.Remote = netip.AddrPort{}
	}
	sent, received, ok := strings.Cut(f[4], ":")
	sendQ, err1 := strconv.ParseUint(sent, 16, 32)
	recvQ, err2 := strconv.ParseUint(received, 16, 32)
	uid, err3 := strconv.ParseUint(f[7], 10, 32)
	inode, err4 := strconv.ParseUint(f[9], 10, 32)
	if err := errors.Join(err1, err2, err3, err4); err != nil || !ok {
		return s, fmt.Errorf("row %q has a number that is none", strings.Join(f, " "))
	}
	s.SendQ, s.RecvQ, s.UID, s.Inode = uint32(sendQ), uint32(recvQ), uint32(uid), uint32(inode)
	s.Unowned = s.Inode == 0
	return s, nil
}

// parseHexAddr reads "0100007F:1F90": 32-bit words in the machine's byte
// order, then the port.
func parseHexAddr(text string) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	if !ok || err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("address %q is not in the kernel's form", text)
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, ok := netip.AddrFromSlice(raw)
	p, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q is not in the kernel's form", text)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(p)), nil
}
