package kubelab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"socketlab/internal/observe"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/words"
)

// extract makes an observation from what exporters said at several moments.
type extract struct {
	run   *Run
	heard *series.Observation
	// clients are the pods of the clients, and hub is the servers' pod, by all names that they
	// have in series.
	clients map[string]*pod
	hub     map[string]bool
	// services are what the clients connect to and peers the clients' addresses, each as the
	// label peer_service has it, with their side; "" where that of several.
	services, peers map[string]scenario.Side
	// seen are the processes of the run that had series: each has them up to the end.
	seen map[string]bool
	// unattributed are the states of sockets that no process holds and that may be the run's.
	unattributed map[socketstats.State]bool
	// ownerless says that there were sockets of a side that no process holds, so that they are
	// in the count of no single client.
	ownerless bool
	moments   []*series.Moment
}

func newExtract(r *Run, heard *series.Observation) *extract {
	x := &extract{
		run: r, heard: heard, clients: map[string]*pod{}, hub: map[string]bool{},
		services: map[string]scenario.Side{}, peers: map[string]scenario.Side{},
		seen: map[string]bool{}, unattributed: map[socketstats.State]bool{},
	}
	hosts := []string{r.service}
	for i := range r.seen.Items {
		p := &r.seen.Items[i]
		names := []string{r.Namespace + "/" + p.Metadata.Name, p.Metadata.UID}
		side := scenario.Side(p.Metadata.Labels["socketlab/side"])
		if side == "" {
			for _, name := range names {
				x.hub[name] = true
			}
			hosts = append(hosts, p.Status.PodIP)
			continue
		}
		for _, name := range names {
			x.clients[name] = p
		}
		if other, known := x.peers[p.Status.PodIP]; known && other != side { // such as of a node that both share
			side = ""
		}
		x.peers[p.Status.PodIP] = side
	}
	for _, host := range hosts {
		if addr, err := netip.ParseAddr(host); err == nil {
			for _, side := range scenario.Sides() {
				x.services[netip.AddrPortFrom(addr, portOf(side)).String()] = side
			}
		}
	}
	return x
}

// client is the part of an observation that a client's pod is.
func (p *pod) client() string {
	return p.Metadata.Labels["socketlab/side"] + "-" + p.Metadata.Labels["batch.kubernetes.io/job-completion-index"]
}

// podOf names the pod of a series: by its namespace and name, or by its uid where the exporter
// does not ask the kubelet.
func podOf(labels map[string]string) string {
	if labels["namespace"] == "" {
		return labels["pod"]
	}
	return labels["namespace"] + "/" + labels["pod"]
}

// newest is the scrape with the newest count that is not later than a time; nil without one.
func (t *target) newest(at time.Time) (found *scrape) {
	for _, s := range t.scrapes {
		if s.up && !s.counted.IsZero() && !s.counted.After(at) {
			found = s
		}
	}
	return found
}

// sums are the samples of a moment, by the subject.
type sums map[string]*series.Sample

func (m sums) of(id string) *series.Sample {
	if m[id] == nil {
		m[id] = &series.Sample{}
	}
	return m[id]
}

func (m sums) add(id string, end socketstats.End, state socketstats.State, n int, more ...string) {
	var counts socketstats.Counts
	for _, name := range append(more, state.String(), "total") {
		_ = counts.Set(name, int32(n)) // each is a name
	}
	of := m.of(id).Of(end)
	of.Counts = of.Counts.Plus(counts)
}

// moment adds what every exporter counted last, up to a time. A count that is older than
// oldest is none.
func (x *extract) moment(list []*target, at time.Time, oldest time.Duration) error {
	elapsed := at.Sub(x.heard.Started)
	sum, present, on := sums{}, map[string]bool{}, map[string]string{}
	var ages, took time.Duration
	for _, t := range list {
		s := t.newest(at)
		if s == nil || at.Sub(s.counted) > oldest {
			return inconclusive("Prometheus has no count of %s for %s after the beginning", t.instance, words.Duration(elapsed))
		}
		ages += at.Sub(s.counted)
		labelled := map[string]bool{} // peers that have a label of their own
		for _, v := range s.values {
			labelled[v.labels["peer_service"]] = true
		}
		for _, v := range s.values {
			if v.labels["__name__"] == "socketlab_last_sample_duration_seconds" {
				took = max(took, time.Duration(v.v*float64(time.Second)))
			}
			pod := podOf(v.labels)
			if x.clients[pod] != nil || x.hub[pod] {
				if other, twice := on[pod]; twice && other != t.instance {
					return inconclusive("pod %s is in the series of %s and of %s: Prometheus scrapes one exporter twice", v.labels["pod"], other, t.instance)
				}
				on[pod] = t.instance
			}
			if err := x.add(sum, present, labelled, v); err != nil {
				return err
			}
		}
	}
	for id := range x.seen {
		if !present[id] {
			return inconclusive("the series of %s ended before the run, at %s", id, words.Duration(elapsed))
		}
	}
	m := x.compose(sum, elapsed, elapsed-ages/time.Duration(len(list)))
	m.Took = took
	x.moments = append(x.moments, m)
	return nil
}

