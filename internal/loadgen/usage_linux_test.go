package loadgen

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestCountOfDescriptorsIsTheKernels(t *testing.T) {
	before := len(descriptors())
	require.Equal(t, before, countFDs())
	require.Equal(t, before, countDir("/proc/self/fd"))
	var files []*os.File
	for n := 1; n <= 10; n++ {
		f, err := os.Open(os.DevNull)
		require.NoError(t, err)
		defer f.Close()
		files = append(files, f)
		require.Equal(t, before+n, countFDs())
		require.Equal(t, before+n, countDir("/proc/self/fd"))
	}
	for _, f := range files {
		f.Close()
	}
	require.Equal(t, before, countFDs())
}

func TestCountOfAFolderThatIsNotThere(t *testing.T) {
	require.Zero(t, countDir("/proc/self/no-such-folder"))
}

// gopsutil's process.NewProcess leaves a descriptor behind until the next
// collection: the figures would count their own making.
func TestReadingUsageOpensNothing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var u Usage
	u.Read()
	before := descriptors()
	for range 500 {
		u.Read()
		MaxFDs()
	}
	after := descriptors()
	// There may be less: a connection of an earlier test is closed some time after it.
	require.LessOrEqual(t, len(after), len(before), "%v, then %v", before, after)
}

func TestPeaksStayWhenWhatTheyCountedIsGone(t *testing.T) {
	var u Usage
	before := u.Read()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		<-end
		close(ended)
	}()
	during := u.Read()
	require.Equal(t, before.Descriptors+2, during.Descriptors)
	require.Greater(t, during.Goroutines, 1)
	r.Close()
	w.Close()
	close(end)
	<-ended
	after := u.Read()
	require.Equal(t, before.Descriptors, after.Descriptors)
	require.Equal(t, during.Descriptors, after.DescriptorsPeak)
	require.GreaterOrEqual(t, after.GoroutinesPeak, during.Goroutines)
	require.GreaterOrEqual(t, after.RSSPeakBytes, before.RSSPeakBytes)
}

func TestPeakIsNeverBelowThePresent(t *testing.T) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // goroutines come and go all the time
		defer close(stopped)
		for {
			var some sync.WaitGroup
			for range 20 {
				some.Go(runtime.Gosched)
			}
			some.Wait()
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for range 500 {
		var u Usage
		got := u.Read()
		if got.Goroutines > got.GoroutinesPeak || got.Descriptors > got.DescriptorsPeak {
			t.Errorf("%+v", got)
			break
		}
	}
	close(stop)
	<-stopped
}

func TestUsageIsThisProcess(t *testing.T) {
	var u Usage
	got := u.Read()
	require.Greater(t, got.RSSPeakBytes, uint64(1<<20))
	require.Less(t, got.RSSPeakBytes, uint64(16<<30))
	runtime.GC()
	require.Greater(t, u.Read().GCCycles, got.GCCycles)
}

func TestLoadMayTakeAQuarterOfTheDescriptors(t *testing.T) {
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	require.Equal(t, min(int(min(limit.Cur/4, 1<<20)), 8192), MaxFDs())
}
