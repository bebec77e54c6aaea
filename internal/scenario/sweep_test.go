package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSweepSetsOneSetting(t *testing.T) {
	require.Equal(t, []string{"max_idle_conns", "max_idle_conns_per_host", "idle_conn_timeout", "timeout", "pool_size", "send", "every"}, Settings())
	before := Client{PoolSize: 1, MaxIdleConns: 2}
	for _, name := range Settings() {
		require.NotEqual(t, before, before.With(name, SweepValue{Number: 7, Time: 7}, 1), name)
	}
	require.Equal(t, Client{PoolSize: 7, MaxIdleConns: 2}, before.With("pool_size", WholeNumber(7), 10))
	require.Equal(t, Client{PoolSize: 1, MaxIdleConns: 2, Every: Duration(time.Second)}, before.With("every", SweepValue{Time: Duration(10 * time.Second)}, 10))
	require.Equal(t, 1, before.PoolSize)
}

func TestUnderWayIsRateTimesLatencyAtAnySpeed(t *testing.T) {
	s := mustParse(t, head+"load: [{rate: 20, for: 1s}, {rate: 50, for: 2s, jitter_requests: 2}, {burst: 5}]\n"+expect)
	require.InDelta(t, 10, s.UnderWay(100*time.Millisecond), 1e-9) // 100/s
	require.InDelta(t, 10, s.AtSpeed(20).UnderWay(5*time.Millisecond), 1e-6)
	s = mustParse(t, head+"load: [{burst: 5}, {pause: 1s}]\n"+expect)
	require.Zero(t, s.UnderWay(time.Second))
}
