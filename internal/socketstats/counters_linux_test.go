package socketstats_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

func TestTheKernelsCountersCountRealConnections(t *testing.T) {
	before, err := socketstats.ReadCounters("/proc/self")
	require.NoError(t, err)
	fixture := statefixture.New(t, statefixture.IPv4)
	for range 3 {
		fixture.Established()
	}
	fixture.Established().Abort()
	after, err := socketstats.ReadCounters("/proc/self")
	require.NoError(t, err)
	// Others on this machine may open some too.
	require.GreaterOrEqual(t, after["ActiveOpens"], before["ActiveOpens"]+4)
	require.GreaterOrEqual(t, after["PassiveOpens"], before["PassiveOpens"]+4)
	require.Greater(t, after["OutRsts"]+after["TCPAbortOnData"], before["OutRsts"]+before["TCPAbortOnData"])

	_, err = socketstats.ReadCounters("/proc/self/no")
	require.ErrorContains(t, err, "counters")
}
