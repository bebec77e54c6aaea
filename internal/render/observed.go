package render

import (
	"socketlab/internal/expect"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// Observed is an observation with all that was found of it: what tables, pages and
// charts are made of.
type Observed struct {
	Observation *series.Observation
	// Script is what was played; nil for a watch.
	Script *scenario.Script
	// Result has the verdicts on the subjects, and of a run what became of its
	// script's expectations.
	Result expect.Result
}

// Snapshot draws the observation as it is now, at one end of its connections.
func (o *Observed) Snapshot(end socketstats.End) Snapshot {
	v := View{Observation: o.Observation, End: end, Verdicts: o.Result.Verdicts}
	if o.Script != nil && o.Observation.Commands == nil { // no script narrates what commands do
		v.Narration = o.Script.Now(o.Observation.Duration)
	}
	return Draw(v)
}
