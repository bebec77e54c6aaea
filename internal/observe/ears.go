package observe

import (
	"errors"

	"socketlab/internal/socketstats"
	"socketlab/internal/tracepoint"
)

// ears hear what comes and goes in one network namespace.
type ears struct {
	// trace is nil without privilege. closings is then all that is heard; with a
	// trace it only says what the closed connections carried, where that is asked.
	trace    *transitions
	closings socketstats.Closings
	owners   *socketstats.Owners
	heard    []socketstats.Closed // kept for its room
	guesses  []guess
	lost     bool
	// since is what was heard since the last list. It is filled only where asked says that
	// sinceList is called, which empties it. events counts all that was heard.
	since  socketstats.Heard
	asked  bool
	events int
	// misses is how many events were known to be missing at the last list.
	missing, misses uint64
}

// sinceList is what was heard up to now since the last list, and begins anew. What is
// heard while a list is read belongs to the next.
func (e *ears) sinceList() (socketstats.Heard, error) {
	if e.trace != nil {
		if err := e.hearTrace(); err != nil {
			return socketstats.Heard{}, err
		}
	}
	h := e.since
	h.Traced, h.Lost = e.trace != nil, e.missing != e.misses
	e.since, e.misses = socketstats.Heard{}, e.missing
	return h, nil
}

// hearTrace hears what the tracepoint reports, for hearTransitions.
func (e *ears) hearTrace() error {
	before := len(e.trace.heard)
	if err := e.trace.drain(); err != nil {
		return err
	}
	e.missing = e.trace.lost
	e.events += len(e.trace.heard) - before
	if !e.asked {
		return nil
	}
	for _, t := range e.trace.heard[before:] {
		if e.since.Touched == nil {
			e.since.Touched = map[socketstats.Tuple]socketstats.State{}
		}
		e.since.Touched[socketstats.Tuple{Local: t.Local, Remote: t.Remote}] = t.To
	}
	return nil
}

// hearClosed hears which sockets were destroyed.
func (e *ears) hearClosed() (heard []socketstats.Closed, err error) {
	heard, overflows, err := e.closings.Drain(e.heard[:0])
	if err != nil {
		return nil, err
	}
	e.heard = heard
	e.events += len(heard)
	if e.trace != nil {
		return heard, nil
	}
	e.missing, e.lost = uint64(overflows), overflows > 0
	if !e.asked {
		return heard, nil
	}
	for i := range heard {
		if e.since.Destroyed == nil {
			e.since.Destroyed = map[uint64]bool{}
		}
		e.since.Destroyed[heard[i].Cookie] = true
	}
	return heard, nil
}

// openEars begins to listen in the namespace of a source, to connections to a port
// if it is not 0; it returns nil where nothing reports what came and went. Where the
// descriptors do not suffice, it listens to what needs fewer, or to nothing, and why is
// the reason. owners knows who held the sockets of the newest list.
func openEars(source socketstats.Source, o tracepoint.Options, beside *tracepoint.Listener, traced, details bool, owners *socketstats.Owners) (e *ears, why string, err error) {
	if !socketstats.ReportsInfo(source) { // its lists name no socket, and do not show the end of one
		return nil, "", nil
	}
	e = &ears{owners: owners}
	if traced {
		e.trace, err = openTransitions(o, beside)
		if err == nil && e.trace != nil {
			err = socketstats.Spare()
		}
	}
	if err == nil && (e.trace == nil || details) {
		if e.closings, err = socketstats.OpenClosings(source, o.Ports); err == nil {
			err = socketstats.Spare()
		}
	}
	switch {
	case err == nil:
		return e, "", nil
	case !socketstats.FewDescriptors(err):
		return nil, "", errors.Join(err, e.close())
	}
	why = err.Error()
	if err = e.close(); err == nil && traced {
		e, _, err = openEars(source, o, nil, false, details, owners)
		return e, why, err
	}
	return nil, why, err
}

// traced reports whether openings are heard, with the process that connected.
func (e *ears) traced() bool { return e != nil && e.trace != nil }

func (e *ears) close() error {
	if e == nil {
		return nil
	}
	var errs []error
	if e.trace != nil {
		errs = append(errs, e.trace.source.Close())
	}
	if e.closings != nil {
		errs = append(errs, e.closings.Close())
	}
	return errors.Join(errs...)
}

// ownerOf is the process that held a closed socket, as far as it was listed or,
// with privilege, heard of.
func (e *ears) ownerOf(closed *socketstats.Closed, sort sorter) int32 {
	if e.trace != nil {
		if pid := e.trace.opener(closed.Local, closed.Remote, sort); pid != 0 {
			return pid
		}
	}
	return e.owners.PID(closed.Cookie)
}
