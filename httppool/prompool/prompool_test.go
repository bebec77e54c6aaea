package prompool_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/httppool"
	"socketlab/httppool/prompool"
)

func Test(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer server.Close()
	pool := httppool.Watch(&http.Transport{})
	c := prompool.New(pool, httppool.Watch(&http.Transport{}))
	defer c.Close()
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(c))
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	expect := func(active, idle int) {
		t.Helper()
		assert.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(fmt.Sprintf(`
# HELP http_client_open_connections Outbound HTTP connections that are active or idle.
# TYPE http_client_open_connections gauge
http_client_open_connections{http_connection_state="active",server_address="127.0.0.1",server_port="%[1]s"} %[2]d
http_client_open_connections{http_connection_state="idle",server_address="127.0.0.1",server_port="%[1]s"} %[3]d
`, port, active, idle)), "http_client_open_connections"))
	}

	client := &http.Client{Transport: pool}
	resp, err := client.Get(server.URL)
	require.NoError(t, err)
	expect(1, 0)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	expect(0, 1)
	pool.CloseIdleConnections()
	expect(0, 0)

	families, err := registry.Gather()
	require.NoError(t, err)
	counts := map[string]uint64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil {
				counts[f.GetName()] += h.GetSampleCount()
			}
		}
	}
	assert.Equal(t, map[string]uint64{"http_client_connection_duration_seconds": 1, "http_client_request_time_in_queue_seconds": 1}, counts)
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

// Prometheus takes no label that is not UTF-8, and a URL from outside may have any bytes.
func TestAHostThatIsNotText(t *testing.T) {
	proxy := httptest.NewServer(http.NotFoundHandler())
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	pool := httppool.Watch(&http.Transport{Proxy: http.ProxyURL(address)})
	c := prompool.New(pool)
	defer c.Close()
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(c))
	_, err = (&http.Client{Transport: pool}).Get("https://%ff.invalid/")
	require.Error(t, err)
	require.Eventually(t, func() bool { return len(pool.Snapshot().Connections) == 0 }, time.Minute, time.Millisecond)
	families, err := registry.Gather()
	require.NoError(t, err)
	require.NotEmpty(t, families)
	assert.Contains(t, families[0].String(), "\ufffd.invalid")
}
