package socketstats

import (
	"errors"
	"fmt"
)

// Errors of [CheckProcess].
var (
	// ErrNoProcess: there is no process with that id.
	ErrNoProcess = errors.New("no such process")
	// ErrNotAllowed: this user may not read the descriptors of the process, so
	// its sockets look like sockets without an owner.
	ErrNotAllowed = errors.New("not allowed to see the sockets of this process")
	// ErrKernelThread: what has that id is a thread of the kernel. It has no
	// descriptors, and the kernel's own sockets have no process.
	ErrKernelThread = errors.New("a thread of the kernel, which has no sockets")
)

// CheckProcess returns nil if process pid exists and this user may see which
// sockets it holds. Otherwise the error Is [ErrNoProcess] for a process that has
// ended, a zombie and the id of a thread, [ErrKernelThread] for a thread of the kernel,
// and [ErrNotAllowed] for a process of another user. Other errors are failures to read /proc. Outside Linux the
// permission is not checked.
func CheckProcess(pid int32) error {
	if pid <= 0 {
		return fmt.Errorf("process %d: %w", pid, ErrNoProcess)
	}
	if err := checkProcess(pid); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	return nil
}

// ProcDir is the folder of /proc in which a process's descriptors, memory and namespaces
// are found: /proc/PID, or that of a thread that runs if the process's first thread has
// ended, whose folder then shows none of them.
func ProcDir(pid int32) string { return procDir(pid) }

// Owners remembers which process held a socket. So a socket has an owner also
// after its descriptor was closed: in TIME_WAIT, or as an orphan in FIN_WAIT1.
// The zero Owners is ready to use. It is for one goroutine.
type Owners struct {
	last, next owners
}

// owners maps sockets to process ids, by cookie or, if the source reports no
// cookies, by four-tuple. A socket keeps both in every state.
type owners struct {
	byCookie map[uint64]int32
	byTuple  map[Tuple]int32
}

func (o *owners) of(s *Socket) int32 {
	if s.Cookie != 0 {
		return o.byCookie[s.Cookie]
	}
	return o.byTuple[s.Tuple()]
}

func (o *owners) set(s *Socket, pid int32) {
	if s.Cookie != 0 {
		o.byCookie[s.Cookie] = pid
	} else {
		o.byTuple[s.Tuple()] = pid
	}
}

// clear empties the maps and keeps their memory.
func (o *owners) clear() {
	if o.byCookie == nil {
		o.byCookie, o.byTuple = map[uint64]int32{}, map[Tuple]int32{}
	}
	clear(o.byCookie)
	clear(o.byTuple)
}

// Attribute sets the PID of each closing socket without an owner to the owner that
// it had in the last call, and forgets sockets that are not in the list. A socket
// that was opened and closed between two calls stays without an owner.
func (o *Owners) Attribute(sockets []Socket) {
	o.next.clear()
	for i := range sockets {
		s := &sockets[i]
		if s.PID == 0 && closing(s.State) {
			s.PID = o.last.of(s)
		}
		if s.PID != 0 {
			o.next.set(s, s.PID)
		}
	}
	o.last, o.next = o.next, o.last
}

// Trim gives back memory that the next call of Attribute takes again.
func (o *Owners) Trim() { o.next = owners{} }

// PID returns the process that held the socket with this cookie at the last call
// of Attribute; 0 if none did, or if the source reports no cookies.
func (o *Owners) PID(cookie uint64) int32 { return o.last.byCookie[cookie] }

func closing(s State) bool {
	switch s {
	case FinWait1, FinWait2, TimeWait, LastAck, Closing, Close:
		return true
	default:
		return false
	}
}
