package otelpool_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"socketlab/httppool"
	"socketlab/httppool/otelpool"
)

func Test(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer server.Close()
	pool := httppool.Watch(&http.Transport{})
	reader := metric.NewManualReader()
	stop, err := otelpool.Register(metric.NewMeterProvider(metric.WithReader(reader)), pool, httppool.Watch(&http.Transport{}))
	require.NoError(t, err)
	collect := func() map[string]metricdata.Aggregation {
		var got metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(t.Context(), &got))
		all := map[string]metricdata.Aggregation{}
		for _, scope := range got.ScopeMetrics {
			for _, m := range scope.Metrics {
				all[m.Name] = m.Data
			}
		}
		return all
	}
	open := func(all map[string]metricdata.Aggregation) map[string]int64 {
		states := map[string]int64{}
		for _, point := range all["http.client.open_connections"].(metricdata.Sum[int64]).DataPoints {
			state, ok := point.Attributes.Value("http.connection.state")
			require.True(t, ok)
			states[state.AsString()] = point.Value
			host, _ := point.Attributes.Value(attribute.Key("server.address"))
			assert.Equal(t, "127.0.0.1", host.AsString())
			port, _ := point.Attributes.Value(attribute.Key("server.port"))
			assert.True(t, strings.HasSuffix(server.URL, port.String()))
		}
		return states
	}

	client := &http.Client{Transport: pool}
	resp, err := client.Get(server.URL)
	require.NoError(t, err)
	assert.Equal(t, map[string]int64{"active": 1, "idle": 0}, open(collect()))
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, map[string]int64{"active": 0, "idle": 1}, open(collect()))
	pool.CloseIdleConnections()
	all := collect()
	assert.Equal(t, map[string]int64{"active": 0, "idle": 0}, open(all))
	for _, name := range []string{"http.client.connection.duration", "http.client.request.time_in_queue"} {
		points := all[name].(metricdata.Histogram[float64]).DataPoints
		require.Len(t, points, 1, name)
		assert.EqualValues(t, 1, points[0].Count, name)
		assert.Positive(t, points[0].Sum, name)
	}
	require.NoError(t, stop())
	resp, err = client.Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	if sum, ok := collect()["http.client.open_connections"].(metricdata.Sum[int64]); ok {
		assert.Empty(t, sum.DataPoints)
	}
}
