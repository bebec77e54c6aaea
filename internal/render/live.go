package render

import (
	"time"

	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// Live is an observation in progress, as faces show it: the events so far, and the
// verdicts that they allow. The zero Live waits for a header. It is for one
// goroutine.
//
// A run is kept whole. Of a watch, which may have no end, the newest moments are
// kept, and it is judged seldom enough that judging takes at most one part in
// [JudgeShare] of the time.
type Live struct {
	// Keep is how many moments of a watch are kept; 0 is 600.
	Keep int

	run      series.Observation
	script   *scenario.Script
	watch    observe.Window
	verdicts map[string]verdict.Verdict
	fresh    bool          // a moment came since the last verdicts
	due      time.Duration // when a watch may be judged again, by its own clock
	throttle Throttle
}

// JudgeShare is what judging a watch may take of the time: one part in so many.
const JudgeShare = 100

// Add enters the next event. A header begins a new observation.
func (l *Live) Add(e series.Event) {
	if e.Header != nil {
		keep := l.Keep
		*l = Live{Keep: keep}
		if keep == 0 {
			keep = 600
		}
		l.watch.Most = keep
	}
	l.fresh = true
	l.run.Header = headerOf(l, e)
	if l.run.Target != nil {
		l.watch.Add(e)
		return
	}
	l.run.Add(e)
	if e.Header != nil {
		if script, err := expect.ScriptOf(&l.run); err == nil {
			l.script = &script
		}
	}
}

func headerOf(l *Live, e series.Event) series.Header {
	if e.Header != nil {
		return *e.Header
	}
	return l.run.Header
}

// Observation is what is known so far; of a watch, of the moments that are kept and
// of the processes that are there now. It changes with the next [Live.Add].
func (l *Live) Observation() *series.Observation {
	if l.run.Target != nil {
		return l.watch.Observation()
	}
	return &l.run
}

// Script is what is played, at the speed at which it is; nil of a watch.
func (l *Live) Script() *scenario.Script { return l.script }

// Snapshot draws what is known so far, at one end of the connections.
func (l *Live) Snapshot(end socketstats.End) Snapshot {
	v := View{Observation: l.Observation(), End: end, Verdicts: l.judged()}
	if l.script != nil && l.run.Commands == nil { // no script narrates what commands do
		v.Narration = l.script.Now(l.run.Duration)
	}
	return Draw(v)
}

// judged are the newest verdicts, by the id of their subject.
func (l *Live) judged() map[string]verdict.Verdict {
	o := l.Observation()
	if !l.fresh || (l.run.Target != nil && !o.Over && o.Duration < l.due) {
		return l.verdicts
	}
	l.fresh = false
	if l.script != nil {
		l.verdicts = expect.Judge(&l.run, *l.script).Verdicts
		return l.verdicts
	}
	began := time.Now()
	l.verdicts = map[string]verdict.Verdict{}
	for _, s := range l.watch.Subjects() {
		l.verdicts[s.ID] = verdict.Judge(s, verdict.Conditions{Over: o.Gone})
	}
	for _, s := range o.Subjects { // one that was not there for long enough has not shown enough
		if _, ok := l.verdicts[s.ID]; !ok && s.PID != 0 {
			l.verdicts[s.ID] = verdict.Verdict{Kind: verdict.NotEnoughData}
		}
	}
	l.throttle.Share, l.throttle.Most = JudgeShare, time.Minute
	l.due = o.Duration + l.throttle.Rest(time.Since(began))
	return l.verdicts
}
