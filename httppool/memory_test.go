package httppool_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/httppool"
)

// pipes is a listener without sockets.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func listenInMemory() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (l *pipes) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A day with a request every ten seconds, some of which are cancelled, forgotten for an hour
// or go to a host that is never asked again, does not make the Pool grow.
func TestADayDoesNotMakeItGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listenInMemory()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/silent" {
				<-r.Context().Done()
				return
			}
			text(w, r)
		})}
		go func() { _ = server.Serve(l) }()
		pool := httppool.Watch(&http.Transport{DialContext: l.DialContext, IdleConnTimeout: 25 * time.Second, MaxIdleConns: 20})
		client := &http.Client{Transport: pool}
		heap := func() uint64 {
			synctest.Wait()
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapObjects
		}
		var forgotten *http.Response
		var first uint64
		for i := range 24 * 360 {
			time.Sleep(10 * time.Second)
			host := "http://always.test/"
			if i%5 == 0 {
				host = fmt.Sprintf("http://host%d.test/", i)
			}
			switch {
			case i%50 == 1:
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, host+"silent", nil)
				require.NoError(t, err)
				_, err = client.Do(req)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				cancel()
			case i%360 == 2:
				resp, err := client.Get(host)
				require.NoError(t, err)
				if forgotten != nil {
					left := pool.Unfinished(30 * time.Second)
					require.Len(t, left, 1)
					assert.Contains(t, functions(left[0]), "TestADayDoesNotMakeItGrow")
					require.NoError(t, forgotten.Body.Close())
					assert.Empty(t, pool.Unfinished(30*time.Second))
				}
				forgotten = resp
			default:
				get(t, client, host)
			}
			if i == 6*360 { // when there are as many hosts as are kept
				first = heap()
			}
		}
		last := heap()
		require.NoError(t, forgotten.Body.Close())
		time.Sleep(time.Minute)
		s := pool.Snapshot()
		assert.Empty(t, s.Connections)
		assert.Empty(t, s.Requests)
		assert.LessOrEqual(t, len(s.Hosts), 257)
		var opened, closed int64
		for _, h := range s.Hosts {
			opened += h.Opened
			for _, n := range h.Closed {
				closed += n
			}
		}
		assert.Equal(t, opened, closed)
		assert.Greater(t, opened, int64(1000))
		t.Logf("%d objects after 6 hours, %d after 24; %d connections", first, last, opened)
		assert.Less(t, last, first+first/10)
		require.NoError(t, server.Close())
	})
}

func TestInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listenInMemory()
		server := &http.Server{Handler: text}
		go func() { _ = server.Serve(l) }()
		pool := httppool.Watch(&http.Transport{DialContext: l.DialContext, IdleConnTimeout: time.Minute})
		resp, err := (&http.Client{Transport: pool}).Get("http://shop.test/")
		require.NoError(t, err)
		time.Sleep(29 * time.Second)
		assert.Empty(t, pool.Unfinished(30*time.Second))
		time.Sleep(time.Second)
		assert.Len(t, pool.Unfinished(30*time.Second), 1)
		_, err = io.CopyN(io.Discard, resp.Body, 2)
		require.NoError(t, err)
		assert.Empty(t, pool.Unfinished(30*time.Second), "it was read a moment ago")
		require.NoError(t, drain(resp))
		assert.Equal(t, map[httppool.State]int{httppool.Idle: 1}, count(pool.Snapshot()))
		time.Sleep(time.Minute)
		synctest.Wait()
		s := pool.Snapshot()
		assert.Empty(t, s.Connections)
		assert.Equal(t, map[httppool.Reason]int64{httppool.IdleTimeout: 1}, s.Hosts[0].Closed)
		require.NoError(t, server.Close())
	})
}
