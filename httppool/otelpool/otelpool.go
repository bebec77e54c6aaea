// Package otelpool reports the connections of [httppool] by OpenTelemetry, under the names of
// its semantic conventions and of .NET, whose HTTP client had them first:
//
//	http.client.open_connections       connections that are open, by http.connection.state (active, idle)
//	http.client.connection.duration    how long connections were open, when they are closed, in seconds
//	http.client.request.time_in_queue  how long requests waited for a connection, in seconds
//
// Each has server.address and server.port. Connections through a proxy that serves all
// hosts have the proxy's.
//
// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
package otelpool

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"socketlab/httppool"
)

// name is the scope of the instruments.
const name = "socketlab/httppool"

// Register reports pools, all together, until stop is called.
func Register(provider metric.MeterProvider, pools ...*httppool.Pool) (stop func() error, err error) {
	meter := provider.Meter(name)
	open, errOpen := meter.Int64ObservableUpDownCounter("http.client.open_connections",
		metric.WithUnit("{connection}"),
		metric.WithDescription("Number of outbound HTTP connections that are currently active or idle on the client."))
	duration, errDuration := meter.Float64Histogram("http.client.connection.duration",
		metric.WithUnit("s"),
		metric.WithDescription("The duration of the successfully established outbound HTTP connections."),
		metric.WithExplicitBucketBoundaries(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300))
	queue, errQueue := meter.Float64Histogram("http.client.request.time_in_queue",
		metric.WithUnit("s"),
		metric.WithDescription("The amount of time requests spent on a queue waiting for an available connection."),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	if err := errors.Join(errOpen, errDuration, errQueue); err != nil {
		return nil, err
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for at, n := range count(pools) {
			o.ObserveInt64(open, n, metric.WithAttributes(server(at.host, attribute.String("http.connection.state", string(at.state)))...))
		}
		return nil
	}, open)
	if err != nil {
		return nil, err
	}
	// The functions are called where no context is at hand: a connection belongs to no request.
	observer := httppool.Observer{
		Waited: func(host string, waited time.Duration) {
			queue.Record(context.Background(), waited.Seconds(), metric.WithAttributes(server(host)...))
		},
		Closed: func(host string, _ httppool.Reason, age time.Duration) {
			duration.Record(context.Background(), age.Seconds(), metric.WithAttributes(server(host)...))
		},
	}
	var stops []func()
	for _, p := range pools {
		stops = append(stops, p.Observe(observer))
	}
	return func() error {
		for _, stop := range stops {
			stop()
		}
		return registration.Unregister()
	}, nil
}

type at struct {
	host  string
	state httppool.State
}

// count counts open connections by host and state. The convention knows these two states.
func count(pools []*httppool.Pool) map[at]int64 {
	all := map[at]int64{}
	for _, p := range pools {
		for _, h := range p.Snapshot().Hosts {
			if h.Name == "" {
				continue // the counts of hosts without connections
			}
			for _, state := range []httppool.State{httppool.Active, httppool.Idle} {
				all[at{h.Name, state}] += int64(h.Connections[state])
			}
		}
	}
	return all
}

func server(hostPort string, more ...attribute.KeyValue) []attribute.KeyValue {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return append(more, attribute.String("server.address", hostPort))
	}
	attributes := append(more, attribute.String("server.address", host))
	if n, err := strconv.Atoi(port); err == nil {
		attributes = append(attributes, attribute.Int("server.port", n))
	}
	return attributes
}
