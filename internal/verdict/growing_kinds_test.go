package verdict_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

func TestKindsOfDescriptorsThatGrowNeedEnoughSamples(t *testing.T) {
	t.Parallel()
	growing := func(samples int) *series.Subject {
		return observed(samples, func(i int, s *series.Sample) { heldBeside(s, "udp", 2*i) })
	}
	kinds := verdict.GrowingKinds(growing(30))
	require.Len(t, kinds, 1)
	require.Equal(t, "udp", kinds[0].Kind)
	require.Equal(t, 58, kinds[0].Now)
	require.Empty(t, verdict.GrowingKinds(growing(2*series.Least-1)))
}
