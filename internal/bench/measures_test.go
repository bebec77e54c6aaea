package bench

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSeriesShowsMedianAndRange(t *testing.T) {
	assert.Equal(t, "2.0 (1.0..9.0)", figures{9, 1, 2}.text(1))
	assert.Equal(t, "2 (1..4)", figures{4, 1, 1, 3}.text(0))
	assert.Equal(t, "", figures(nil).text(1))
	assert.Equal(t, figures{2, 3}, figures{4, 9}.over(figures{2, 3}))
}

func TestP99IsTheValueThatOneInAHundredExceeds(t *testing.T) {
	d := make([]time.Duration, 200)
	for i := range d {
		d[i] = time.Duration(200 - i)
	}
	assert.EqualValues(t, 198, p99(d))
	assert.EqualValues(t, 7, p99([]time.Duration{7}))
	assert.Zero(t, p99(nil))
}

func TestTableMarksAMissedBar(t *testing.T) {
	got := table{
		title: "T", columns: []string{"ours", "peer"}, how: "How.",
		rows: []row{
			{"ratio", 2, []figures{{1.2}, nil}, atMost(1.1, 1.2)},
			{"share", 0, []figures{{99}, {3}}, atLeast(98, 99)},
		},
	}
	assert.Equal(t, `
## T

| | ours | peer | bar | met |
|---|---:|---:|---|---|
| ratio | 1.20 (1.20..1.20) |  | at most 1.1 | **no** |
| share | 99 (99..99) | 3 (3..3) | at least 98 | yes |

How.
`, got.markdown())
	assert.Equal(t, []string{"T: ratio: at most 1.1"}, document{tables: []table{got}}.missed())
}

func TestHoldCountsWhatAServerHeld(t *testing.T) {
	t.Parallel()
	const n = 20
	command, err := self("worker-sleep", "-delay", holdDelay(n).String())
	require.NoError(t, err)
	got, err := hold(t.Context(), command, n)
	require.NoError(t, err)
	assert.Zero(t, got.failed)
	assert.Positive(t, got.earliest)
	assert.GreaterOrEqual(t, got.late, got.earliest)
}

func TestHoldFailsWhenNoServerStarts(t *testing.T) {
	command, err := self("worker-player") // has no address to call
	require.NoError(t, err)
	_, err = hold(t.Context(), command, 1)
	assert.ErrorContains(t, err, "start")
}

// A closed loop of 50 workers can begin 50 of the 1000 requests that are due in
// the stall, 5 %. How many more the player begins under the race detector, on
// a busy machine, is not ours to say: the benchmark does, on a quiet one.
func TestStallHoldsBackTheClosedLoopOnly(t *testing.T) {
	for name, want := range map[string]struct {
		load     loader
		min, max float64
	}{
		"player":      {playLoad, 15, math.Inf(1)}, // one that is late begins what was due before, too
		"closed loop": {closedLoad, 0, 10},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sendAt(t.Context(), want.load, 1000, stallLength, stallFor)
			require.NoError(t, err)
			share := got.share(stallAt, stallAt+stallFor)
			assert.GreaterOrEqual(t, share, want.min)
			assert.LessOrEqual(t, share, want.max)
		})
	}
}

func TestCountingClientsEndWithTheirLoad(t *testing.T) {
	t.Parallel()
	cpu, err := countersCPU(t.Context(), []string{"worker-player", "worker-nocounters"}, 100, time.Second, 1)
	require.NoError(t, err)
	assert.Positive(t, cpu[0])
	assert.Positive(t, cpu[1])
}
