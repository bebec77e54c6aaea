//go:build unix

package runtimes

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The file beside an executable is whatever the process's owner puts there.
func TestTheVersionOfJavaIsReadFromAFileAlone(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		put  func(release string) error
		want string
	}{
		"a JDK": {func(release string) error {
			return os.WriteFile(release, []byte("IMPLEMENTOR=\"us\"\nJAVA_VERSION=\"17.0.1\"\n"), 0o600)
		}, "17.0.1"},
		"a pipe":    {func(release string) error { return unix.Mkfifo(release, 0o600) }, ""},
		"a device":  {func(release string) error { return os.Symlink("/dev/zero", release) }, ""},
		"a folder":  {func(release string) error { return os.Mkdir(release, 0o700) }, ""},
		"a big one": {func(release string) error { return os.WriteFile(release, make([]byte, 64<<10+1), 0o600) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proc := process(t, "/jdk/bin/java", "java", "java Main", "")
			require.NoError(t, os.MkdirAll(filepath.Join(proc, "root", "jdk"), 0o700))
			require.NoError(t, one.put(filepath.Join(proc, "root", "jdk", "release")))
			require.Equal(t, one.want, of(proc).Version)
		})
	}
}

func TestAnExecutableOfATerabyteIsNotSearched(t *testing.T) {
	t.Parallel()
	exe := filepath.Join(t.TempDir(), "program")
	self, err := os.Executable()
	require.NoError(t, err)
	data, err := os.ReadFile(self)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(exe, data, 0o600))
	require.Equal(t, "go", of(process(t, exe, "program", "program", "")).Runtime)
	if err := os.Truncate(exe, 1<<40); err != nil {
		t.Skip("no file with a hole here: ", err)
	}
	require.Empty(t, of(process(t, exe, "program", "program", "")).Runtime)
}