// add adds one series.
func (x *extract) add(sum sums, present, labelled map[string]bool, v value) error {
	process, end := v.labels["process"], socketstats.Client
	if v.labels["end"] == socketstats.Server.String() {
		end = socketstats.Server
	}
	// Whose it is: a client's, which belongs to a side, or a server's.
	var ids []string
	if p := x.clients[podOf(v.labels)]; p != nil && strings.HasPrefix(process, "client-") {
		ids = []string{p.Metadata.Labels["socketlab/side"], p.client()}
	} else if side, ok := strings.CutPrefix(process, "server-"); ok && x.hub[podOf(v.labels)] {
		ids = []string{side}
		process = side + "'s server"
	}
	if len(ids) > 0 {
		name := ids[len(ids)-1]
		if process == name+"'s server" {
			name = process
		}
		present[name], x.seen[name] = true, true
	}
	switch v.labels["__name__"] {
	case "socketlab_connections_at_least":
		for _, side := range scenario.Sides() {
			if v.v == 1 {
				conns(sum.of(string(side))).AtLeast = true
			}
		}
	case "socketlab_connections_opened_total":
		for _, id := range ids {
			if end == socketstats.Client {
				conns(sum.of(id)).Opened += int(v.v)
			}
		}
	case "socketlab_connections_closed_total":
		for _, id := range ids {
			if end == socketstats.Client {
				closed(conns(sum.of(id)), v.labels["how"], int(v.v))
			}
		}
	case "socketlab_sockets":
		state, err := socketstats.ParseState(v.labels["state"])
		if err != nil {
			return fmt.Errorf("--prometheus: %w", err)
		}
		if len(ids) == 0 {
			return x.addOwnerless(sum, labelled, v, process, end, state)
		}
		for _, id := range ids {
			sum.add(id, end, state, int(v.v))
		}
	}
	return nil
}

func conns(s *series.Sample) *series.ConnCounts {
	if s.KernelConns == nil {
		s.KernelConns = &series.ConnCounts{}
	}
	return s.KernelConns
}

func closed(c *series.ConnCounts, how string, n int) {
	c.Closed += n
	if how != "unknown" {
		c.WithTCPInfo += n
	}
	if how == "short_lived" {
		c.ShortLived += n
	}
}

// addOwnerless adds sockets that no process of the run holds: those in TIME_WAIT, and orphans.
// Only the other end says to which side they belong, if it has a label of its own.
func (x *extract) addOwnerless(sum sums, labelled map[string]bool, v value, process string, end socketstats.End, state socketstats.State) error {
	peer := v.labels["peer_service"]
	sides := x.peers
	if end == socketstats.Client {
		sides = x.services
	}
	side, ours := sides[peer]
	switch {
	case process == "other" && ours:
		return inconclusive("an exporter has sockets of the run among those of other processes: raise its --max-processes")
	case process != observe.NoProcess:
	case ours && side != "":
		if state.Open() {
			sum.add(string(side), end, state, int(v.v), "unowned")
		} else {
			sum.add(string(side), end, state, int(v.v))
		}
		x.ownerless = true
	case ours:
		x.unattributed[state] = true
	case peer == "other":
		for peer := range sides {
			if !labelled[peer] { // it may be among the others
				x.unattributed[state] = true
			}
		}
	}
	return nil
}

// compose makes a moment of its sums. What only the pods know, such as requests and ages, is what they said next to when
// the sockets were counted.
func (x *extract) compose(sum sums, at, counted time.Duration) *series.Moment {
	m := &series.Moment{At: at}
	for _, of := range slices.Concat(x.heard.Subjects, x.heard.Parts) {
		one := series.SubjectSample{ID: of.ID, Sample: *sum.of(of.ID)}
		if len(x.moments) == 0 && of.Parent != "" {
			one.Identity = &of.Identity
		}
		if said := nearest(of.Samples, counted); said != nil {
			one.ClientMetrics, one.Servers, one.Oldest = said.ClientMetrics, said.Servers, said.Oldest
		}
		m.Subjects = append(m.Subjects, one)
	}
	return m
}

// nearest is the sample that was taken next to a time; nil without one.
func nearest(samples []series.Sample, at time.Duration) (best *series.Sample) {
	for i := range samples {
		if s := &samples[i]; best == nil || (s.At-at).Abs() < (best.At-at).Abs() {
			best = s
		}
	}
	return best
}

// missing returns an error if a process of the run has no series.
func (x *extract) missing() error {
	var missing []string
	for _, side := range scenario.Sides() {
		if id := string(side) + "'s server"; !x.seen[id] {
			missing = append(missing, id)
		}
	}
	for _, p := range x.heard.Parts {
		if !x.seen[p.ID] {
			missing = append(missing, p.ID)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	const most = 5
	list := missing[:min(len(missing), most)]
	return inconclusive("Prometheus has no series of %d processes of the run (%s): is there an exporter on each node, with the right to see its pods, and honor_labels: true in Prometheus?",
		len(missing), strings.Join(list, ", "))
}

// events are those of the whole observation.
func (x *extract) events(period time.Duration) []series.Event {
	h := x.heard.Header
	h.Source, h.Interval = "prometheus", period
	for state := range x.unattributed {
		h.UnsupportedStates = append(h.UnsupportedStates, state)
	}
	slices.Sort(h.UnsupportedStates)
	events := []series.Event{{Header: &h}}
	end := &series.Ending{Duration: x.heard.Duration}
	single := !x.ownerless && len(x.unattributed) == 0
	for _, m := range x.moments {
		if !single {
			*m = *Sides(series.Event{Moment: m}).Moment
		}
		events = append(events, series.Event{Moment: m})
	}
	for _, of := range slices.Concat(x.heard.Subjects, x.heard.Parts) {
		if of.Final != nil && (single || of.Parent == "") {
			final := *of.Final
			final.KernelConns = nil
			end.Subjects = append(end.Subjects, series.SubjectFinal{ID: of.ID, Final: final})
		}
	}
	return append(events, series.Event{End: end})
}
