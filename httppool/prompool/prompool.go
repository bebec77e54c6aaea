// Package prompool reports the connections of [httppool] to Prometheus, under the names that
// OpenTelemetry's conventions get there:
//
//	http_client_open_connections                connections that are open, by http_connection_state (active, idle)
//	http_client_connection_duration_seconds     how long connections were open, when they are closed
//	http_client_request_time_in_queue_seconds   how long requests waited for a connection
//	http_client_requests_waiting                requests that wait for a connection now
//
// Each has server_address and server_port. Connections through a proxy that serves all
// hosts have the proxy's. After 256 hosts, the address of new ones is "other".
//
//	prometheus.MustRegister(prompool.New(pool))
package prompool

import (
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"socketlab/httppool"
)

var (
	labels  = []string{"server_address", "server_port"}
	open    = prometheus.NewDesc("http_client_open_connections", "Outbound HTTP connections that are active or idle.", append([]string{"http_connection_state"}, labels...), nil)
	waiting = prometheus.NewDesc("http_client_requests_waiting", "Requests that wait for a connection, or for an HTTP/2 stream.", labels, nil)
)

// Collector is a [prometheus.Collector]. Make it with [New].
type Collector struct {
	pools           []*httppool.Pool
	duration, queue *prometheus.HistogramVec
	stops           []func()

	mu    sync.Mutex
	hosts map[string]bool
}

// New returns a collector of pools, all together. They keep calling it until Close.
func New(pools ...*httppool.Pool) *Collector {
	c := &Collector{
		pools: pools, hosts: map[string]bool{},
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_client_connection_duration_seconds", Help: "How long outbound HTTP connections were open.",
			Buckets: []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300},
		}, labels),
		queue: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_client_request_time_in_queue_seconds", Help: "How long requests waited for a connection.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10},
		}, labels),
	}
	observer := httppool.Observer{
		Waited: func(host string, waited time.Duration) { c.observe(c.queue, host, waited) },
		Closed: func(host string, _ httppool.Reason, age time.Duration) { c.observe(c.duration, host, age) },
	}
	for _, p := range pools {
		c.stops = append(c.stops, p.Observe(observer))
	}
	return c
}

// Close makes the pools call the collector no longer.
func (c *Collector) Close() {
	for _, stop := range c.stops {
		stop()
	}
}

// maxHosts is how many hosts have series of their own, which a HistogramVec keeps.
const maxHosts = 256

func (c *Collector) observe(h *prometheus.HistogramVec, host string, d time.Duration) {
	c.mu.Lock()
	if !c.hosts[host] {
		if len(c.hosts) < maxHosts {
			c.hosts[host] = true
		} else {
			host = "other"
		}
	}
	c.mu.Unlock()
	h.WithLabelValues(server(host)...).Observe(d.Seconds())
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	out <- open
	out <- waiting
	c.duration.Describe(out)
	c.queue.Describe(out)
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	type counts struct{ active, idle, waiting int }
	hosts := map[string]counts{}
	for _, p := range c.pools {
		for _, h := range p.Snapshot().Hosts {
			if h.Name == "" {
				continue // the counts of hosts without connections
			}
			n := hosts[h.Name]
			n.active += h.Connections[httppool.Active]
			n.idle += h.Connections[httppool.Idle]
			n.waiting += h.Waiting
			hosts[h.Name] = n
		}
	}
	for host, n := range hosts {
		at := server(host)
		out <- prometheus.MustNewConstMetric(open, prometheus.GaugeValue, float64(n.active), append([]string{"active"}, at...)...)
		out <- prometheus.MustNewConstMetric(open, prometheus.GaugeValue, float64(n.idle), append([]string{"idle"}, at...)...)
		out <- prometheus.MustNewConstMetric(waiting, prometheus.GaugeValue, float64(n.waiting), at...)
	}
	c.duration.Collect(out)
	c.queue.Collect(out)
}

func server(hostPort string) []string {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return []string{hostPort, ""}
	}
	return []string{host, port}
}
