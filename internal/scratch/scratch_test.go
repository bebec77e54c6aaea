package scratch_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scratch"
)

// The test's own program makes a folder and waits where this is set.
const hold = "SCRATCH_TEST_HOLD"

func TestMain(m *testing.M) {
	if os.Getenv(hold) != "" {
		f, err := scratch.New("test")
		fmt.Println(f.Path, err)
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestRemovesWhatAKilledProcessLeft(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders have no locks there")
	}
	t.Setenv("TMPDIR", t.TempDir())
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), hold+"=1")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	theirs, _, _ := strings.Cut(said, " ")
	require.DirExists(t, theirs)
	require.NoError(t, os.WriteFile(filepath.Join(theirs, "file"), nil, 0o600))

	mine, err := scratch.New("test")
	require.NoError(t, err)
	require.DirExists(t, theirs, "its process is alive")

	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	others := filepath.Join(os.TempDir(), "sockwatch-of-others")
	require.NoError(t, os.Mkdir(others, 0o700))
	second, err := scratch.New("test")
	require.NoError(t, err)
	require.NoDirExists(t, theirs)
	require.DirExists(t, others)
	require.DirExists(t, mine.Path, "this process holds it")

	require.NoError(t, mine.Remove())
	require.NoError(t, second.Remove())
	require.NoDirExists(t, mine.Path)
}
