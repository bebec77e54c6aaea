package render_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/metric"
	"socketlab/internal/render"
	"socketlab/internal/series"
)

func TestDifferenceSaysHowFarApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		metric        string
		faulty, fixed float64
		want          string
	}{
		{"requests.sent", 7, 7, "="},
		{"requests.sent", 120, 2, "×60"},
		{"requests.sent", 5, 2, "×2.5"},
		{"requests.sent", 2, 120, "÷60"},
		{"requests.sent", 116, 0, "+116"},
		{"requests.sent", 0, 3, "−3"},
		{"requests.sent", 12, 10, "+2"},
		{"requests.sent", 1000, 1001, "≈"},
		{"latency_ms.p99", 20010, 20000, "≈"},
		{"latency_ms.p99", 120, 100, "+20ms"},
		{"process.rss_peak_bytes", 13 << 20, 10 << 20, "+3.0 MiB"},
		{"growth_per_second", 2, 0, "+2.0/s"},
	} {
		m, err := metric.Lookup(c.metric)
		require.NoError(t, err)
		require.Equal(t, c.want, render.Difference(m, c.faulty, c.fixed), "%v", c)
	}
}

func TestEveryMetricSaysWhyItMatters(t *testing.T) {
	t.Parallel()
	for _, m := range metric.All() {
		require.NotEmpty(t, m.Why, m.Name)
	}
}

func TestKindsOfDescriptorsAreComparedLikeAllElse(t *testing.T) {
	t.Parallel()
	list := events()
	faulty := &list[len(list)-1].Moment.Subjects[0]
	fixed := &list[len(list)-1].Moment.Subjects[1]
	faulty.Process = &series.Process{Kinds: map[string]int{"tcp": 9, "pipe": 4}}
	fixed.Process = &series.Process{Kinds: map[string]int{"pipe": 4}}
	text := write(t, "html", judged(t, list))
	require.Contains(t, text, `descriptors tcp</th><td class="number"><data value="9">9</data></td><td class="number"><data value="0">0</data></td><td class="number">+9</td><td></td></tr>`)
	require.Contains(t, text, `descriptors pipe</th><td class="number"><data value="4">4</data></td><td class="number"><data value="4">4</data></td><td class="number">=</td><td></td></tr>`)
}
