package observe

import (
	"context"
	"time"

	"socketlab/internal/socketstats"
)

// peeks bounds how often a watcher peeks at all, and part how much of the time
// that may take: one part in so many.
const (
	peeks = 1000
	part  = 20
)

// Curious reports how long after the last count it is worth to [Watcher.Peek],
// and false if it is not: without privilege nobody says whose a connection was
// that lived between two counts.
func (w *Watcher) Curious() (time.Duration, bool) {
	flows, ok := w.flows.(*closings)
	if !ok || !w.target.Closely || w.target.Port != 0 || w.peeked >= peeks || flows.unknown == w.unknownBefore {
		return 0, false
	}
	return max(10*time.Millisecond, part*w.peekTook), true
}

// Peek looks where the watched processes connect to, so that what was closed
// towards there can be told to be theirs.
func (w *Watcher) Peek(ctx context.Context) error {
	q, err := w.query(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	q.Info, q.Into = false, nil
	q.States = []socketstats.State{
		socketstats.SynSent, socketstats.Established, socketstats.CloseWait, socketstats.FinWait1, socketstats.FinWait2,
	}
	sockets, err := w.source.Sockets(ctx, q)
	if err != nil {
		return err
	}
	for i := range sockets {
		_, _, ours := w.rowOfListed(&sockets[i])
		w.uses.see(&sockets[i], ours)
	}
	w.peeked++
	w.peekTook = time.Since(began)
	return nil
}
