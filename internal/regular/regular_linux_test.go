package regular_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/regular"
)

// A file of /proc says that it has no bytes.
func TestAFileThatDoesNotSayItsSize(t *testing.T) {
	t.Parallel()
	data, err := regular.Read("/proc/self/status", 1<<20)
	require.NoError(t, err)
	require.Contains(t, string(data), "Pid:")
	_, err = regular.Read("/proc/self/status", 10)
	require.ErrorIs(t, err, regular.TooLarge{Size: 11, Most: 10})
}
