package scenarios

import (
	"slices"

	"socketlab/internal/scenario"
)

// Summaries returns what a list shows of all scripts, in the order in which they are
// best taught: names, symptoms, fault and speed, a load of the same length, and of the
// expectations their metrics, kinds and versions of Go. Everything else is left out.
// They are part of the program, and nothing is parsed. What they point to is shared by
// all callers, and not to be changed.
func Summaries() []scenario.Script { return slices.Clone(summaries) }
