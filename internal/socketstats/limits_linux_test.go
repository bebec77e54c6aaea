package socketstats_test

import (
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
