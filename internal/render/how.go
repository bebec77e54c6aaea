package render

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/scenarios"
)

// notRecorded stands for what the recording does not hold.
const notRecorded = "not in the recording"

// How says how an observation was made, and how to make it again.
func (o *Observed) How() []Item {
	of := o.Observation
	by := series.Provenance{}
	if of.Provenance != nil {
		by = *of.Provenance
	}
	facts := []Item{{"command", cmp.Or(by.Command, notRecorded)}}
	if again := o.again(); again != "" {
		facts = append(facts, Item{"to play it again", again})
	}
	if s := of.Scenario; s != nil {
		facts = append(facts, Item{"scenario", s.ID}, Item{"speed", fmt.Sprintf("%g", s.Speed)}, Item{"seed", fmt.Sprint(s.Seed)})
	}
	facts = append(facts, o.commands()...)
	started := NotKnown
	if !of.Started.IsZero() {
		started = of.Started.UTC().Format("2006-01-02 15:04:05 MST")
	}
	facts = append(facts,
		Item{"date", started},
		Item{"duration", of.Duration.Round(100 * time.Millisecond).String()},
		Item{"counted by", of.Source},
	)
	if at := o.cluster(); at != "" {
		facts = append(facts, Item{"on Kubernetes", at})
	}
	if of.Target == nil {
		isolated := "no"
		if of.Isolated {
			isolated = "yes, each side in a network namespace of its own"
		}
		facts = append(facts, Item{"isolated", isolated}, Item{"Go", of.GoVersion})
	}
	facts = append(facts,
		Item{"sockwatch", cmp.Or(by.Version, notRecorded)},
		Item{"system", cmp.Or(by.System, notRecorded)},
		Item{"processors", processors(by)},
		Item{"samples", fmt.Sprintf("%d; %s", of.Cost.Samples, o.sampling())},
	)
	return append(facts, o.failures()...)
}

func processors(by series.Provenance) string {
	switch {
	case by.CPUs == 0:
		return cmp.Or(by.Arch, notRecorded)
	case by.Arch == "":
		return fmt.Sprint(by.CPUs)
	}
	return fmt.Sprintf("%d (%s)", by.CPUs, by.Arch)
}

// again is the command that plays a scenario of the catalogue in the same way; ""
// of anything else.
func (o *Observed) again() string {
	s := o.Observation.Scenario
	if s == nil || !scenarios.Has(s.ID) || o.Script != nil && o.Script.Folder != "" {
		return ""
	}
	words := []string{"sockwatch run", s.ID, fmt.Sprintf("--speed %g --seed %d", s.Speed, s.Seed)}
	switch {
	case s.Cluster != nil:
		words = append(words, fmt.Sprintf("--on kubernetes --clients %d", s.Cluster.Clients))
	default:
		words = append(words, "--source "+o.Observation.Source)
	}
	if !o.Observation.Isolated && s.Cluster == nil {
		words = append(words, "--isolate never")
	}
	if s.Swapped {
		words = append(words, "--swap-sides")
	}
	for _, side := range scenario.Sides() {
		if command := s.Commands[string(side)]; command != "" {
			words = append(words, "--"+string(side), "'"+strings.ReplaceAll(command, "'", `'\''`)+"'")
		}
	}
	return strings.Join(words, " ")
}
