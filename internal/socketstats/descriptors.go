package socketstats

import (
	"maps"
	"slices"
	"strings"
)

// DescriptorTable is the open descriptors of some processes, by the newest scan of
// /proc/PID/fd and the one before. The zero DescriptorTable is of no process. It is for
// one goroutine. It works on Linux only; elsewhere no process has any.
type DescriptorTable struct {
	// Trust is in how many scans in a row a process that has as many descriptors as
	// before is taken to have the same; 0 reads them all each time. It matters only
	// where [OpenDescriptors] works.
	Trust int
	// Listed, if not nil, are the sockets in the kernel's tables now: a process of which
	// others are among them than when it was read is read again.
	Listed      *Rows
	now, before scan
	// protocols are the kernel's names of the sockets' protocols, by inode: those of
	// the newest scan at least.
	protocols map[uint32]string
}

// scan is what one look at the processes' descriptors found.
type scan struct {
	of map[int32]*descriptorList
	// lowest is the process with the lowest id that holds a socket, by inode, and
	// others are the further ones of those that several hold.
	lowest map[uint32]int32
	others map[uint32][]int32
	mptcp  bool
}

// descriptorList is what one process has open.
type descriptorList struct {
	total int
	// trusted is in how many scans it was taken to be as before.
	trusted int
	// sockets are the inodes, one for each descriptor.
	sockets []uint32
	// listed is the sum of those that were in the kernel's tables.
	listed uint64
	// mptcp says that one of them is of MPTCP.
	mptcp bool
	// kinds counts what is no socket.
	kinds map[string]int
}

// DescriptorReader reads the descriptors of a process in another way than by their links
// in /proc/PID/fd. It is safe for use by several goroutines.
type DescriptorReader interface {
	// Descriptors visits the descriptors of a process, by ascending number. inode is 0
	// for what is no socket; protocol is the kernel's name of a socket's protocol, ""
	// where it is not known. If it returns an error it has visited none. It holds a
	// lock during the visits.
	Descriptors(pid int32, visit func(fd int32, inode uint32, protocol string)) error
}

// listedDescriptor is an open descriptor of a process.
type listedDescriptor struct {
	fd int32
	// proc is the folder of /proc in which it was found.
	proc string
	// inode is that of a socket, 0 for anything else, and protocol the kernel's name of
	// its protocol, "" where it was not read.
	inode    uint32
	protocol string
	// link is the target of its link where it was read and it is no socket. It is valid
	// during the visit.
	link []byte
}

// Scan reads the descriptors of these processes. One that has ended, and one of
// another user, has none.
func (d *DescriptorTable) Scan(pids []int32) {
	d.before, d.now = d.now, d.before.emptied(len(pids), len(d.now.lowest))
	for _, pid := range slices.Sorted(slices.Values(pids)) {
		list := d.kept(pid)
		if list == nil {
			list = d.read(pid)
		}
		d.now.enter(pid, list)
	}
	if len(d.protocols) > 2*len(d.now.lowest)+1000 {
		maps.DeleteFunc(d.protocols, func(inode uint32, _ string) bool { return d.now.lowest[inode] == 0 })
	}
}

// Rescan reads the descriptors of those processes that the newest scan took to have the same
// as before.
func (d *DescriptorTable) Rescan() {
	lists := d.now.of
	d.now = scan{of: make(map[int32]*descriptorList, len(lists)), lowest: Emptied(d.now.lowest, len(d.now.lowest)), others: Emptied(d.now.others, 0)}
	for _, pid := range slices.Sorted(maps.Keys(lists)) {
		list := lists[pid]
		if list.trusted > 0 {
			list = d.read(pid)
		}
		d.now.enter(pid, list)
	}
}

// kept are a process's descriptors of the scan before, if they may be taken to be the same;
// else nil.
func (d *DescriptorTable) kept(pid int32) *descriptorList {
	list := d.before.of[pid]
	if list == nil || list.trusted >= d.Trust || list.listed != d.listed(list.sockets) {
		return nil
	}
	if n, known := OpenDescriptors(pid); !known || n != list.total {
		return nil
	}
	list.trusted++
	return list
}

