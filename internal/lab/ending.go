package lab

import (
	"cmp"
	"context"
	"time"

	"socketlab/internal/series"
)

// finishCount waits for the count under way. What happens meanwhile does not
// cut that short.
func (r *run) finishCount(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var err error
	for r.counting && ctx.Err() == nil {
		failed := r.await(ctx, timeout, func() bool { return !r.counting }, func() error { return nil })
		if ctx.Err() == nil {
			err = cmp.Or(err, failed)
		}
	}
	return err
}

// countTimeout is the longest that the end of a run waits for the count under way.
// Where a list of sockets takes a call for each process, it takes seconds.
const countTimeout = time.Minute

// close takes the last sample and the last reports, and enters the end of the
// run. What failed is err; closing does not hide it.
func (r *run) close(ctx context.Context, err error) error {
	// The count under way is waited for, however slow its source is, unless the run
	// was interrupted.
	err = cmp.Or(err, r.finishCount(ctx, countTimeout))
	// The context may have ended; what there is to see is still to be seen. A
	// source that takes longer is not asked once more.
	timeout := answerTimeout
	if ctx.Err() != nil { // somebody waits for the end
		timeout = endTimeout
	}
	ctx = context.WithoutCancel(ctx)
	if newest := r.observation.Newest; newest == nil || newest.Took < endTimeout {
		within, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		err = cmp.Or(err, r.finishCount(within, timeout))
		r.startCount(within)
		err = cmp.Or(err, r.finishCount(within, timeout))
	}
	err = cmp.Or(err, r.driver.counted(ctx, err))
	last, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r.driver.last(last)
	kernel := r.settle(ctx)
	ending := &series.Ending{Duration: r.observation.Duration, Stopped: r.stopped}
	for i, s := range r.sides {
		ending.Subjects = append(ending.Subjects, series.SubjectFinal{ID: s.ID, Final: r.driver.final(s, kernel[i])})
	}
	if err != nil {
		ending.Stopped = err.Error()
	}
	r.observe(series.Event{End: ending})
	return err
}

const (
	// settleTime is how long the kernel may take to report a socket that is gone. A
	// thread of its own does that, well within a millisecond unless the machine is
	// overloaded.
	settleTime = 5 * time.Second
	// settleStep is the time between two counts meanwhile.
	settleStep = 20 * time.Millisecond
)

// settle returns what the kernel saw of each side's connections in the whole run.
// Of what was opened and closed a moment ago it may report a moment later. It is
// nil where that is not known.
func (r *run) settle(ctx context.Context) []*series.ConnCounts {
	unknown := make([]*series.ConnCounts, len(r.sides))
	if r.counting || !r.sampler.hears() {
		return unknown
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	before := unknown
	for {
		m, err := r.sampler.count(ctx, r.start)
		if err != nil {
			return before
		}
		now, settled := make([]*series.ConnCounts, len(r.sides)), true
		for i, s := range r.sides {
			now[i] = m.Subjects[i].KernelConns
			settled = settled && r.driver.settled(s, before[i], now[i])
		}
		if settled {
			return now
		}
		select {
		case <-ctx.Done():
			return now
		case <-time.After(settleStep):
		}
		before = now
	}
}

// end ends every process and namespace that was started, and waits until it is
// gone.
func (r *run) end() {
	if r.counting {
		<-r.counted
	}
	var started []*process
	for _, s := range r.sides {
		for _, p := range []*process{s.client, s.server} {
			if p != nil {
				p.release() // all at once, as a command may take its time
				started = append(started, p)
			}
		}
	}
	for _, p := range started {
		p.kill()
	}
	for _, s := range r.sides {
		if s.namespace != nil {
			_ = s.namespace.Close()
		}
	}
	r.sampler.close()
}
