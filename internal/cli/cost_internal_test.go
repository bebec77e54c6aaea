package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// While a script is played, what its sampling costs waits for the end: no flag changes it.
func TestCostOfAScriptsSamplesIsSaidOnceInTheEnd(t *testing.T) {
	t.Parallel()
	source, err := socketstats.OpenSource(socketstats.Auto)
	require.NoError(t, err)
	defer source.Close()
	var out strings.Builder
	slow := series.Event{Moment: &series.Moment{Took: 30 * time.Millisecond}}
	c := costWarning{to: &out, source: source, ofScript: true}
	c.see(slow, 200*time.Millisecond)
	c.see(slow, 200*time.Millisecond)
	require.Empty(t, out.String())
	c.say()
	c.say()
	require.Equal(t, 1, strings.Count(out.String(), "takes 30ms of every 200ms: "))
	require.NotContains(t, out.String(), "less often")
}

// A source that sockwatch took because it gave up a better one is not told to be changed for that.
func TestCostNamesACheaperSourceOnlyToWhoChoseTheirs(t *testing.T) {
	t.Parallel()
	source := socketstats.Gopsutil{}
	best, other := socketstats.Cheaper(source)
	if !other {
		t.Skip("no source of this system is cheaper")
	}
	for auto, advice := range map[bool]string{true: "of every 100ms: sample less often\n", false: "of every 100ms: --source " + best + " takes less\n"} {
		var out strings.Builder
		c := costWarning{to: &out, source: source, auto: auto}
		c.see(series.Event{Moment: &series.Moment{Took: 30 * time.Millisecond}}, 100*time.Millisecond)
		require.Contains(t, out.String(), advice)
	}
}
