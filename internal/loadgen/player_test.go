package loadgen

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func every(d time.Duration, n int) []time.Duration {
	due := make([]time.Duration, n)
	for i := range due {
		due[i] = time.Duration(i) * d
	}
	return due
}

// A server that never answers delays no request of the schedule.
func TestLoadIsOpenLoop(t *testing.T) {
	const requests = 40
	server := raw(t, func(*net.TCPConn) {})
	caller := NewPlain(Target{URL: "http://" + server + "/"})
	var mu sync.Mutex
	var begun []time.Duration
	due := every(10*time.Millisecond, requests)
	var p *Player
	recording := CallerFunc(func(ctx context.Context) error {
		mu.Lock()
		begun = append(begun, time.Since(p.start))
		mu.Unlock()
		return caller.Call(ctx)
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p = Begin(recording, due, 0)
	require.False(t, p.Report().Done)
	p.Play(ctx)
	require.GreaterOrEqual(t, time.Since(p.start), due[requests-1])

	r := p.Report()
	r.Requests.Attempts = 0 // they may still be on their way
	require.Equal(t, Requests{Sent: requests, InFlight: requests, Errors: map[string]int64{}}, r.Requests)
	require.True(t, r.Done)
	require.Empty(t, r.Stopped)
	eventually(t, "every request is connected", func() bool { return p.Report().Connections.Opened == requests })
	mu.Lock()
	slices.Sort(begun)
	for i, at := range begun {
		require.GreaterOrEqual(t, at, due[i], "request %d was begun early", i)
	}
	mu.Unlock()

	cancel()
	require.Equal(t, map[string]int64{"canceled": requests}, ended(t, p).Requests.Errors)
}

func TestRequestsThatAreDueAreSentAtOnce(t *testing.T) {
	const late = 50 * time.Millisecond
	p := Begin(CallerFunc(func(context.Context) error { return nil }), make([]time.Duration, 100), 0)
	time.Sleep(late) // what a busy machine does
	p.Play(context.Background())
	r := ended(t, p)
	require.EqualValues(t, 100, r.Requests.OK)
	require.GreaterOrEqual(t, r.ScheduleLate.P50, 50.0, "the schedule counts from Begin, and says how late it was kept")
	require.GreaterOrEqual(t, r.At, late)
}

func TestEmptyLoadIsDoneAtOnce(t *testing.T) {
	p := Begin(CallerFunc(func(context.Context) error { panic("nobody asked") }), nil, 1)
	p.Play(context.Background())
	r := p.Report()
	require.True(t, r.Done)
	require.Zero(t, r.Requests.Sent)
	require.Empty(t, r.Stopped)
}

func TestContextEndsTheLoad(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	called := make(chan struct{})
	p := Begin(CallerFunc(func(ctx context.Context) error {
		close(called)
		<-ctx.Done()
		return ctx.Err()
	}), []time.Duration{0, time.Hour}, 0)
	played := make(chan struct{})
	go func() {
		p.Play(ctx)
		close(played)
	}()
	<-called
	cancel()
	<-played
	r := ended(t, p)
	require.Equal(t, Requests{Sent: 1, Failed: 1, Errors: map[string]int64{"canceled": 1}}, r.Requests)
	require.True(t, r.Done)
	require.Empty(t, r.Stopped, "the run was not stopped for its descriptors")
}

func TestContextThatEndedBeforeSendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := Begin(CallerFunc(func(context.Context) error { panic("nobody asked") }), make([]time.Duration, 10), 0)
	p.Play(ctx)
	require.Zero(t, p.Report().Requests.Sent)
}

func TestLoadStopsAtTheMostDescriptors(t *testing.T) {
	server := raw(t, func(*net.TCPConn) {})
	var mu sync.Mutex
	var leak []io.Closer
	t.Cleanup(func() {
		for _, conn := range leak {
			conn.Close()
		}
	})
	leaking := CallerFunc(func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", server)
		if err == nil {
			mu.Lock()
			leak = append(leak, conn)
			mu.Unlock()
		}
		return err
	})
	const requests = 2000
	most := countFDs() + 40
	p := Begin(leaking, every(2*time.Millisecond, requests), most)
	p.Play(context.Background())
	r := ended(t, p)
	require.True(t, r.Done)
	require.Less(t, r.Requests.Sent, int64(requests))
	require.Positive(t, r.Requests.OK)
	require.GreaterOrEqual(t, r.Process.FDsPeak, most)
	var held, limit int
	_, err := fmt.Sscanf(r.Stopped, "holds %d descriptors, the most this run may take is %d", &held, &limit)
	require.NoError(t, err, r.Stopped)
	require.GreaterOrEqual(t, held, most)
	require.Equal(t, most, limit)
}

func TestReportsAddUpWhileTheLoadRuns(t *testing.T) {
	const requests = 3000
	var n atomic.Int64
	p := Begin(CallerFunc(func(context.Context) error {
		switch n.Add(1) % 4 {
		case 0:
			return StatusError(http.StatusServiceUnavailable)
		case 1:
			return io.EOF
		case 2:
			time.Sleep(time.Millisecond)
		}
		return nil
	}), every(50*time.Microsecond, requests), 0)

	var reporters sync.WaitGroup
	for range 4 {
		reporters.Go(func() {
			var last Report
			for last.Requests.OK+last.Requests.Failed < requests {
				r := p.Report()
				if err := addsUp(last, r); err != nil {
					t.Error(err)
					return
				}
				r.Requests.Errors["mine"] = 1 // the map is the reader's own
				last = r
			}
		})
	}
	p.Play(context.Background())
	reporters.Wait()
	require.Equal(t, Requests{
		Sent: requests, OK: requests / 2, Failed: requests / 2,
		Errors: map[string]int64{"HTTP_503": requests / 4, "EOF": requests / 4},
	}, p.Report().Requests)
}

// addsUp checks one report, and that nothing went back since the last one.
func addsUp(last, now Report) error {
	q := now.Requests
	var failed int64
	for n := range maps.Values(q.Errors) {
		failed += n
	}
	switch {
	case q.InFlight < 0 || q.Sent != q.OK+q.Failed+q.InFlight:
		return fmt.Errorf("the requests do not add up: %+v", q)
	case failed != q.Failed:
		return fmt.Errorf("the errors are not the failed requests: %+v", q)
	case now.Done && q.Sent != 3000:
		return fmt.Errorf("done with %d requests sent", q.Sent)
	case q.Sent < last.Requests.Sent || q.OK < last.Requests.OK || q.Failed < last.Requests.Failed || now.At < last.At:
		return fmt.Errorf("the figures went back: from %+v to %+v", last, now)
	case now.Process.FDsPeak < last.Process.FDsPeak || now.Process.GoroutinesPeak < now.Process.Goroutines ||
		now.Process.RSSPeakBytes < last.Process.RSSPeakBytes:
		return fmt.Errorf("a peak is below what was seen: from %+v to %+v", last.Process, now.Process)
	}
	return nil
}
