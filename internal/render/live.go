package render

import (
	"cmp"
	"slices"
	"time"

	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// Live is an observation in progress, as faces show it: the events so far, and the
// verdicts that they allow. The zero Live waits for a header. It is for one
// goroutine.
//
// A run is kept whole. Of a watch, which may have no end, the newest moments are
// kept, and it is judged seldom enough that judging takes at most one part in
// [JudgeShare] of the time.
type Live struct {
	// Keep is how many moments of a watch are shown; 0 is [Judged]. Of many processes
	// they are fewer.
	Keep int

	run    series.Observation // of a watch its header only
	script *scenario.Script
	// judge has what a watch is judged by, and shown the counts that are shown of it.
	judge, shown observe.Window
	watch        *series.Observation // what shown keeps; nil after an event
	verdicts     map[string]verdict.Verdict
	together     []*series.Subject
	fresh        bool          // an event came since the last verdicts
	due          time.Duration // when a watch may be judged again, by its own clock
	throttle     Throttle
}

const (
	// JudgeShare is what judging a watch may take of the time: one part in so many.
	JudgeShare = 100
	// Judged is by how many moments a watch is judged, in every face.
	Judged = 600
)

// Add enters the next event. A header begins a new observation.
func (l *Live) Add(e series.Event) {
	if e.Header != nil {
		*l = Live{Keep: l.Keep, throttle: Throttle{Share: JudgeShare, Most: time.Minute}}
		l.judge.Most, l.shown.Most, l.shown.OldestFirst = Judged, l.Keep, true
		if l.Keep == 0 {
			l.shown.Most = Judged
		}
		l.run.Header = *e.Header
	}
	l.fresh, l.watch = true, nil
	if l.run.Target != nil {
		l.judge.Add(e)
		l.shown.Add(counted(e))
		return
	}
	l.run.Add(e)
	if e.Header != nil {
		if script, err := expect.ScriptOf(&l.run); err == nil {
			script = script.ForGo(l.run.GoVersion)
			l.script = &script
		}
	}
}

// counted is an event of a watch without what no face shows, as many of them are
// kept.
func counted(e series.Event) series.Event {
	if e.Moment == nil {
		return e
	}
	m := *e.Moment
	m.Subjects = slices.Clone(m.Subjects)
	for i := range m.Subjects {
		s := &m.Subjects[i]
		s.Client.Activity, s.Server.Activity, s.Queue, s.Kernel, s.Servers, s.Limits = nil, nil, nil, nil, nil, nil
	}
	return series.Event{Moment: &m}
}

// Observation is what is known so far; of a watch, the counts of the moments that
// are kept, of the processes that are there now. It changes with the next
// [Live.Add].
func (l *Live) Observation() *series.Observation {
	switch {
	case l.run.Target == nil:
		return &l.run
	case l.watch == nil:
		l.watch = l.shown.Observation()
	}
	return l.watch
}

// Script is what is played, at the speed at which it is; nil of a watch.
func (l *Live) Script() *scenario.Script { return l.script }

// Code is the scenario of the catalogue whose code is played; "" is none.
func (l *Live) Code() string {
	if l.script == nil || l.run.Commands != nil || l.run.Scenario.OwnPrograms() {
		return ""
	}
	if id := cmp.Or(l.script.Implementation, l.script.ID); scenarios.Has(id) {
		return id
	}
	return ""
}

// Snapshot draws what is known so far, at one end of the connections.
func (l *Live) Snapshot(end socketstats.End) Snapshot {
	l.judgeAll()
	v := View{Observation: l.Observation(), End: end, Verdicts: l.verdicts, Together: l.together}
	if l.script != nil && l.run.Commands == nil { // no script narrates what commands do
		v.Narration, v.Script = l.script.Now(l.run.Duration), l.script
	}
	return Draw(v)
}

// judgeAll finds the verdicts on all subjects, by their id, if that is due.
func (l *Live) judgeAll() {
	if l.run.Target != nil {
		l.judgeWatch()
		return
	}
	if l.fresh && l.script != nil {
		l.verdicts = expect.Judge(&l.run, *l.script).Verdicts
		if !l.run.Over {
			forming(l.verdicts)
		}
	}
	l.fresh = false
}

// forming takes the confidence from verdicts on a run that goes on. What its script
// does next may make the incident another one: until the server closes idle
// connections, bodies that were not closed look like connections that were forgotten.
// That there are few samples so far is nothing for an audience.
func forming(verdicts map[string]verdict.Verdict) {
	for id, v := range verdicts {
		v.Confidence = ""
		if v.Kind == verdict.NotEnoughData {
			v.Facts = nil
		}
		verdicts[id] = v
	}
}

// judgeWatch finds the verdicts on the processes of a watch, and on all of them
// together if they are not just one.
func (l *Live) judgeWatch() {
	o := l.Observation()
	if l.fresh && o.Newest != nil && (o.Over || o.Duration >= l.due) {
		began := time.Now()
		subjects := l.judge.Subjects()
		l.fresh, l.verdicts, l.together = false, observe.Judge(subjects, o.Gone), togetherOf(subjects)
		// The first one may have taken long by chance. So the rest is at most as long as
		// what was observed: soon enough there is more to judge.
		l.due = o.Duration + min(l.throttle.Rest(time.Since(began)), o.Duration)
	}
	withUnjudged(l.verdicts, o)
}
