package render

import (
	"slices"

	"socketlab/internal/socketstats"
)

// Stacking is the order of states in a chart, from below.
func Stacking() []socketstats.State { return slices.Clone(stacking) }
