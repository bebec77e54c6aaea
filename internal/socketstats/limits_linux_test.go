package socketstats_test

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

func TestLimitsAreTheKernels(t *testing.T) {
	var own unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &own))
	l := socketstats.LimitsOf(int32(os.Getpid()))
	require.Equal(t, int(own.Cur), l.Descriptors)
	require.Greater(t, l.Ports, 0)
	require.LessOrEqual(t, l.Ports, 65536)
	require.Zero(t, socketstats.LimitsOf(1<<30).Descriptors)
}

func TestDescriptorsCountsOneMoreForEachSocket(t *testing.T) {
	pid := int32(os.Getpid())
	before := socketstats.Descriptors(pid)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	require.GreaterOrEqual(t, socketstats.Descriptors(pid), before+1)
	require.Zero(t, socketstats.Descriptors(1<<30))
}
