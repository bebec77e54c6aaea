//go:build unix

package httppool_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/httppool"
)

// BenchmarkCost compares a client with a Pool to the same without one. The server is a process
// of its own, so that the CPU time is the client's alone. Blocks of requests without and with
// the Pool alternate, and each is compared with its neighbour, as the speed of a processor
// changes in time; what is reported is the median:
//
//	go test ./httppool -run '^$' -bench Cost -benchtime 200x
func BenchmarkCost(b *testing.B) {
	url := serverProcess(b)
	for _, bench := range []struct {
		name    string
		options []httppool.Option
	}{
		{"without stacks", []httppool.Option{httppool.WithoutStacks()}},
		{"with stacks", nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			bare := &http.Transport{}
			pool := httppool.Watch(&http.Transport{}, bench.options...)
			defer bare.CloseIdleConnections()
			defer pool.CloseIdleConnections()
			const block = 500
			measure(b, bare, url, block) // dials
			measure(b, pool, url, block)
			var without, ratios, allocs []float64
			for b.Loop() {
				cpu, mallocs := measure(b, bare, url, block)
				cpuPool, mallocsPool := measure(b, pool, url, block)
				without, ratios = append(without, float64(cpu)), append(ratios, float64(cpuPool)/float64(cpu))
				allocs = append(allocs, (float64(mallocsPool)-float64(mallocs))/block)
			}
			b.ReportMetric(median(ratios), "cpu/bare")
			b.ReportMetric(median(without)/block, "bare-cpu-ns/request")
			b.ReportMetric(median(allocs), "more-allocs/request")
		})
	}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// TestCost holds the allocations to the limits of the documentation.
func TestCost(t *testing.T) {
	url := serverProcess(t)
	const block = 300
	// The fewest of several blocks: a connection that is not used again, as its request was
	// still being written 50 ms after the response (maxWriteWaitBeforeConnReuse in net/http),
	// only adds some.
	fewest := func(rt http.RoundTripper) uint64 {
		_, least := measure(t, rt, url, block)
		for range 5 {
			_, mallocs := measure(t, rt, url, block)
			least = min(least, mallocs)
		}
		return least
	}
	bare := &http.Transport{}
	defer bare.CloseIdleConnections()
	without := fewest(bare)
	for limit, options := range map[float64][]httppool.Option{6: {httppool.WithoutStacks()}, 8: nil} {
		pool := httppool.Watch(&http.Transport{}, options...)
		defer pool.CloseIdleConnections()
		with := fewest(pool)
		more := (float64(with) - float64(without)) / block
		t.Logf("%.2f allocations a request more", more)
		require.LessOrEqual(t, more, limit+0.1) // the runtime's own allocations are among them
	}
}

// measure sends n requests and returns the CPU time and the allocations of this process.
func measure(t testing.TB, rt http.RoundTripper, url string, n int) (cpu time.Duration, mallocs uint64) {
	client := &http.Client{Transport: rt}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime(t)
	for range n {
		resp, err := client.Get(url)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	cpu = cpuTime(t) - start
	runtime.ReadMemStats(&after)
	return cpu, after.Mallocs - before.Mallocs
}

func cpuTime(t testing.TB) time.Duration {
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// serverProcess starts this test binary as a server and returns its URL.
func serverProcess(t testing.TB) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HTTPPOOL_TEST_SERVE=1")
	in, err := cmd.StdinPipe() // it ends when this closes, so also when this process ends
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return line[:len(line)-1]
}
