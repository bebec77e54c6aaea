//go:build unix

package kubelet_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/kubelet"
)

// To open a pipe waits for its other end, and no signal ends that.
func TestPipesAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	_, err := kubelet.New(kubelet.Options{URL: "https://127.0.0.1:1", CAFile: pipe})
	require.ErrorContains(t, err, "pipe: is not a regular file")
	c, err := kubelet.New(kubelet.Options{URL: "https://127.0.0.1:1", TokenFile: pipe})
	require.NoError(t, err)
	require.ErrorContains(t, c.Refresh(t.Context()), "pipe: is not a regular file")
}
