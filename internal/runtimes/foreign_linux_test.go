package runtimes

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPipeInPlaceOfAJavaReleaseIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	dir := process(t, "/usr/lib/jvm/bin/java", "java", "java Main", "")
	java := filepath.Join(dir, "root/usr/lib/jvm")
	require.NoError(t, os.MkdirAll(java, 0o700))
	require.NoError(t, syscall.Mkfifo(filepath.Join(java, "release"), 0o600))
	require.Equal(t, Program{Runtime: "java", Module: "Main"}, of(dir))
}

func TestOfAnEndlessFileTheBeginningIsRead(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "release")
	require.NoError(t, os.WriteFile(name, bytes.Repeat([]byte("x\n"), mostRelease), 0o600))
	require.Len(t, release(name), mostRelease)
	require.Nil(t, release("/dev/zero"))
}
