//go:build unix

package regular_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/regular"
)

func TestWaitsForNoPipeAndReadsNoDevice(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	for _, path := range []string{pipe, "/dev/zero"} {
		_, err := regular.Read(path, 5)
		require.EqualError(t, err, "read "+path+": is not a regular file")
	}
}