// read reads a process's descriptors.
func (d *DescriptorTable) read(pid int32) *descriptorList {
	if d.protocols == nil {
		d.protocols = map[uint32]string{}
	}
	list := &descriptorList{kinds: map[string]int{}}
	eachDescriptor(pid, nil, func(open listedDescriptor) {
		inode := open.inode
		if inode == 0 {
			if kind := open.kind(); kind != "" {
				list.total++
				list.kinds[kind]++
			}
			return
		}
		list.total++
		list.sockets = append(list.sockets, inode)
		name, known := d.protocols[inode]
		if !known {
			if name = open.protocol; name == "" {
				name = open.readProtocol()
			}
			if name != "" {
				d.protocols[inode] = name
			}
		}
		list.mptcp = list.mptcp || isMPTCP(name)
	})
	list.listed = d.listed(list.sockets)
	return list
}

// listed is the sum of those inodes that are in Listed. One that is in it no more, or only
// now, makes another sum.
func (d *DescriptorTable) listed(sockets []uint32) (sum uint64) {
	if d.Listed == nil {
		return 0
	}
	for _, inode := range sockets {
		if _, there := d.Listed.TCP[inode]; there {
			sum += uint64(inode)
		}
	}
	return sum
}

// enter enters a process's descriptors. The processes come in the order of their ids.
func (s *scan) enter(pid int32, list *descriptorList) {
	s.of[pid] = list
	for _, inode := range list.sockets {
		s.hold(inode, pid)
	}
	s.mptcp = s.mptcp || list.mptcp
}

// emptied is a scan that found nothing, with the room of this one.
func (s scan) emptied(processes, sockets int) scan {
	return scan{of: Emptied(s.of, processes), lowest: Emptied(s.lowest, sockets), others: Emptied(s.others, 0)}
}

// Emptied is a map without entries that has the room of m, unless m has far more than enough
// for n of them. m, which may be nil, must not be used any more.
func Emptied[K comparable, V any](m map[K]V, n int) map[K]V {
	if m == nil || len(m) > 4*n+1000 {
		return make(map[K]V, n)
	}
	clear(m)
	return m
}

// hold enters a process that holds a socket. They come in the order of their ids.
func (s *scan) hold(inode uint32, pid int32) {
	switch first, held := s.lowest[inode]; {
	case !held:
		s.lowest[inode] = pid
	case first != pid && !slices.Contains(s.others[inode], pid):
		s.others[inode] = append(s.others[inode], pid)
	}
}

// PID is the process with the lowest id that holds the socket with this inode by the
// newest scan or else by the one before; 0 if none does.
func (d *DescriptorTable) PID(inode uint32) int32 {
	if pid := d.now.lowest[inode]; pid != 0 {
		return pid
	}
	return d.before.lowest[inode]
}

// Holders are the processes that hold the socket with this inode by the newest scan: the one
// with the lowest id, 0 if none does, and the others, which must not be changed.
func (d *DescriptorTable) Holders(inode uint32) (lowest int32, others []int32) {
	return d.now.lowest[inode], d.now.others[inode]
}

// OwnersOf finds the processes that hold sockets, by their inodes, whoever they are;
// 0 for one that no process this user may see holds. It reads the descriptors of all
// processes.
func OwnersOf(sockets []uint32) map[uint32]int32 {
	left := map[uint32]bool{}
	for _, inode := range sockets {
		left[inode] = true
	}
	owners := map[uint32]int32{}
	pids, _ := processIDs()
	for _, pid := range slices.Sorted(slices.Values(pids)) {
		eachDescriptor(pid, nil, func(d listedDescriptor) {
			if left[d.inode] && owners[d.inode] == 0 {
				owners[d.inode] = pid
			}
		})
	}
	return owners
}

// HeldBefore is the process with the lowest id that held the socket with this inode by
// the scan before the newest; 0 if none did.
func (d *DescriptorTable) HeldBefore(inode uint32) int32 { return d.before.lowest[inode] }

// Count is the number of descriptors that a process has open; 0 if it is not known.
func (d *DescriptorTable) Count(pid int32) int {
	if list := d.now.of[pid]; list != nil {
		return list.total
	}
	return 0
}

// OpenDescriptors is the number of descriptors that a process has open, without a look at
// them; false where the system does not say it (Linux does from 6.2 on).
func OpenDescriptors(pid int32) (int, bool) { return openDescriptors(pid) }

