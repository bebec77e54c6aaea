//go:build unix

package exercise_test

import (
	"os"
	"path"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/exercise"
)

// To open a pipe waits for its other end, and no signal ends that.
func TestPipesInAFolderAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	e, err := exercise.Find("one-of-three-leaks")
	require.NoError(t, err)
	dir := path.Join(t.TempDir(), "mine")
	p, err := exercise.Start(e, nil, dir)
	require.NoError(t, err)
	piped := func(name string) {
		require.NoError(t, os.Remove(path.Join(dir, name)))
		require.NoError(t, unix.Mkfifo(path.Join(dir, name), 0o600))
	}
	piped("answer.yaml")
	_, err = p.Diagnosed()
	require.ErrorContains(t, err, "answer.yaml: is not a regular file")
	require.NoError(t, p.Reset(), "which puts it back, as the error says")
	_, err = p.Diagnosed()
	require.NoError(t, err)
	piped(".exercise.json")
	_, err = exercise.Open(dir)
	require.ErrorContains(t, err, ".exercise.json: is not a regular file")
}
