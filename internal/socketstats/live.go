package socketstats

import (
	"context"
	"errors"
	"fmt"
)

// Live keeps the list of one query and reads again what may have changed since the
// last call. Every row that it returns was read in this call, or could not change
// without a sign: a segment in the namespace's counters, or what [Heard] says. Open one
// with [OpenLive]; the caller closes it. It is for one goroutine.
type Live interface {
	// Sockets returns the list of q as it is now, and whether it may differ from that
	// of the last call. Between two calls the caller may change PID of its sockets,
	// and nothing else; where the list differs, PID is set as by [Source.Sockets].
	// The answer is overwritten by the next call; Into of q is not used.
	Sockets(ctx context.Context, q Query, h Heard) (_ []Socket, differs bool, err error)
	// Repaired is the number of sockets that a check found to be wrong since the
	// beginning: the list is made anew every now and then, and compared.
	Repaired() int
	Close() error
}

// Heard is what was heard of a namespace since the last call of [Live.Sockets].
type Heard struct {
	// Traced says that every connection which was opened since is in Touched.
	Traced bool
	// Touched are the sockets that changed their state, with the last one.
	Touched map[Tuple]State
	// Destroyed are the cookies of sockets that were destroyed.
	Destroyed map[uint64]bool
	// Lost says that something may have been missed.
	Lost bool
}

// OpenLive returns a list of the sockets of src, in the network namespace that the
// process pid is in too; 0 is this process. The error Is [errors.ErrUnsupported] if the
// source keeps none. The method is Live(pid int32) (Live, error).
func OpenLive(src Source, pid int32) (Live, error) {
	if s, ok := src.(interface {
		Live(pid int32) (Live, error)
	}); ok {
		return s.Live(pid)
	}
	return nil, fmt.Errorf("source %s keeps no list: %w", src.Name(), errors.ErrUnsupported)
}
