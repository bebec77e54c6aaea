package loadgen

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// A request that is tried again is one request, and several attempts.
func TestAttemptsAreCounted(t *testing.T) {
	var n atomic.Int64
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%3 != 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		answer(w, r)
	})
	c := &http.Client{Transport: transport(t, &http.Transport{})}
	r := oneByOne(CallerFunc(func(ctx context.Context) (err error) {
		for range 3 {
			if err = Get(ctx, c, server.URL); err == nil {
				return nil
			}
		}
		return err
	}), 5).metrics()
	require.Equal(t, &series.Requests{Sent: 5, OK: 5, Attempts: new(int64(15)), Errors: map[string]int64{}}, r.Requests)
	require.Equal(t, int64(1), r.Connections.Opened)
}

// A connection is dead if it ended before the answer, having served before. One
// that is cut in mid-answer was alive, and a new one has not served.
func TestRequestsOnDeadConnectionsAreCounted(t *testing.T) {
	hijack := func(w http.ResponseWriter) net.Conn {
		conn, _, err := http.NewResponseController(w).Hijack()
		require.NoError(t, err)
		return conn
	}
	for name, test := range map[string]struct {
		second func(w http.ResponseWriter) // what becomes of a connection's second request
		stale  int64
	}{
		"closed": {func(w http.ResponseWriter) { _ = hijack(w).Close() }, 5},
		"reset": {func(w http.ResponseWriter) {
			conn := hijack(w).(*net.TCPConn)
			_ = conn.SetLinger(0)
			_ = conn.Close()
		}, 5},
		"cut in mid-answer": {func(w http.ResponseWriter) {
			conn := hijack(w)
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegins"))
			_ = conn.Close()
		}, 0},
		"reset in mid-answer": {func(w http.ResponseWriter) {
			conn := hijack(w).(*net.TCPConn)
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegins"))
			time.Sleep(20 * time.Millisecond) // not every system gives what came before a reset to its reader
			_ = conn.SetLinger(0)
			_ = conn.Close()
		}, 0},
		"an error status": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1)%2 == 0 {
					test.second(w)
					return
				}
				answer(w, r)
			})
			c := &http.Client{Transport: transport(t, &http.Transport{})}
			r := oneByOne(CallerFunc(func(ctx context.Context) error {
				// net/http repeats what it may repeat; a POST it may not.
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, nil)
				if err != nil {
					return err
				}
				resp, err := c.Do(req)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					return StatusError(resp.StatusCode)
				}
				_, err = io.Copy(io.Discard, resp.Body)
				return err
			}), 10).metrics()
			require.Equal(t, int64(5), r.Requests.Failed)
			require.Equal(t, test.stale, *r.Connections.StaleReuse)
		})
	}
}

// Over HTTP/2 a connection outlives the requests on it that take too long.
func TestTimeoutsOnAConnectionThatLivesOnAreNoStaleReuse(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/answered" {
			<-r.Context().Done()
			return
		}
		answer(w, r)
	}))
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server.Config.Protocols = protocols
	server.Start()
	t.Cleanup(server.Close)
	patient := &http.Client{Transport: transport(t, &http.Transport{Protocols: protocols})}
	hasty := &http.Client{Timeout: 200 * time.Millisecond, Transport: patient.Transport}
	sent := 0
	r := oneByOne(CallerFunc(func(ctx context.Context) error {
		if sent++; sent%5 == 1 {
			return Get(ctx, patient, server.URL+"/answered")
		}
		return Get(ctx, hasty, server.URL)
	}), 11).metrics()
	require.Equal(t, int64(1), r.Connections.Opened)
	require.Equal(t, int64(8), r.Requests.Failed)
	require.Zero(t, *r.Connections.StaleReuse)
}

// One timeout may be a slow answer; the second in a row on one connection is not.
func TestSecondTimeoutOnOneConnectionIsADeadOne(t *testing.T) {
	slow := os.ErrDeadlineExceeded
	p := &past{}
	require.False(t, p.wasDead(ErrorName(slow)))
	require.True(t, p.wasDead(ErrorName(slow)))
	require.True(t, p.wasDead(ErrorName(slow)))
	require.Equal(t, int64(2), p.lives())
	require.Zero(t, p.lives())
	require.False(t, p.wasDead(ErrorName(slow)))
	require.False(t, p.wasDead(ErrorName(errors.New("anything"))))
}

// What a target's parts are is said by the script and by where its servers are.
func TestTargetOfSeveralServers(t *testing.T) {
	at := At{Addr: "127.0.0.1:80", Secure: true, CA: "pem", Servers: map[string]string{"b": "127.0.0.1:81"}}
	settings := scenario.Client{
		Send: 5, Every: scenario.Duration(6 * time.Second),
	}
	got := NewTarget(at, settings, 1)
	require.Equal(t, "https://127.0.0.1:80/", got.URL)
	require.Equal(t, at.Servers, got.Servers)
	require.Equal(t, "pem", got.CA)
	require.Equal(t, 5, got.Send)
	require.Equal(t, 6*time.Second, got.Every)
	at.Secure, at.DNS = false, "127.0.0.1:53"
	require.Equal(t, "http://shop.test:80/", NewTarget(at, settings, 1).URL)
}
