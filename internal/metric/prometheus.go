package metric

import (
	"slices"
	"strings"

	"socketlab/internal/series"
)

// Series is a metric as Prometheus has it.
type Series struct {
	// Name is the whole name, with its unit, and with _total of a counter.
	Name string
	// Labels are what tells it apart from others of the same name: names and values in
	// turn.
	Labels []string
	// PerEnd says that each end of the connections has a series, with the label "end".
	PerEnd bool
}

// Counter reports whether it only rises while its subject is there; otherwise it is a
// gauge.
func (s Series) Counter() bool { return strings.HasSuffix(s.Name, "_total") }

// Series is how the exporter has the metric; its Name is "" of one that is not exported.
func (m Metric) Series() Series {
	var s Series
	for i, word := range strings.Fields(m.Prometheus) {
		label, value, labelled := strings.Cut(word, "=")
		switch {
		case i == 0:
			s.Name = word
		case labelled:
			s.Labels = append(s.Labels, label, value)
		default:
			s.PerEnd = true
		}
	}
	return s
}

// Exported lists the metrics of a subject that are exported.
func Exported() []Metric {
	return slices.DeleteFunc(slices.Concat(table, watchTable()), func(m Metric) bool { return m.Prometheus == "" })
}

// Sockets stands for the families client.final and server.final, by end, state and peer,
// and Descriptors for that of [KindsPrefix]. They have no Get: who has the parts sets the
// values.
var (
	Sockets = Metric{
		Name: "sockets", Unit: Count, Prometheus: "socketlab_sockets",
		Meaning: "TCP sockets now, by the end of the connection that they are, their state, and the service at the other end.",
	}
	Descriptors = Metric{Name: "process.kinds", Unit: Count, Prometheus: "socketlab_descriptors", Meaning: "Open descriptors now, by kind."}
)

// ExportedCounters lists the kernel's counters that are exported, by their names. Each is
// of a network namespace.
func ExportedCounters() map[string]Metric {
	return map[string]Metric{
		"OutSegs":         {Prometheus: "socketlab_tcp_segments_sent_total", Meaning: "TCP segments that were sent in a network namespace, without those sent again."},
		"RetransSegs":     {Prometheus: "socketlab_tcp_segments_retransmitted_total", Meaning: "TCP segments that were sent again in a network namespace."},
		"ListenOverflows": {Prometheus: "socketlab_listen_overflows_total", Meaning: "Connections that a full accept queue turned away in a network namespace."},
		"ListenDrops":     {Prometheus: "socketlab_listen_drops_total", Meaning: "Connections that were dropped before they were accepted, for whatever reason, in a network namespace."},
	}
}

// watchTable goes on where table ends, with figures of a watch that only the exporter
// has: a run does not know them, so that scripts cannot name them.
func watchTable() []Metric {
	closed := "socketlab_connections_closed_total end how="
	return []Metric{
		{
			Name: "kernel_connections.long_lived", Unit: Count, Prometheus: closed + "reused",
			Meaning: "Closed connections that were used more than twice.",
			Get:     kernelConns(func(c *series.ConnCounts) int { return c.WithTCPInfo - c.ShortLived }),
		},
		{
			Name: "kernel_connections.without_tcp_info", Unit: Count, Prometheus: closed + "unknown",
			Meaning: "Closed connections of which the kernel did not say what they carried, such as those that were aborted.",
			Get:     kernelConns(func(c *series.ConnCounts) int { return max(0, c.Closed-c.WithTCPInfo) }),
		},
		{
			Name: "listener_queue.waiting", Unit: Count, Prometheus: "socketlab_listener_queue_connections",
			Meaning: "Connections that wait in the accept queue of the process's fullest listener.",
			Get:     queue(func(q *series.Queue) int { return q.Waiting }),
		},
		{
			Name: "listener_queue.limit", Unit: Count, Prometheus: "socketlab_listener_queue_limit_connections",
			Meaning: "Backlog of the process's fullest listener; the kernel lets in one more.",
			Get:     queue(func(q *series.Queue) int { return q.Limit }),
		},
		{
			Name: "process.fds", Unit: Count, Prometheus: "socketlab_open_descriptors",
			Meaning: "Open descriptors now; of several processes that are one subject those of the one that has the most.",
			Get:     process(func(p *series.Process) (float64, bool) { return float64(p.Descriptors), p.Descriptors > 0 }),
		},
		{
			Name: "process.fd_limit", Unit: Count, Prometheus: "socketlab_open_descriptors_limit",
			Meaning: "Descriptors that a process may have open: the soft RLIMIT_NOFILE.",
			Get: func(s *series.Subject) (float64, bool) {
				return float64(s.Limits.Descriptors), s.Limits.Descriptors > 0
			},
		},
		{
			Name: "ports.used", Unit: Count, Prometheus: "socketlab_local_ports_used",
			Meaning: "Sockets, in any state, to the destination that has the most: each has a local port of its own.",
			Get: func(s *series.Subject) (float64, bool) {
				if last := s.Last(); last != nil && last.Client.Activity != nil {
					return float64(last.Client.Activity.MaxPerDestination), true
				}
				return 0, false
			},
		},
		{
			Name: "ports.limit", Unit: Count, Prometheus: "socketlab_local_ports_limit",
			Meaning: "Local ports that there are for one destination (net.ipv4.ip_local_port_range).",
			Get:     func(s *series.Subject) (float64, bool) { return float64(s.Limits.Ports), s.Limits.Ports > 0 },
		},
	}
}

func queue(get func(*series.Queue) int) func(*series.Subject) (float64, bool) {
	return func(s *series.Subject) (float64, bool) {
		if last := s.Last(); last != nil && last.Queue != nil {
			return float64(get(last.Queue)), true
		}
		return 0, false
	}
}
