package socketstats

import (
	"context"
	"errors"
	"fmt"
)

// Errors of [CheckProcess] and [OfProcess].
var (
	// ErrNoProcess: there is no process with that id.
	ErrNoProcess = errors.New("no such process")
	// ErrNotAllowed: the process is another user's, and its sockets cannot
	// be told from anybody else's.
	ErrNotAllowed = errors.New("not allowed to see the sockets of this process")
)

// CheckProcess returns nil when the sockets of process pid can be told. It
// returns an error that Is [ErrNoProcess] for one that is missing, a zombie or
// a mere thread, and one that Is [ErrNotAllowed] for another user's.
func CheckProcess(pid int32) error {
	if pid <= 0 {
		return fmt.Errorf("process %d: %w", pid, ErrNoProcess)
	}
	if err := checkProcess(pid); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	return nil
}

// OfProcess returns the sockets that process pid holds now. A process that
// holds none gives an empty list; one that is missing, or whose sockets this
// user may not see, an error as [CheckProcess] returns.
func OfProcess(ctx context.Context, src Source, pid int32) ([]Socket, error) {
	if err := CheckProcess(pid); err != nil {
		return nil, err
	}
	all, err := src.Sockets(ctx, Query{Owners: true})
	if err != nil {
		return nil, err
	}
	var held []Socket
	for _, s := range all {
		if s.PID == pid {
			held = append(held, s)
		}
	}
	if len(held) == 0 { // it may have ended meanwhile, and then holds nothing for that reason
		if err := CheckProcess(pid); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// Owners remembers who held a socket, so that it keeps its owner's name after
// the descriptor is gone: in TIME_WAIT, or as an orphan that is still saying
// goodbye. Create one with new; it is for one goroutine.
type Owners struct {
	last, next owners
}

// owners are who holds which socket. A socket keeps its cookie in every state,
// and its four-tuple, by which it is known where the source has no cookies.
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

// clear forgets all, and keeps the room.
func (o *owners) clear() {
	if o.byCookie == nil {
		o.byCookie, o.byTuple = map[uint64]int32{}, map[Tuple]int32{}
	}
	clear(o.byCookie)
	clear(o.byTuple)
}

// Attribute fills in the PID of each ownerless closing socket that had an owner
// in an earlier call, and forgets sockets that are gone. A socket whose whole
// life fell between two calls stays without.
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

// PID returns who held the socket with this cookie at the last call of
// Attribute, or 0.
func (o *Owners) PID(cookie uint64) int32 { return o.last.byCookie[cookie] }

func closing(s State) bool {
	switch s {
	case FinWait1, FinWait2, TimeWait, LastAck, Closing, Close:
		return true
	default:
		return false
	}
}
