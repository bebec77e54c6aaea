// Package fdtest holds what opens descriptors to closing them again where it
// fails half way. It needs Linux.
package fdtest

import (
	"io"
	"os"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// LeavesNone fails the test where open leaves a descriptor behind: it is called
// with none to spare, with one, and so on until it has all that it needs, and what
// it returns is closed. open must not be called by others meanwhile, and the test
// must not be parallel: the limit is the whole process's.
func LeavesNone(t *testing.T, open func() (io.Closer, error)) {
	t.Helper()
	// The collector would close what nobody refers to any more.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	closer, err := open() // what the runtime opens once, such as its poller, is there from now on
	require.NoError(t, err)
	needed := descriptors(t)
	require.NoError(t, closer.Close())
	needed -= descriptors(t)
	require.Positive(t, needed, "it opens nothing")
	fillGaps(t)
	before := descriptors(t)

	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	failed := 0
	// Meanwhile it may need more than in the end.
	for spare := 0; spare <= needed+2; spare++ {
		few := limit
		few.Cur = uint64(before + spare)
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &few))
		closer, err := open()
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
		if err != nil {
			failed++
		} else {
			require.NoError(t, closer.Close())
		}
		require.Equal(t, before, descriptors(t), "descriptors after an open with %d to spare: %v", spare, err)
	}
	require.Positive(t, failed, "it opens %d descriptors, and did not fail with fewer", needed)
}

// fillGaps takes the numbers of descriptors that are free below others until the end of the
// test: the limit is one of numbers, and with gaps there are more to spare than it says.
func fillGaps(t *testing.T) {
	t.Helper()
	for {
		lowest, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		require.NoError(t, err)
		if lowest == descriptors(t)-1 { // the numbers below are all taken
			require.NoError(t, unix.Close(lowest))
			return
		}
		t.Cleanup(func() { _ = unix.Close(lowest) })
	}
}

// descriptors is how many descriptors this process has.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list) - 1 // without that of the folder
}
