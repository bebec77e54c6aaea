package loadgen

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/httppool"
	"socketlab/internal/series"
)

// poolIs waits until the counts are these, and says the last ones if they never are.
func poolIs(t *testing.T, b *counters, want *series.Pool) {
	t.Helper()
	require.Eventually(t, func() bool { return equalPools(want, b.metrics().Pool) }, time.Minute, time.Millisecond,
		"want %+v", want)
}

func equalPools(a, b *series.Pool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.InUse == b.InUse && a.Waiting == b.Waiting && (a.Idle == nil) == (b.Idle == nil) && (a.Idle == nil || *a.Idle == *b.Idle)
}

func pooled(inUse, idle, waiting int64) *series.Pool {
	return &series.Pool{InUse: inUse, Idle: &idle, Waiting: waiting}
}

// The counts are those of package httppool, which looks into the transport.
func TestPoolIsCountedAsTheTransportHasIt(t *testing.T) {
	release := make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		<-release
		answer(w, r)
	})
	watched := httppool.Watch(&http.Transport{MaxConnsPerHost: 2, MaxIdleConnsPerHost: 2})
	client := &http.Client{Transport: watched}
	b := newCounters()
	call := func(c Caller) { go b.call(context.Background(), c, time.Now()) }
	poolIs(t, b, nil)
	for range 5 {
		call(get(client, srv.URL))
	}
	poolIs(t, b, pooled(2, 0, 3))
	require.Equal(t, "in use 2 · idle 0 · waiting 3", watched.Snapshot().String())
	close(release)
	poolIs(t, b, pooled(0, 2, 0))
	require.Equal(t, "in use 0 · idle 2 · waiting 0", watched.Snapshot().String())

	leaked := make(chan *http.Response, 1)
	leak := CallerFunc(func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		leaked <- response
		return err
	})
	call(leak)
	poolIs(t, b, pooled(1, 1, 0))
	require.Equal(t, "in use 1 · idle 1 · waiting 0", watched.Snapshot().String())
	(<-leaked).Body.Close()
	watched.CloseIdleConnections()
	poolIs(t, b, pooled(0, 0, 0))
}

func TestRequestThatFailsToConnectWaitsNoLonger(t *testing.T) {
	srv := serve(t, answer)
	srv.Close()
	b := oneByOne(get(&http.Client{Transport: transport(t, &http.Transport{})}, srv.URL), 3)
	require.Equal(t, pooled(0, 0, 0), b.metrics().Pool)
}

func TestPoolOfHTTP2IsNotKnown(t *testing.T) {
	require.Nil(t, oneByOne(overTLS(t, true), 3).metrics().Pool)
	require.Equal(t, pooled(0, 1, 0), oneByOne(overTLS(t, false), 3).metrics().Pool)
}

// One call sends two requests at a time: which connection is put back is not known.
func TestPoolOfCallsWithSeveralRequestsIsNotKnown(t *testing.T) {
	both := make(chan struct{}, 2)
	release := make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		both <- struct{}{}
		<-release
		answer(w, r)
	})
	client := &http.Client{Transport: transport(t, &http.Transport{})}
	b := newCounters()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.call(context.Background(), CallerFunc(func(ctx context.Context) error {
			ended := make(chan error, 1)
			go func() { ended <- get(client, srv.URL)(ctx) }()
			if err := get(client, srv.URL)(ctx); err != nil {
				return err
			}
			return <-ended
		}), time.Now())
	}()
	<-both
	<-both
	close(release)
	<-done
	require.Nil(t, b.metrics().Pool)
}
