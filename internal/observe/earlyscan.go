package observe

import (
	"context"
	"time"

	"socketlab/internal/socketstats"
)

// maxEarlyScans bounds the early scans of a watcher, and part the share of the time
// that they may take: one part in so many.
const (
	maxEarlyScans = 1000
	part          = 20
)

// NextEarlyScan returns how long to wait after the last count before the next
// [Watcher.EarlyScan], and false if none is needed. Without privilege the kernel
// does not report who owned a connection that lived between two counts.
func (w *Watcher) NextEarlyScan() (time.Duration, bool) {
	flows, ok := w.flows.(*closings)
	if !ok || !w.target.Details || w.target.Port != 0 || w.earlyScans >= maxEarlyScans || flows.unknown == w.unknownBefore {
		return 0, false
	}
	return max(10*time.Millisecond, part*w.earlyScanTook), true
}

// EarlyScan notes the destinations of the observed processes between two counts,
// so that connections closed to those destinations can be attributed to them.
func (w *Watcher) EarlyScan(ctx context.Context) error {
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
	w.earlyScans++
	w.earlyScanTook = time.Since(began)
	return nil
}
