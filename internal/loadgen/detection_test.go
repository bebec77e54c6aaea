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
	d.Noticed(time.Now().Add(-1500 * time.Millisecond))
	require.InDelta(t, 1500, d.Values()["detected_ms"], 200)
}
