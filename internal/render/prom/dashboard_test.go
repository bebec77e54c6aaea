package prom

import "encoding/json"

// The dashboard is written here, so that its queries are held to the metrics, and its
// JSON is generated: go test ./internal/render/prom -run Dashboard -update.

// panel is one panel of the dashboard: a chart, a stat or a table.
type panel struct {
	title, text, kind, unit string
	width                   int
	// queries have their legends beside them.
	queries [][2]string
	// mappings are texts in place of values.
	mappings map[string]string
}

// filter chooses by the variables at the head of the dashboard.
const filter = `instance=~"$instance", process=~"$process"`

// who is the legend of a process.
const who = "{{instance}} {{process}} {{pid}} {{pod}}"

var rows = []struct {
	title  string
	panels []panel
}{
	{"The fleet: inconclusive unless every exporter answers", []panel{
		{
			title: "Is the whole fleet seen?", text: "Where an exporter does not answer, there is no sum.", kind: "stat", width: 6,
			queries: [][2]string{{"socketlab:fleet:inconclusive", ""}}, mappings: map[string]string{"0": "complete", "1": "inconclusive"},
		},
		{
			title: "Exporters that answer, of those expected", kind: "stat", width: 6,
			queries: [][2]string{{"socketlab:exporters:up", "up"}, {"socketlab:exporters:expected", "expected"}},
		},
		{title: "Open sockets of the fleet", kind: "stat", width: 6, queries: [][2]string{{"socketlab:fleet_open_sockets:sum", ""}}},
		{title: "Processes with a fault, by kind", kind: "stat", width: 6, queries: [][2]string{{"socketlab:fleet_faults:sum > 0", "{{kind}}"}}},
		{title: "Sockets of the fleet by state", kind: "timeseries", width: 24, queries: [][2]string{{"socketlab:fleet_sockets:sum", "{{end}} {{state}}"}}},
	}},
	{"What is wrong, the worst first", []panel{
		{
			title: "Faults", text: "sockwatch explain KIND says what it is; sockwatch diagnose --pid, on the node, says how to fix it.", kind: "table", width: 24,
			queries: [][2]string{{"sort_desc(socketlab_fault{" + filter + "} == 1)", ""}},
		},
		{title: "Growth of open sockets", kind: "timeseries", unit: "cps", width: 12, queries: [][2]string{{"topk(10, socketlab_open_sockets_growth_per_second{" + filter + "} > 0)", who}}},
		{title: "Time until something runs out", kind: "timeseries", unit: "s", width: 12, queries: [][2]string{{"bottomk(10, socketlab_exhaustion_seconds{" + filter + "})", who + " {{resource}}"}}},
	}},
	{"Sockets", []panel{
		{title: "Open sockets of a process", kind: "timeseries", width: 12, queries: [][2]string{{"topk(10, socketlab:process_open_sockets:sum{" + filter + "})", who}}},
		{title: "CLOSE_WAIT", text: "Closed by the peer, not by the program.", kind: "timeseries", width: 12, queries: [][2]string{{"topk(10, socketlab:process_close_wait:sum{" + filter + "})", who}}},
		{title: "By peer", kind: "timeseries", width: 12, queries: [][2]string{{`sum by (peer_service) (socketlab_sockets{` + filter + `, state!="LISTEN"})`, "{{peer_service}}"}}},
		{title: "Opened, and closed after one or two uses", kind: "timeseries", unit: "cps", width: 12, queries: [][2]string{
			{"topk(10, sum without (end) (rate(socketlab_connections_opened_total{" + filter + "}[5m])))", "opened " + who},
			{"topk(10, socketlab:process_short_lived:rate5m{" + filter + "})", "short-lived " + who},
		}},
	}},
	{"Limits", []panel{
		{title: "Descriptors, of the limit", kind: "timeseries", unit: "percentunit", width: 8, queries: [][2]string{{"topk(10, socketlab:process_descriptors:ratio{" + filter + "})", who}}},
		{title: "Local ports to one destination, of the range", kind: "timeseries", unit: "percentunit", width: 8, queries: [][2]string{{"topk(10, socketlab:process_local_ports:ratio{" + filter + "})", who}}},
		{title: "Accept queue, of the backlog", kind: "timeseries", unit: "percentunit", width: 8, queries: [][2]string{{"topk(10, socketlab:process_listener_queue:ratio{" + filter + "})", who}}},
		{title: "Descriptors by kind", kind: "timeseries", width: 8, queries: [][2]string{{"sum by (kind) (socketlab_descriptors{" + filter + "})", "{{kind}}"}}},
		{title: "Turned away by listeners", kind: "timeseries", unit: "cps", width: 8, queries: [][2]string{{`rate(socketlab_listen_overflows_total{instance=~"$instance"}[5m])`, "{{instance}} {{pod}}"}}},
		{title: "Segments sent again", kind: "timeseries", unit: "percentunit", width: 8, queries: [][2]string{{`socketlab:retransmitted_segments:ratio5m{instance=~"$instance"}`, "{{instance}} {{pod}}"}}},
	}},
	{"What is not seen, and what the exporter costs", []panel{
		{title: "Processes that cannot be observed", kind: "timeseries", width: 8, queries: [][2]string{{`socketlab_unobserved_processes{instance=~"$instance"} > 0`, "{{instance}} {{reason}}"}}},
		{title: "Connections of unknown processes", kind: "timeseries", unit: "cps", width: 8, queries: [][2]string{{`rate(socketlab_unattributed_connections_total{instance=~"$instance"}[5m])`, "{{instance}}"}}},
		{title: "The exporter: processor time", kind: "timeseries", unit: "percentunit", width: 4, queries: [][2]string{{`rate(process_cpu_seconds_total{job="sockwatch", instance=~"$instance"}[5m])`, "{{instance}}"}}},
		{title: "The exporter: memory", kind: "timeseries", unit: "bytes", width: 4, queries: [][2]string{{`process_resident_memory_bytes{job="sockwatch", instance=~"$instance"}`, "{{instance}}"}}},
	}},
}

