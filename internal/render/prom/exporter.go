package prom

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync/atomic"
	"time"

	dto "github.com/prometheus/client_model/go"

	"socketlab/internal/metric"
	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// Exporter is the newest sample as metrics. It implements prometheus.Gatherer, which
// any goroutine may use while another one calls [Exporter.Show]. A scrape fails, and so
// the exporter is down for Prometheus, while there is no newest sample.
type Exporter struct {
	// Most is how many processes have series of their own; the rest are one, called
	// "other", without counters and verdict.
	Most int
	// Every says that each process of the target is exported, also one that has no socket.
	Every bool
	// Expiry is the age from which on a sample is not exported any more.
	Expiry time.Duration
	// Name names a process's pod and container, if somebody knows: nil does not.
	Name func(observe.Owner) (namespace, pod, container string)

	peers peers
	// chosen are the subjects with series of their own, by id.
	chosen map[string]bool
	// highest is what each counter of them has been: it must not fall.
	highest map[counter]float64
	newest  atomic.Pointer[newest]
}

// newest is what a scrape shows. Nothing in it changes any more. It is made into metrics
// by each scrape, which takes less memory than to keep them.
type newest struct {
	view *View
	// own are the subjects with series of their own, and rest are the others.
	own, rest []*Subject
	peers     peers
	at        time.Time
	err       error
}

// Processes counts the subjects of the newest sample, those without series of their own too. It
// is 0 before the first one; any goroutine may call it.
func (e *Exporter) Processes() int {
	if n := e.newest.Load(); n != nil {
		return len(n.own) + len(n.rest)
	}
	return 0
}

// counter is one counter of a subject.
type counter struct {
	id  string
	end socketstats.End
	of  int // in exported
}

// exported are the metrics of a subject, with their series.
var exported, exportedSeries = func() ([]metric.Metric, []metric.Series) {
	list := metric.Exported()
	of := make([]metric.Series, len(list))
	for i, m := range list {
		of[i] = m.Series()
	}
	return list, of
}()

// helps are the help texts of series to which several metrics belong.
var helps = map[string]string{
	"socketlab_connections_closed_total": "Connections that were closed, by how often they were used: once or twice (short_lived), more often (reused), or what the kernel did not say, as of those that were aborted (unknown).",
}

// Gather implements prometheus.Gatherer.
func (e *Exporter) Gather() ([]*dto.MetricFamily, error) {
	switch n := e.newest.Load(); {
	case n == nil:
		return nil, errors.New("the sockets are being counted for the first time")
	case n.err != nil:
		return nil, n.err
	case time.Since(n.at) > e.Expiry:
		return nil, fmt.Errorf("the newest count of the sockets is %s old", time.Since(n.at).Round(time.Second))
	default:
		return e.families(n), nil
	}
}

// Fail makes every scrape fail until the next view: what was is not what is.
func (e *Exporter) Fail(err error) { e.newest.Store(&newest{err: err}) }

// Show makes a view the one that is exported. It must not be changed later.
func (e *Exporter) Show(v *View) {
	if e.peers == nil {
		e.peers, e.chosen, e.highest = peers{}, map[string]bool{}, map[counter]float64{}
	}
	e.peers.choose(v.Subjects)
	n := &newest{view: v, peers: maps.Clone(e.peers), at: time.Now()}
	n.own, n.rest = e.choose(v.Subjects)
	for _, s := range n.own {
		e.raise(s)
	}
	e.newest.Store(n)
}

// raise gives a subject its counters: those that it has, and not less than before.
func (e *Exporter) raise(s *Subject) {
	if s.ID == observe.NoProcess { // it also has what ended ones did: no counter of it only rises
		return
	}
	s.counters = map[counter]float64{}
	for i, m := range exported {
		if !exportedSeries[i].PerEnd {
			continue
		}
		for _, end := range ends {
			if v, ok := m.Get(atEnd(&s.Subject, end)); ok {
				key := counter{s.ID, end, i}
				e.highest[key] = max(e.highest[key], v)
				s.counters[key] = e.highest[key]
			}
		}
	}
}

// families are the metrics of a sample.
func (e *Exporter) families(n *newest) []*dto.MetricFamily {
	p := page{}
	for _, s := range n.own {
		e.add(p, n, s)
	}
	addRest(p, n)
	e.addAll(p, n)
	return p.families()
}

