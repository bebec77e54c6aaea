package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

func TestMoreRunsOverlapWhileProcessorsAreIdle(t *testing.T) {
	plain := scenario.Script{}
	exact := scenario.Script{Expect: scenario.Expect{Fixed: []scenario.Expectation{{Metric: "latency_ms.p99"}}}}
	start := time.Now()
	// begun is how many of a script begin at once, one each second.
	begun := func(o *overlap, s scenario.Script) int {
		for now := start; ; now = now.Add(time.Second) {
			if !o.room(s, now) {
				return o.all
			}
			o.begin(s, now)
		}
	}
	at := func(busy float64, known bool) *overlap {
		return &overlap{processors: 2, load: func() (float64, bool) { return busy, known }}
	}
	require.Equal(t, 12, begun(at(0.1, true), plain))
	require.Equal(t, 6, begun(at(0.9, true), plain), "on a busy machine")
	require.Equal(t, 6, begun(at(0, false), plain), "where the load is not known")
	require.Equal(t, 6, begun(at(0.1, true), exact), "neighbours make latencies longer")
	require.Equal(t, 2, begun(&overlap{fixed: 2, processors: 2}, plain))

	// Beside one that expects a latency there are no more than that either.
	o := at(0.1, true)
	o.begin(exact, start)
	require.Equal(t, 6, begun(o, plain))
	o.end(exact)
	o.begin(plain, start.Add(time.Hour))
	require.True(t, o.room(plain, o.began.Add(apart)))
	require.False(t, o.room(plain, o.began.Add(apart/2)), "the one before is not in the load yet")
}

func TestLongRunsBeginFirstAndThoseWithLatenciesLast(t *testing.T) {
	script := func(seconds int, metric string) scenario.Script {
		return scenario.Script{
			Load:   []scenario.Phase{{Pause: scenario.Duration(seconds) * scenario.Duration(time.Second)}},
			Expect: scenario.Expect{Faulty: []scenario.Expectation{{Metric: metric}}},
		}
	}
	require.Equal(t, []int{2, 1, 3, 0}, inOrder([]scenario.Script{
		script(9, "latency_ms.p50"), script(2, "verdict"), script(5, "verdict"), script(2, "verdict"),
	}))
}

func TestLoadMeterSaysWhatIsBusy(t *testing.T) {
	var m loadMeter
	_, known := m.busy()
	require.False(t, known, "at first")
	require.Eventually(t, func() bool {
		busy, known := m.busy()
		return known && busy >= 0 && busy <= 1
	}, time.Minute, 10*time.Millisecond)
}
