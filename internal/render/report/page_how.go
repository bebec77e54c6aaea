package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"socketlab/internal/provenance"
	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// how says how a run was made, and how to make it again.
func how(e Entry) []fact {
	run := e.Run
	by := provenance.Info{}
	if run.Provenance != nil {
		by = *run.Provenance
	}
	facts := []fact{{"command", cmp.Or(by.Command, notRecorded)}}
	if again := again(e); again != "" {
		facts = append(facts, fact{"to play it again", again})
	}
	isolated := "no"
	if run.Isolated {
		isolated = "yes, each side in a network namespace of its own"
	}
	started := notKnown
	if !run.Started.IsZero() {
		started = run.Started.UTC().Format("2006-01-02 15:04:05 MST")
	}
	facts = append(facts, fact{"scenario", run.Scenario})
	if run.Commands != nil {
		facts = append(facts, fact{"faulty command", run.Commands.Faulty}, fact{"fixed command", run.Commands.Fixed})
		if run.Commands.Server != "" {
			facts = append(facts, fact{"server command", run.Commands.Server})
		}
	} else {
		facts = append(facts, fact{"speed", fmt.Sprintf("%g", run.Speed)}, fact{"seed", fmt.Sprint(run.Seed)})
	}
	facts = append(facts,
		fact{"date", started},
		fact{"duration", run.Duration.Round(100 * time.Millisecond).String()},
		fact{"counted by", run.Source},
		fact{"isolated", isolated},
		fact{"Go", run.GoVersion},
		fact{"sockwatch", cmp.Or(by.Version, notRecorded)},
		fact{"system", cmp.Or(by.System, notRecorded)},
		fact{"processors", processors(by)},
	)
	if c := run.Sampling; c.Samples > 0 {
		n := time.Duration(c.Samples)
		facts = append(facts, fact{"samples", fmt.Sprintf("%d; one took %s on average and %s at most, and %s of CPU time",
			c.Samples, short(c.Took/n), short(c.Longest), short(c.CPU/n))})
	}
	for _, side := range scenario.Sides() {
		if failure := run.Of(side).Report.Failure; failure != "" {
			facts = append(facts, fact{string(side) + " failed", failure})
		}
	}
	return facts
}

// notRecorded stands for what a recording does not tell: one of before it was
// kept.
const notRecorded = "not in the recording"

func processors(by provenance.Info) string {
	switch {
	case by.CPUs == 0:
		return cmp.Or(by.Arch, notRecorded)
	case by.Arch == "":
		return fmt.Sprint(by.CPUs)
	}
	return fmt.Sprintf("%d (%s)", by.CPUs, by.Arch)
}

// again is the command that plays a scenario of the catalogue in the same way.
func again(e Entry) string {
	run := e.Run
	if run.Commands != nil || !scenarios.Has(run.Scenario) {
		return ""
	}
	words := []string{"sockwatch run", run.Scenario, fmt.Sprintf("--speed %g --seed %d --source %s", run.Speed, run.Seed, run.Source)}
	if !run.Isolated {
		words = append(words, "--isolate never")
	}
	return strings.Join(words, " ")
}
