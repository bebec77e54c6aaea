package prom

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"socketlab/internal/metric"
)

// labels are sorted by their names. Those of a process are shared by its series.
type labels []*dto.LabelPair

// labelled makes labels of names and values in turn. One whose value is "" is as if it
// were not there, and is left out.
func labelled(pairs ...string) labels { return labels(nil).with(pairs...) }

// with returns these labels with others, names and values in turn.
func (l labels) with(pairs ...string) labels {
	all := make(labels, len(l), len(l)+len(pairs)/2)
	copy(all, l)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			value := strings.ToValidUTF8(pairs[i+1], "?") // a file's name has any bytes
			all = append(all, &dto.LabelPair{Name: &pairs[i], Value: &value})
		}
	}
	slices.SortFunc(all, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return all
}

// page is the families of a sample by their names.
type page map[string]*dto.MetricFamily

func (p page) gauge(name, help string, l labels, v float64) {
	p.add(metric.Series{Name: name}, help, l, v)
}

// add adds one series. The help is that of the first of a name.
func (p page) add(s metric.Series, help string, l labels, v float64) {
	f := p[s.Name]
	if f == nil {
		kind := dto.MetricType_GAUGE
		if s.Counter() {
			kind = dto.MetricType_COUNTER
		}
		f = &dto.MetricFamily{Name: &s.Name, Help: &help, Type: &kind}
		p[s.Name] = f
	}
	m := &dto.Metric{Label: l}
	if s.Counter() {
		m.Counter = &dto.Counter{Value: &v}
	} else {
		m.Gauge = &dto.Gauge{Value: &v}
	}
	f.Metric = append(f.Metric, m)
}

// families are the families in the order of their names, and their series in that of
// their labels.
func (p page) families() []*dto.MetricFamily {
	list := make([]*dto.MetricFamily, 0, len(p))
	for _, name := range slices.Sorted(maps.Keys(p)) {
		slices.SortFunc(p[name].Metric, func(a, b *dto.Metric) int { return slices.CompareFunc(a.Label, b.Label, compareLabels) })
		list = append(list, p[name])
	}
	return list
}

func compareLabels(a, b *dto.LabelPair) int {
	return cmp.Or(cmp.Compare(a.GetName(), b.GetName()), cmp.Compare(a.GetValue(), b.GetValue()))
}