// choose returns the subjects that have series of their own, and the rest. One that has
// them keeps them while it is there, unless a faulty one needs the place of a healthy
// one.
func (e *Exporter) choose(subjects []*Subject) (own, rest []*Subject) {
	faulty := func(s *Subject) int {
		if s.Verdict != nil && s.Verdict.IsFault() {
			return 1
		}
		return 0
	}
	chosen := func(s *Subject) int {
		if e.chosen[s.ID] {
			return 1
		}
		return 0
	}
	for _, s := range subjects {
		if s.ID == observe.NoProcess || e.Every || e.chosen[s.ID] || s.total > 0 || faulty(s) > 0 || (s.KernelConns() != nil && s.KernelConns().Opened > 0) {
			own = append(own, s)
		} else {
			rest = append(rest, s)
		}
	}
	slices.SortStableFunc(own, func(a, b *Subject) int {
		return cmp.Or(faulty(b)-faulty(a), chosen(b)-chosen(a), b.total-a.total, cmp.Compare(a.PID, b.PID))
	})
	processes := 0
	own = slices.DeleteFunc(own, func(s *Subject) bool {
		if s.ID == observe.NoProcess {
			return false
		}
		if processes++; processes <= e.Most {
			return false
		}
		rest = append(rest, s)
		return true
	})
	clear(e.chosen)
	for _, s := range own {
		e.chosen[s.ID] = true
	}
	for c := range e.highest {
		if !e.chosen[c.id] {
			delete(e.highest, c)
		}
	}
	return own, rest
}

// labelsOf are who a subject is.
func (e *Exporter) labelsOf(s *Subject) labels {
	name, pid := s.Owner.Name, ""
	if s.PID != 0 {
		pid = fmt.Sprint(s.PID)
	}
	cgroup := s.Owner.Cgroup
	namespace, pod, container := "", cgroup.Pod, cgroup.ShortID()
	if e.Name != nil {
		if ns, p, c := e.Name(s.Owner); p != "" {
			namespace, pod, container = ns, p, cmp.Or(c, container)
		}
	}
	return labelled("process", cmp.Or(name, observe.NoProcess), "pid", pid, "container", container, "pod", pod, "namespace", namespace)
}

var ends = []socketstats.End{socketstats.Client, socketstats.Server}

// add adds all that is known of one subject.
func (e *Exporter) add(p page, n *newest, s *Subject) {
	who := e.labelsOf(s)
	addSockets(p, n, who, s)
	if s.ID == observe.NoProcess {
		return
	}
	for key, v := range s.counters {
		series := exportedSeries[key.of]
		p.add(series, cmp.Or(helps[series.Name], exported[key.of].Meaning), who.with(slices.Concat(series.Labels, []string{"end", key.end.String()})...), v)
	}
	for i, m := range exported {
		switch series := exportedSeries[i]; {
		case series.PerEnd:
		case m.Name == "growth_per_second":
			if s.Growth != nil {
				p.add(series, m.Meaning, who, float64(*s.Growth))
			}
		default:
			if v, ok := m.Get(&s.Subject); ok {
				p.add(series, m.Meaning, who, v)
			}
		}
	}
	addDescriptors(p, who, s)
	addVerdict(p, who, s)
	p.gauge("socketlab_process_info", "Who a process is: 1.", who.with(
		"unit", s.Owner.Cgroup.Unit, "runtime", s.Runtime, "version", s.RuntimeVersion, "module", s.Module, "role", s.Role, "protocol", s.Protocol,
	), 1)
}

// atEnd is a subject with what came and went at one end alone. Where both ends of a
// connection are in one subject, each connection counts at the client's.
func atEnd(s *series.Subject, end socketstats.End) *series.Subject {
	conns := s.KernelConns()
	if conns == nil || (s.Paired && end == socketstats.Server) {
		return &series.Subject{}
	}
	part := conns.AtClient()
	if end == socketstats.Server {
		part = conns.AtServer()
	}
	return &series.Subject{Samples: []series.Sample{{KernelConns: &part}}}
}

// addSockets adds the sockets of a subject, with those of the peers without a label of
// their own as one.
func addSockets(p page, shown *newest, who labels, s *Subject) {
	type key struct {
		end   socketstats.End
		state socketstats.State
		peer  string
	}
	sum := map[key]int{}
	for of, n := range s.sockets {
		sum[key{of.end, of.state, shown.peers.label(of.peer)}] += n
	}
	for k, n := range sum {
		p.add(metric.Sockets.Series(), metric.Sockets.Meaning, who.with("end", k.end.String(), "state", k.state.String(), "peer_service", k.peer), float64(n))
	}
}

