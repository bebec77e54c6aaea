package socketstats

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// inodes is a cache of the processes that hold sockets, by the socket's inode.
// A search through /proc is expensive, and its result is right as long as the
// descriptor is open. So /proc is searched for new inodes only, and each call
// checks a few of the cached results.
//
// A socket whose holder this user may not see has no owner.
//
// The zero inodes is ready to use. It is for one goroutine.
type inodes struct {
	call   int
	among  []int32 // of the last call
	holder map[uint32]holder
	missed map[uint32]missed
	check  []uint32 // inodes whose cached holders are to be checked next
}

// holder is a process that holds a socket, and its descriptor.
type holder struct{ pid, fd int32 }

// missed is that no holder was found. tries counts the searches; the next one is made
// 2^tries calls later, at call retry. A descriptor may come late: accept(2) gives a
// connection its inode shortly before its descriptor.
type missed struct{ tries, retry int }

const (
	// checksPerCall is the number of cached holders that one call checks, at
	// about 2 us each. With no more sockets than this, each is checked in every
	// call.
	checksPerCall = 8
	// checkedNext is how many are chosen at once, at random where there are more.
	checkedNext = 1024
	maxTries    = 6
)

// attribute sets the PID of every socket that a process holds: one of these
// processes, or any if among is empty. Of several holders it takes the one with the
// lowest id at the time of the search; but a process that is known to hold other
// sockets of the list is searched before (see search).
func (in *inodes) attribute(sockets []Socket, among []int32) {
	in.call++
	if in.holder == nil {
		in.holder, in.missed = map[uint32]holder{}, map[uint32]missed{}
	}
	if !slices.Equal(among, in.among) {
		// One of these processes may hold a socket of which no holder was found, or
		// another one.
		clear(in.missed)
		maps.DeleteFunc(in.holder, func(_ uint32, h holder) bool { return !slices.Contains(among, h.pid) })
		in.among = slices.Clone(among)
	}
	in.checkSome()
	unknown := map[uint32]bool{}
	for i := range sockets {
		s := &sockets[i]
		if s.Inode == 0 {
			continue
		}
		if h, known := in.holder[s.Inode]; known {
			s.PID = h.pid
		} else if m := in.missed[s.Inode]; m.retry <= in.call {
			unknown[s.Inode] = true
		}
	}
	if len(unknown) > 0 {
		in.search(sockets, unknown, among)
		for i := range sockets {
			if s := &sockets[i]; s.Inode != 0 && s.PID == 0 {
				s.PID = in.holder[s.Inode].pid
			}
		}
	}
	if len(in.holder)+len(in.missed) > 2*len(sockets)+checksPerCall {
		in.forget(sockets)
	}
}

// checkSome checks the next few cached holders and removes those that are wrong:
// the descriptor was closed, or the process ended, and another process holds the
// same socket. It reports whether there were any.
func (in *inodes) checkSome() (wrong bool) {
	if len(in.check) == 0 {
		for inode := range in.holder { // from anywhere on
			if in.check = append(in.check, inode); len(in.check) == checkedNext {
				break
			}
		}
	}
	n := min(checksPerCall, len(in.check))
	for _, inode := range in.check[:n] {
		if h, known := in.holder[inode]; known && !h.holds(inode) {
			delete(in.holder, inode)
			wrong = true
		}
	}
	in.check = in.check[n:]
	return wrong
}

// is reports whether a descriptor is still that socket.
func (d listedDescriptor) is(inode uint32) bool {
	var link [64]byte
	n, err := unix.Readlink(d.path(), link[:])
	got, ok := socketInode(link[:max(n, 0)])
	return err == nil && ok && got == inode
}

func (h holder) holds(inode uint32) bool {
	first := "/proc/" + strconv.Itoa(int(h.pid))
	if (listedDescriptor{proc: first, fd: h.fd}).is(inode) {
		return true
	}
	dir := procDir(h.pid)
	return dir != first && (listedDescriptor{proc: dir, fd: h.fd}).is(inode)
}

// search finds the holders of these inodes. It begins with the processes that hold
// other sockets of the list, because most new connections are theirs.
func (in *inodes) search(sockets []Socket, unknown map[uint32]bool, among []int32) {
	open := map[int32]map[int32]bool{} // by process, the descriptors that are known
	for i := range sockets {
		h, known := in.holder[sockets[i].Inode]
		if !known {
			continue
		}
		if open[h.pid] == nil {
			open[h.pid] = map[int32]bool{}
		}
		open[h.pid][h.fd] = true
	}
	left := unknown
	for _, pid := range searchOrder(open, among) {
		if len(left) == 0 {
			break
		}
		eachDescriptor(pid, open[pid], func(d listedDescriptor) {
			if left[d.inode] {
				delete(left, d.inode)
				delete(in.missed, d.inode)
				in.holder[d.inode] = holder{pid: pid, fd: d.fd}
			}
		})
	}
	for inode := range left {
		tries := min(in.missed[inode].tries+1, maxTries)
		in.missed[inode] = missed{tries, in.call + 1<<tries}
	}
}

// searchOrder lists the processes to search: those in first, then all others, each
// by ascending id; or only those in among, if there are any.
func searchOrder(first map[int32]map[int32]bool, among []int32) []int32 {
	if len(among) > 0 {
		return slices.Sorted(slices.Values(among))
	}
	order := slices.Sorted(maps.Keys(first))
	dir, err := os.Open("/proc")
	if err != nil {
		return order
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var others []int32
	for _, name := range names {
		pid, err := strconv.ParseInt(name, 10, 32)
		if err == nil && first[int32(pid)] == nil {
			others = append(others, int32(pid))
		}
	}
	slices.Sort(others)
	return append(order, others...)
}

// socketInode reads the target of a descriptor's link, "socket:[4711]".
func socketInode(link []byte) (uint32, bool) {
	number, ok := bytes.CutPrefix(link, []byte("socket:["))
	if !ok {
		return 0, false
	}
	number, ok = bytes.CutSuffix(number, []byte("]"))
	if !ok {
		return 0, false
	}
	inode, err := strconv.ParseUint(string(number), 10, 32)
	return uint32(inode), err == nil
}

// forget removes what is known of sockets that are not in the list, with its memory.
func (in *inodes) forget(sockets []Socket) {
	holders, misses := in.holder, in.missed
	in.holder, in.missed = make(map[uint32]holder, len(sockets)), map[uint32]missed{}
	for i := range sockets {
		inode := sockets[i].Inode
		if h, known := holders[inode]; known {
			in.holder[inode] = h
		} else if m, known := misses[inode]; known {
			in.missed[inode] = m
		}
	}
	in.check = nil
}
