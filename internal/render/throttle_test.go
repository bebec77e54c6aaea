package render

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThrottleGoesByWhatASnapshotCosts(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	p := Throttle{Share: 100, Least: 200 * ms, Most: 5000 * ms}
	require.Equal(t, 1000*ms, p.Rest(10*ms))
	require.Equal(t, 1000*ms, p.Rest(90*ms), "the processor was busy with others")
	require.Equal(t, 200*ms, p.Rest(1*ms))
	for range 4 {
		require.Equal(t, 200*ms, p.Rest(20*ms))
	}
	require.Equal(t, 2000*ms, p.Rest(20*ms), "it costs more now")
	for range 5 {
		p.Rest(time.Second)
	}
	require.Equal(t, 5000*ms, p.Rest(time.Second))
}
