package prompool_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"

	"socketlab/httppool"
	"socketlab/httppool/prompool"
)

// A program has prometheus.MustRegister in place of a registry of its own, and serves the
// metrics with promhttp.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer server.Close()
	pool := httppool.Watch(&http.Transport{})
	defer pool.CloseIdleConnections()
	collector := prompool.New(pool)
	defer collector.Close()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)

	response, err := (&http.Client{Transport: pool}).Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()

	families, err := registry.Gather()
	for _, family := range families {
		if family.GetName() == "http_client_open_connections" {
			for _, metric := range family.GetMetric() {
				fmt.Println(metric.GetLabel()[0].GetValue(), metric.GetGauge().GetValue())
			}
		}
	}
	fmt.Println(err)
	// Output:
	// active 0
	// idle 1
	// <nil>
}
