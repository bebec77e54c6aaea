package loadgen

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestADetectionIsUnknownUntilThePeerIsMissed(t *testing.T) {
	t.Parallel()
	var d Detection
	require.Empty(t, d.Values())
	gone := time.Now().Add(-1500 * time.Millisecond)
	d.Noticed(gone)
	require.GreaterOrEqual(t, d.Values()["detected_ms"], 1500.0)
	require.LessOrEqual(t, d.Values()["detected_ms"], float64(time.Since(gone))/float64(time.Millisecond))
}