// UsesMPTCP reports whether any of the processes has an MPTCP socket, as Go's
// listeners are, with whatever it accepted.
func (d *DescriptorTable) UsesMPTCP() bool { return d.now.mptcp }

// Kinds counts the descriptors that processes have open, by kind; nil if none is
// known. A socket that several of them hold counts as often as in the one that has
// it most often. rows says which sockets the kernel's tables have, by a list that
// was made between the newest scan and the one before: only a socket that was open
// before that list and is not in it is [KindTCPClosed].
func (d *DescriptorTable) Kinds(pids []int32, rows *Rows) map[string]int {
	kinds, counted := map[string]int{}, map[uint32]int{}
	for _, pid := range pids {
		list := d.now.of[pid]
		if list == nil {
			continue
		}
		for kind, n := range list.kinds {
			kinds[kind] += n
		}
		if len(pids) == 1 {
			for _, inode := range list.sockets {
				kinds[d.kindOfSocket(inode, rows)]++
			}
			break
		}
		own := map[uint32]int{}
		for _, inode := range list.sockets {
			if own[inode]++; own[inode] > counted[inode] {
				counted[inode] = own[inode]
				kinds[d.kindOfSocket(inode, rows)]++
			}
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	return kinds
}

// Rows are the sockets of the kernel's tables, by inode. The zero Rows has none.
type Rows struct {
	// TCP are the states of the sockets of TCP, and MPTCP those of MPTCP.
	TCP, MPTCP map[uint32]State
	// UnixListeners are the sockets of AF_UNIX that listen.
	UnixListeners map[uint32]bool
}

// Clear takes all out, and makes room for n sockets.
func (r *Rows) Clear(n int) {
	r.TCP, r.MPTCP, r.UnixListeners = Emptied(r.TCP, n), Emptied(r.MPTCP, 0), Emptied(r.UnixListeners, 0)
}

// Add enters a list of TCP sockets.
func (r *Rows) Add(sockets []Socket) {
	if r.TCP == nil {
		r.Clear(len(sockets))
	}
	for i := range sockets {
		s := &sockets[i]
		if s.Inode == 0 {
			continue
		}
		r.TCP[s.Inode] = s.State
		if s.Multipath {
			r.MPTCP[s.Inode] = s.State
		}
	}
}

// Misses reports whether any process has a TCP socket that is not among the rows.
func (d *DescriptorTable) Misses(r *Rows) bool {
	for inode := range d.now.lowest {
		if _, there := r.TCP[inode]; !there && (isMPTCP(d.protocols[inode]) || strings.HasPrefix(d.protocols[inode], "TCP")) {
			return true
		}
	}
	return false
}

func (d *DescriptorTable) kindOfSocket(inode uint32, rows *Rows) string {
	state, there := rows.TCP[inode]
	_, multipath := rows.MPTCP[inode]
	switch {
	case there && state == Listen:
		return KindTCPListen
	case multipath:
		return KindMPTCP // accepted by an MPTCP socket from a client of plain TCP, it has no such row
	case there:
		return KindTCP
	}
	protocol := d.protocols[inode]
	if kind, ok := kindsOfProtocols[protocol]; ok {
		return kind
	}
	switch protocol {
	case "UNIX", "UNIX-STREAM":
		if rows.UnixListeners[inode] {
			return KindUnixListen
		}
		return KindUnix
	case "TCP", "TCPv6", "MPTCP", "MPTCPv6":
		if d.before.lowest[inode] == 0 {
			return KindTCP
		}
		return KindTCPClosed
	default:
		return KindSocketOther
	}
}

func isMPTCP(protocol string) bool { return protocol == "MPTCP" || protocol == "MPTCPv6" }

// kindsOfProtocols are the kinds of sockets by the kernel's names of protocols, as in
// /proc/net/protocols, where the name alone tells the kind.
var kindsOfProtocols = map[string]string{
	"UDP": KindUDP, "UDPv6": KindUDP, "UDP-Lite": KindUDP, "UDPLITEv6": KindUDP,
	"RAW": KindRaw, "RAWv6": KindRaw, "PING": KindRaw, "PINGv6": KindRaw,
	"PACKET": KindPacket, "NETLINK": KindNetlink,
}
