package battery_test

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile/battery"
)

// reverse is net/http's own proxy in front of SOCKETLAB_BACKEND, with the times of timed. Of
// the answers with a hint it closes the connection of the first after a while, if purges.
func reverse(purges bool) {
	s := timed()
	s.Addr = "127.0.0.1:" + os.Getenv("SOCKETLAB_PORT")
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: os.Getenv("SOCKETLAB_BACKEND")})
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.IdleConnTimeout = s.IdleTimeout
	if purges {
		transport.IdleConnTimeout = 5 * time.Second
		purge := sync.OnceFunc(func() { time.AfterFunc(500*time.Millisecond, transport.CloseIdleConnections) })
		proxy.ModifyResponse = func(r *http.Response) error {
			if r.Request.URL.Path == "/hint" {
				purge()
			}
			return nil
		}
	}
	proxy.Transport = transport
	s.Handler = proxy
	panic(s.ListenAndServe())
}

func TestProxyIsMeasuredOnBothSides(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s")
	}
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	p, err := battery.ProxyBattery{
		Program: battery.Program{Command: "BATTERY_TEST_PROGRAM=reverse exec '" + self + "'"},
	}.Measure(t.Context())
	require.NoError(t, err)
	near(t, p, "idle_timeout", timed().IdleTimeout)
	near(t, p, "idle_close", timed().IdleTimeout)
	require.Contains(t, p.NotMeasured["hint_obeyed"], "without a hint")
	got := values(t, p)
	for id, want := range map[string]string{
		"idle_closed_by": "client", "backend_opened": "1", "backend_opened_new_clients": "1",
		"hint_passed_on":     "no",
		"closed_backend_get": "new_connection", "closed_backend_post": "new_connection",
		"stale_backend_get": "repeated", "stale_backend_post": "502",
		"sigterm_request": "cut", "sigterm_newcomer": "refused",
	} {
		require.Equal(t, want, got[id], "%s: %v %s", id, p.Seen[id], p.NotMeasured[id])
	}
}

// A proxy that closes idle connections at intervals closes one soon after a hint by chance.
func TestProxyThatClosesOneConnectionInTimeByChance(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s")
	}
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	p, err := battery.ProxyBattery{
		Program: battery.Program{Command: "BATTERY_TEST_PROGRAM=purging exec '" + self + "'"},
	}.Measure(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"closed after 0.5 s", "still open after 2.5 s"}, p.Seen["hint_obeyed"])
	require.Equal(t, "no", values(t, p)["hint_obeyed"])
}

func TestProxyThatDoesNotTakeItsBackendIsAnError(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	_, err = battery.ProxyBattery{
		Program: battery.Program{Command: "BATTERY_TEST_PROGRAM=graceful exec '" + self + "'"},
	}.Measure(t.Context())
	require.ErrorContains(t, err, "GET / is answered 200 OK, and no request comes to the backend")
}
