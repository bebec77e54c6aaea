package server

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

func seconds(n float64) scenario.Duration { return scenario.Duration(n * float64(time.Second)) }

func TestDefaultsOfTheOriginalIncident(t *testing.T) {
	require.Equal(t, "127.0.0.1:8080", DefaultAddr)
	require.Equal(t, seconds(20), DelayKey.Flag)
	require.Equal(t, 5*time.Second, DefaultReportEvery)
}

func TestDefaultAnswer(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(DelayKey.Is(seconds(0.01))))
	resp, body := server.get(t)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "answered after 10ms\n", body)
	require.Equal(t, int64(len(body)), resp.ContentLength)
	require.Equal(t, "text/plain; charset=utf-8", resp.Header.Get("Content-Type"))
	require.Empty(t, resp.Header.Values("Keep-Alive"), "no promise without a timeout or a limit")
	require.False(t, resp.Close)
	server.answered(t, 1)
	require.Zero(t, server.work.left.Load())
}

func TestStatusAndSizeOfTheAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		status, body int
		want         string
	}{
		{"unavailable with a short text", 503, 0, "answered after 0s\n"},
		{"one byte", 200, 1, "x"},
		{"larger than every buffer", 200, 1 << 20, strings.Repeat("x", 1<<20)},
		{"no content has no body", 204, 0, ""},
		{"no content even with a size", 204, 100, ""},
		{"not modified has no body", 304, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := start(t, scenario.Server{}.With(StatusKey.Is(test.status), BodyKey.Is(test.body)))
			for n := int64(1); n <= 2; n++ {
				resp, body := server.get(t)
				require.Equal(t, test.status, resp.StatusCode)
				require.Equal(t, test.want, body)
				server.answered(t, n)
			}
		})
	}
}

func TestAnswerIsNeverEarly(t *testing.T) {
	t.Parallel()
	const delay = 150 * time.Millisecond
	server := start(t, scenario.Server{}.With(DelayKey.Is(scenario.Duration(delay))))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			begin := time.Now()
			resp, err := server.http.Get("http://" + server.addr)
			took := time.Since(begin)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if took < delay {
				t.Errorf("answered after %s", took)
			}
		})
	}
	all.Wait()
}

// In the bubble of synctest time is exact, and costs none.
func TestDelayIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := New(Config{Behaviour: scenario.Server{}.With(DelayKey.Is(seconds(20)))})
		begin := time.Now()
		require.True(t, server.wait(context.Background()))
		require.Equal(t, 20*time.Second, time.Since(begin))
	})
}

func TestJitterIsAddedToTheDelayAndNeverMoreThanAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := New(Config{Behaviour: scenario.Server{}.With(DelayKey.Is(seconds(2)), JitterKey.Is(seconds(1)))})
		shortest, longest := time.Hour, time.Duration(0)
		for range 1000 {
			begin := time.Now()
			require.True(t, server.wait(context.Background()))
			shortest, longest = min(shortest, time.Since(begin)), max(longest, time.Since(begin))
		}
		require.GreaterOrEqual(t, shortest, 2*time.Second)
		require.Less(t, shortest, 2100*time.Millisecond)
		require.LessOrEqual(t, longest, 3*time.Second)
		require.Greater(t, longest, 2900*time.Millisecond)
	})
}

func TestJitterAloneIsADelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := New(Config{Behaviour: scenario.Server{}.With(JitterKey.Is(seconds(1)))})
		begin := time.Now()
		for range 100 {
			require.True(t, server.wait(context.Background()))
		}
		require.InDelta(t, 50, time.Since(begin).Seconds(), 25)
	})
}

func TestKeepAliveHeaderSaysWhatTheServerKeeps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		b    scenario.Server
		want []string
	}{
		{"the defaults", scenario.Server{}.With(IdleTimeoutKey.Is(seconds(120)), CloseAfterKey.Is(100)), []string{"timeout=120, max=100"}},
		{"timeout only", scenario.Server{}.With(IdleTimeoutKey.Is(seconds(5))), []string{"timeout=5"}},
		{"limit only", scenario.Server{}.With(CloseAfterKey.Is(7)), []string{"max=7"}},
		{"neither", scenario.Server{}, nil},
		{"a part of a second is not promised", scenario.Server{}.With(IdleTimeoutKey.Is(seconds(1.9))), []string{"timeout=1"}},
		{"less than a second cannot be said", scenario.Server{}.With(IdleTimeoutKey.Is(seconds(0.9))), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			resp, _ := start(t, test.b).get(t)
			require.Equal(t, test.want, resp.Header.Values("Keep-Alive"))
		})
	}
}

func TestConnectionIsClosedAfterItsLastRequest(t *testing.T) {
	t.Parallel()
	const requests = 3
	server := start(t, scenario.Server{}.With(CloseAfterKey.Is(requests)))
	for range 2 { // each connection is counted by itself
		conn := server.dial(t)
		answers := bufio.NewReader(conn)
		for n := 1; n <= requests; n++ {
			send(t, conn, request)
			resp, err := http.ReadResponse(answers, nil)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			require.Equal(t, n == requests, resp.Close, "request %d", n)
			if n == requests {
				require.Empty(t, resp.Header.Values("Keep-Alive"))
			}
		}
		_, err := answers.ReadByte()
		require.Equal(t, io.EOF, err)
	}
	server.answered(t, 2*requests)
}

func TestAnswerIsCutOffAfterAbortAfter(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(AbortAfterKey.Is(1)))
	resp, _ := server.get(t)
	require.Equal(t, http.StatusOK, resp.StatusCode, "the first request is never late")

	for range 3 {
		resp, err := server.http.Get("http://" + server.addr)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.Equal(t, io.ErrUnexpectedEOF, err)
		require.Equal(t, "the rest of this answer never ", string(body))
	}
	server.working(t, 0)
	server.answered(t, 1)
}

func TestAnswerWithABodySentIsCutOffAsCleanly(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(AbortAfterKey.Is(1)))
	server.get(t)
	resp, err := server.http.Post("http://"+server.addr, "text/plain", strings.NewReader(strings.Repeat("x", 4<<20)))
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	resp.Body.Close()
	require.Equal(t, io.ErrUnexpectedEOF, err)
}

func TestNothingIsCutOffBeforeAbortAfter(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(AbortAfterKey.Is(forever)))
	for range 3 {
		server.get(t)
	}
	server.answered(t, 3)
}
