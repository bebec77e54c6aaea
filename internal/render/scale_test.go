package render

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScaleIsARoundNumberNotFarAbove(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 10, 7: 10, 10: 10, 11: 12, 35: 36, 99: 100, 100: 100, 116: 120, 122: 140, 1001: 1200, 9999: 10000} {
		require.Equal(t, want, roundUp(n), "%d", n)
	}
	last := 0
	for n := range 20000 {
		top := roundUp(n)
		require.GreaterOrEqual(t, top, n)
		require.LessOrEqual(t, top, max(10, n+n/2))
		require.GreaterOrEqual(t, top, last, "a scale that falls while the sockets grow")
		last = top
	}
}