// object is an object of the dashboard's JSON.
type object map[string]any

// dashboard is the JSON of the dashboard, in the schema of Grafana 10 and later.
func dashboard() ([]byte, error) {
	source := object{"type": "prometheus", "uid": "${datasource}"}
	panels, id, y := []object{}, 0, 0
	next := func() int { id++; return id }
	for _, row := range rows {
		panels = append(panels, object{"id": next(), "type": "row", "title": row.title, "collapsed": false, "panels": []object{}, "gridPos": object{"x": 0, "y": y, "w": 24, "h": 1}})
		x, height := 0, 0
		y++
		for _, p := range row.panels {
			h := 8
			if p.kind == "stat" {
				h = 4
			}
			if x+p.width > 24 {
				x, y = 0, y+height
			}
			height = h
			panels = append(panels, p.object(next(), source, object{"x": x, "y": y, "w": p.width, "h": h}))
			x += p.width
		}
		y += height
	}
	variable := func(name, label, metric string) object {
		query := "label_values(" + metric + ", " + name + ")"
		return object{
			"name": name, "label": label, "type": "query", "datasource": source, "definition": query, "query": object{"query": query, "refId": name},
			"refresh": 2, "multi": true, "includeAll": true, "allValue": ".*", "sort": 1, "current": object{"text": "All", "value": "$__all"},
		}
	}
	return json.MarshalIndent(object{
		"title": "Socket lab: sockets of a fleet", "uid": "socketlab-fleet", "tags": []string{"sockets", "socketlab"}, "schemaVersion": 39, "version": 1,
		"editable": true, "graphTooltip": 1, "refresh": "30s", "time": object{"from": "now-1h", "to": "now"}, "timezone": "browser",
		"templating": object{"list": []object{
			{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": object{}},
			variable("instance", "Node", "socketlab_processes"), variable("process", "Process", "socketlab_process_info"),
		}},
		"annotations": object{"list": []object{}}, "panels": panels,
	}, "", "  ")
}

func (p panel) object(id int, source, place object) object {
	targets := []object{}
	for i, q := range p.queries {
		targets = append(targets, object{
			"refId": string(rune('A' + i)), "datasource": source, "expr": q[0], "legendFormat": q[1],
			"instant": p.kind == "table", "range": p.kind != "table", "format": map[bool]string{true: "table", false: "time_series"}[p.kind == "table"],
		})
	}
	defaults := object{"unit": p.unit, "noValue": "no series"}
	if p.unit == "" {
		defaults["unit"] = "short"
	}
	if p.mappings != nil {
		values := object{}
		for value, text := range p.mappings {
			values[value] = object{"text": text}
		}
		defaults["mappings"] = []object{{"type": "value", "options": values}}
	}
	return object{
		"id": id, "type": p.kind, "title": p.title, "description": p.text, "datasource": source, "gridPos": place, "targets": targets,
		"fieldConfig": object{"defaults": defaults, "overrides": []object{}}, "options": object{},
	}
}
