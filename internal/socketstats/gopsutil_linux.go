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
	"slices"
	"strconv"
	"strings"
	"syscall"

	psnet "github.com/shirou/gopsutil/v3/net"
)

// UnsupportedStates implements [Source]: Linux lists every state.
func (Gopsutil) UnsupportedStates() []State { return nil }

// list asks gopsutil for all TCP sockets. Not by ConnectionsPid: it drops every
// socket without an owner, and answers for a missing process with an empty
// list. WithoutUids, because Connections reads /proc/PID/status once per
// socket. And where owners are not asked for, with the least max: it limits the
// descriptors that are read of each process to find owners, and not, as its
// name says, the connections that are returned.
func list(ctx context.Context, owners bool) ([]psnet.ConnectionStat, error) {
	if owners {
		return psnet.ConnectionsWithoutUidsWithContext(ctx, "tcp")
	}
	return psnet.ConnectionsMaxWithoutUidsWithContext(ctx, "tcp", 1)
}

// scanTries bounds how often a scan is begun again.
const scanTries = 10

// Sockets implements [Source].
func (g Gopsutil) Sockets(ctx context.Context, q Query) ([]Socket, error) {
	sockets, err := g.scanAll(ctx, q)
	if err != nil {
		return nil, err
	}
	if q.Owners && slices.ContainsFunc(sockets, maybeOwned) {
		// gopsutil reads the descriptors first and the sockets after, so a
		// socket opened in between has no owner yet. A second reading has
		// its descriptor. What is still without owner then, has none.
		again, err := g.scanAll(ctx, q)
		if err != nil {
			return nil, err
		}
		owner := make(map[Tuple]int32, len(again))
		for _, s := range again {
			if _, shared := owner[s.Tuple()]; shared && s.State == Listen {
				s.PID = 0 // listeners on one address: no telling whose this one is
			}
			owner[s.Tuple()] = s.PID
		}
		for i, s := range sockets {
			if s.PID == 0 {
				sockets[i].PID = q.owner(owner[s.Tuple()])
			}
		}
	}
	return sockets, nil
}

// maybeOwned reports whether a process may hold s although none was seen.
func maybeOwned(s Socket) bool {
	switch s.State {
	case Established, SynSent, CloseWait, Listen:
		return s.PID == 0
	default:
		return false
	}
}

// scanAll scans, with every listener. gopsutil gives up altogether when a
// process ends while its descriptors are being read (ESRCH, net_linux.go:594),
// which is common beside a busy build.
func (g Gopsutil) scanAll(ctx context.Context, q Query) ([]Socket, error) {
	for try := 1; ; try++ {
		sockets, err := g.scan(ctx, q)
		switch {
		case err == nil:
			return restoreListeners(sockets, q)
		case !errors.Is(err, syscall.ESRCH) || try == scanTries:
			return nil, err
		}
	}
}

// listener is one LISTEN row of /proc/net/tcp or tcp6.
type listener struct {
	addr  netip.AddrPort
	inode uint64
}

// restoreListeners adds the listeners that gopsutil folded into one: it takes
// two sockets with the same addresses and state for the same socket, and two
// SO_REUSEPORT listeners are just that (net_linux.go:510).
func restoreListeners(sockets []Socket, q Query) ([]Socket, error) {
	have := map[netip.AddrPort]int{}
	for _, s := range sockets {
		if s.State == Listen {
			have[s.Local]++
		}
	}
	if len(have) == 0 {
		return sockets, nil
	}
	var all []listener
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		rows, err := readListeners(path)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	byAddr := map[netip.AddrPort][]listener{}
	for _, l := range all {
		byAddr[l.addr] = append(byAddr[l.addr], l)
	}
	folded := map[netip.AddrPort]bool{}
	for addr, n := range have {
		folded[addr] = len(byAddr[addr]) > n
	}
	kept := sockets[:0]
	for _, s := range sockets {
		if s.State != Listen || !folded[s.Local] {
			kept = append(kept, s)
		}
	}
	var inodes []uint64
	for _, l := range all {
		if folded[l.addr] {
			inodes = append(inodes, l.inode)
		}
	}
	if len(inodes) == 0 {
		return kept, nil
	}
	var owner map[uint64]int32
	if q.Owners {
		owner = inodeOwners(inodes)
	}
	for _, l := range all {
		s := Socket{Local: l.addr, State: Listen, PID: q.owner(owner[l.inode])}
		if folded[l.addr] && q.wants(s) {
			kept = append(kept, s)
		}
	}
	return kept, nil
}

func readListeners(path string) ([]listener, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a kernel without IPv6 has no tcp6
	}
	if err != nil {
		return nil, fmt.Errorf("read listeners: %w", err)
	}
	defer f.Close()
	rows, err := parseListeners(f)
	if err != nil {
		return nil, fmt.Errorf("read listeners in %s: %w", path, err)
	}
	return rows, nil
}

// parseListeners reads the text of /proc/net/tcp or tcp6 (Linux,
// Documentation/networking/proc_net_tcp.rst) and keeps its LISTEN rows.
func parseListeners(r io.Reader) ([]listener, error) {
	const listenState = "0A" // TCP_LISTEN in include/net/tcp_states.h
	var rows []listener
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) == 0 || f[0] == "sl" { // the headings
			continue
		}
		if len(f) < 10 {
			return nil, fmt.Errorf("row %q is cut short", lines.Text())
		}
		if f[3] != listenState {
			continue
		}
		addr, err := parseHexAddr(f[1])
		if err != nil {
			return nil, err
		}
		inode, err := strconv.ParseUint(f[9], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("inode %q is not a number", f[9])
		}
		rows = append(rows, listener{addr: addr, inode: inode})
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return rows, nil
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

// inodeOwners finds the processes that hold these sockets, as far as this
// user may see: what it may not see is left out. Of several that hold the same
// one it gives the lowest, as gopsutil does.
func inodeOwners(inodes []uint64) map[uint64]int32 {
	want := make(map[string]uint64, len(inodes))
	for _, i := range inodes {
		want[fmt.Sprintf("socket:[%d]", i)] = i
	}
	owner := make(map[uint64]int32, len(inodes))
	procs, _ := os.ReadDir("/proc")
	for _, p := range procs {
		pid, err := strconv.ParseInt(p.Name(), 10, 32)
		if err != nil {
			continue
		}
		dir := "/proc/" + p.Name() + "/fd"
		fds, _ := os.ReadDir(dir)
		for _, fd := range fds {
			link, _ := os.Readlink(dir + "/" + fd.Name())
			inode, ok := want[link]
			if first, known := owner[inode]; ok && (!known || int32(pid) < first) {
				owner[inode] = int32(pid)
			}
		}
	}
	return owner
}
