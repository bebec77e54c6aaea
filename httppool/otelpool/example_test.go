package otelpool_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"socketlab/httppool"
	"socketlab/httppool/otelpool"
)

// A program has otel.GetMeterProvider in place of a provider of its own, with a reader that
// exports.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer server.Close()
	pool := httppool.Watch(&http.Transport{})
	defer pool.CloseIdleConnections()
	reader := metric.NewManualReader()
	stop, err := otelpool.Register(metric.NewMeterProvider(metric.WithReader(reader)), pool)
	if err != nil {
		fmt.Println(err)
		return
	}

	response, err := (&http.Client{Transport: pool}).Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()

	var seen metricdata.ResourceMetrics
	fmt.Println(reader.Collect(context.Background(), &seen))
	for _, scope := range seen.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
				for _, point := range sum.DataPoints {
					if state, _ := point.Attributes.Value("http.connection.state"); point.Value > 0 {
						fmt.Println(m.Name, state.AsString(), point.Value)
					}
				}
			}
		}
	}
	fmt.Println(stop())
	// Output:
	// <nil>
	// http.client.open_connections idle 1
	// <nil>
}
