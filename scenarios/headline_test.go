package scenarios_test

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// What the largest digits show is worse on the faulty side, in every run that shows
// what its script expects: the least that is expected of the faulty side is more than
// the most that is expected of the fixed one. A fault of one Go need not show in another.
func TestHeadlinesAreWorseOnTheFaultySide(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		if script.Sort != scenario.Pair {
			continue
		}
		require.NotEmpty(t, script.Headline, "%s has no headline: name a metric of which its faulty side has more, and expect that of both sides", id)
		worse := 0
		for _, goVersion := range goVersions {
			script := scriptForGo(t, id, goVersion)
			least, _ := bounds(script.Expect.Faulty, script.Headline)
			_, most := bounds(script.Expect.Fixed, script.Headline)
			if least > most {
				worse++
				continue
			}
			require.Condition(t, func() bool { return differsByGo(script) && !hasFault(script) },
				"%s, %s: the script does not expect that %s is worse on the faulty side", id, goVersion, script.Headline)
		}
		require.Positive(t, worse, id)
	}
}

// differsByGo reports whether a script expects something else of another Go.
func differsByGo(s scenario.Script) bool {
	return s.OtherGo != nil && len(s.OtherGo.Faulty)+len(s.OtherGo.Fixed) > 0
}

// hasFault reports whether the faulty side is expected to have its fault.
func hasFault(s scenario.Script) bool {
	if s.Fault == nil {
		return false
	}
	for _, e := range s.Expect.Faulty {
		if e.Metric == scenario.VerdictMetric && string(e.Kind) == s.Fault.Kind {
			return true
		}
	}
	return false
}

// bounds are the least and the most that expectations allow a metric to be.
func bounds(expected []scenario.Expectation, name string) (least, most float64) {
	least, most = math.Inf(-1), math.Inf(1)
	for _, e := range expected {
		if e.Metric != name || e.Other != "" {
			continue
		}
		switch e.Op {
		case "==":
			least, most = e.Value, e.Value
		case ">=", ">":
			least = max(least, e.Value)
		case "<=", "<":
			most = min(most, e.Value)
		}
	}
	return least, most
}

// An audience reads what each side does and why the number moves, in plain words.
func TestEverySideIsExplainedToTheAudience(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`[a-z][A-Z]|[()_{}]|\w\.\w`)
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		for what, text := range map[string]string{"says.faulty": script.Says.Faulty, "says.fixed": script.Says.Fixed, "says.why": script.Says.Why} {
			require.NotEmpty(t, text, "%s: %s is missing: one sentence for an audience (see the other scripts)", id, what)
			require.NotRegexp(t, code, strings.ReplaceAll(strings.ReplaceAll(text, "HTTP/1.1", "HTTP"), "TIME_WAIT", "it"), "%s: %s has a name of the code", id, what)
		}
	}
}
