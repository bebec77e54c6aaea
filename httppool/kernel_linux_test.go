package httppool_test

import (
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/httppool"
	"socketlab/internal/socketstats"
)

var requests = flag.Int("requests", 4_000, "how many requests TestCountsAreTheKernels sends")

// TestCountsAreTheKernels holds the Pool's connections to the kernel's sockets, by address, whenever
// no request is under way, and those opened to what the server has accepted:
//
//	go test ./httppool -run Kernel -requests 100000
func TestCountsAreTheKernels(t *testing.T) {
	base := serverProcess(t)
	server, err := netip.ParseAddrPort(strings.Trim(base, "htp:/"))
	require.NoError(t, err)
	source, err := socketstats.OpenSource(socketstats.Auto)
	require.NoError(t, err)
	defer source.Close()
	// held are the local addresses of this process's sockets to the server.
	held := func() []string {
		all, err := source.Sockets(t.Context(), socketstats.Query{
			Ports: []uint16{server.Port()}, Owners: true, OwnersAmong: []int32{int32(os.Getpid())},
		})
		require.NoError(t, err)
		var addrs []string
		for _, s := range all {
			if s.PID == int32(os.Getpid()) {
				addrs = append(addrs, s.Local.String())
			}
		}
		slices.Sort(addrs)
		return addrs
	}

	pool := httppool.Watch(&http.Transport{MaxConnsPerHost: 40, MaxIdleConnsPerHost: 10, IdleConnTimeout: 20 * time.Millisecond})
	client := &http.Client{Transport: pool}
	n := *requests
	if testing.Short() {
		n = min(n, 2_000)
	}
	const phases, callers = 20, 50
	for phase := range phases {
		var wg sync.WaitGroup
		for caller := range callers {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(phase), uint64(caller)))
				for range n / phases / callers {
					call(t, client, base, random)
				}
			})
		}
		wg.Wait()
		if phase%5 == 4 {
			pool.CloseIdleConnections()
		}
		var ours []string
		var kernels []string
		require.Eventually(t, func() bool {
			kernels = held()
			ours = nil
			for _, c := range pool.Snapshot().Connections {
				ours = append(ours, c.Local)
			}
			slices.Sort(ours)
			return slices.Equal(ours, kernels) && slices.Equal(kernels, held())
		}, time.Minute, time.Millisecond, "the Pool has %v, the kernel %v", &ours, &kernels)
		require.Empty(t, pool.Snapshot().Requests)
	}

	pool.CloseIdleConnections()
	require.Eventually(t, func() bool { return len(held()) == 0 && len(pool.Snapshot().Connections) == 0 }, time.Minute, time.Millisecond)
	h := pool.Snapshot().Hosts[0]
	sum := int64(0)
	for _, n := range h.Closed {
		sum += n
	}
	require.Equal(t, h.Opened, sum)
	resp, err := http.Get(base + "accepted")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	accepted, err := strconv.ParseInt(string(body), 10, 64)
	require.NoError(t, err)
	accepted-- // the connection that asks
	require.GreaterOrEqual(t, accepted, h.Opened)
	require.LessOrEqual(t, accepted, h.Opened+h.DialsFailed, "the kernel may have connected what was given up")
	t.Logf("%d requests, %d connections: %v", h.Requests, h.Opened, h.Closed)
}

// call makes one request of some kind. Which fail is not the point.
func call(t *testing.T, client *http.Client, base string, random *rand.Rand) {
	path, timeout, read := "", time.Minute, true
	switch random.IntN(40) {
	case 0:
		path = "reset"
	case 1:
		path, timeout = "silent", time.Duration(random.IntN(3000))*time.Microsecond
	case 2:
		path = "cut"
	case 3:
		path = "close"
	case 4:
		path, read = "long", false
	case 5:
		path, timeout = "long", time.Duration(random.IntN(3000))*time.Microsecond
	case 6:
		timeout = time.Duration(random.IntN(300)) * time.Microsecond // also while it is dialled for
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		t.Error(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		return
	}
	if read {
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	_ = resp.Body.Close()
}
