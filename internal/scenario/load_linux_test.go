package scenario

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestLoadOfAFIFODoesNotWaitForAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my.yaml")
	require.NoError(t, unix.Mkfifo(path, 0o644))
	got := make(chan string, 1)
	go func() { got <- loadError(t, path) }()
	select {
	case message := <-got:
		require.Equal(t, "is not a regular file", message)
	case <-time.After(time.Minute):
		t.Fatal("Load is still waiting for the FIFO")
	}
}

func TestLoadOfADevice(t *testing.T) {
	require.Equal(t, "is not a regular file", loadError(t, "/dev/zero"))
}

func TestLoadOfAnUnreadableFile(t *testing.T) {
	path := writeScript(t, []byte(good))
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		require.NoError(t, os.Chmod(dir, 0o755)) // so that nobody may look for the file
	}
	require.NoError(t, asNobody(func() error {
		_, err := Load(path, codes)
		return err
	}), "readable, it can be loaded")

	require.NoError(t, os.Chmod(path, 0))
	err := asNobody(func() error {
		_, err := Load(path, codes)
		return err
	})
	var bad *Error
	require.ErrorAs(t, err, &bad)
	require.Equal(t, path+": permission denied", err.Error())
}

// asNobody calls f without root's right to read every file. The kernel keeps
// that right by thread; this one ends with its goroutine, which stays locked.
func asNobody(f func() error) error {
	const nobody = 65534
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		if _, err := unix.SetfsuidRetUid(nobody); err != nil {
			result <- err
			return
		}
		result <- f()
	}()
	return <-result
}