func addDescriptors(p page, who labels, s *Subject) {
	last := s.Last()
	if last == nil || last.Process == nil {
		return
	}
	for kind, n := range last.Process.Kinds {
		p.add(metric.Descriptors.Series(), metric.Descriptors.Meaning, who.with("kind", kind), float64(n))
	}
}

// faultKinds are the kinds that a watch can find as a leak or a fault.
var faultKinds = func() []string {
	var list []string
	for _, r := range verdict.Rules() {
		if r.Severity != "" && r.Watched() {
			list = append(list, string(r.Kind))
		}
	}
	slices.Sort(list)
	return list
}()

func addVerdict(p page, who labels, s *Subject) {
	v := s.Verdict
	if v == nil || v.Kind == verdict.NotEnoughData {
		return // what is not known has no series
	}
	for _, kind := range faultKinds {
		p.gauge("socketlab_fault", "1 while a process shows a leak or a fault of this kind, else 0; none before there is a verdict.",
			who.with("kind", kind), truth(v.IsFault() && kind == string(v.Kind)))
	}
	p.gauge("socketlab_verdict_info", "The verdict on a process: 1. A note has a price, and may be meant.",
		who.with("kind", string(v.Kind), "severity", string(v.Severity), "confidence", string(v.Confidence)), 1)
	if f := v.Forecast; f != nil {
		seconds := float64(f.InMS) / 1000
		if f.Steady > 0 {
			seconds = math.Inf(1)
		}
		p.gauge("socketlab_exhaustion_seconds", "Time until a resource is used up if the process goes on like this; none where nothing is known to run out, +Inf where it comes back fast enough.",
			who.with("resource", f.What), seconds)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// addRest adds the processes without series of their own as one.
func addRest(p page, n *newest) {
	if len(n.rest) == 0 {
		return
	}
	all := &Subject{sockets: map[sockets]int{}}
	kinds := map[string]int{}
	for _, s := range n.rest {
		for of, count := range s.sockets {
			all.sockets[of] += count
		}
		if last := s.Last(); last != nil && last.Process != nil {
			for kind, count := range last.Process.Kinds {
				kinds[kind] += count
			}
		}
	}
	all.Samples = []series.Sample{{ClientMetrics: series.ClientMetrics{Process: &series.Process{Kinds: kinds}}}}
	who := labelled("process", "other", "pid", "", "container", "", "pod", "", "namespace", "")
	addSockets(p, n, who, all)
	addDescriptors(p, who, all)
}

// addAll adds what is of the whole sample.
func (e *Exporter) addAll(p page, n *newest) {
	m := &n.view.Newest
	own := 0
	for _, s := range n.own {
		if s.PID != 0 {
			own++
		}
	}
	p.gauge("socketlab_processes", "Processes that are observed, by whether they have series of their own.", labelled("series", "own"), float64(own))
	p.gauge("socketlab_processes", "", labelled("series", "other"), float64(len(n.rest)))
	for reason, count := range n.view.Unobserved {
		p.gauge("socketlab_unobserved_processes", "Processes that should be observed and cannot be, by reason.", labelled("reason", reason), float64(count))
	}
	p.add(metric.Series{Name: "socketlab_unattributed_connections_total"}, "Connections that came and went and cannot be attributed to any process.", nil, float64(m.Unattributed))
	p.gauge("socketlab_connections_at_least", "1 if some connections that came and went were missed: the counters are lower bounds then.", nil, truth(m.AtLeast))
	p.gauge("socketlab_last_sample_timestamp_seconds", "When the sockets were counted that the metrics show.", nil, float64(m.Clock.UnixNano())/float64(time.Second))
	p.gauge("socketlab_last_sample_duration_seconds", "How long that count took.", nil, m.Took.Seconds())
	for _, n := range n.view.Counters {
		namespace, pod := "", n.Cgroup.Pod
		if e.Name != nil {
			if ns, p, _ := e.Name(observe.Owner{Cgroup: n.Cgroup}); p != "" {
				namespace, pod = ns, p
			}
		}
		who := labelled("network_namespace", fmt.Sprint(n.Namespace), "pod", pod, "namespace", namespace)
		for name, counter := range metric.ExportedCounters() {
			p.add(counter.Series(), counter.Meaning, who, float64(n.Counters[name]))
		}
	}
}
