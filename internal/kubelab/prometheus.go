package kubelab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"socketlab/internal/fleet"
	"socketlab/internal/series"
	"socketlab/internal/words"
)

// Prometheus is where the sockets and the connections of a run are read from, in place of what
// its own pods count: the exporters on the nodes see the pods from outside. What only clients
// know, such as requests and latencies, still comes from them.
type Prometheus struct {
	Client *fleet.Client
	// URL is its address, and Job that of the exporters among its targets.
	URL, Job string
}

const (
	// lookBack is how far back scrapes are looked at before a run, to know how often there is one.
	lookBack = 5 * time.Minute
	// jitter is how much later than planned a count may be, as a factor.
	jitter = 1.25
	// clockTolerance is how far a node's clock may be ahead of Prometheus's: a count is made
	// before it is scraped.
	clockTolerance = 500 * time.Millisecond
	// fewestMoments is the fewest counts of a run from which something follows.
	fewestMoments = series.Least
)

// errInconclusive is what an answer from a part of the exporters would be.
var errInconclusive = errors.New("inconclusive")

func inconclusive(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errInconclusive, fmt.Sprintf(format, args...))
}

// value is one series of a scrape.
type value struct {
	labels map[string]string
	v      float64
}

// scrape is all that one exporter said at one time.
type scrape struct {
	at time.Time // by Prometheus's clock
	up bool
	// counted is when the exporter counted the sockets, by the node's clock; zero if it is not
	// said.
	counted time.Time
	values  []value
}

// target is an exporter, with its scrapes, the oldest first.
type target struct {
	instance string
	scrapes  []*scrape
}

// targets asks for all scrapes of the newest time, with the series that a selector adds.
func (p *Prometheus) targets(ctx context.Context, newest time.Duration, more string) ([]*target, error) {
	of := map[string]map[int64]*scrape{}
	at := func(instance string, when time.Time) *scrape {
		if of[instance] == nil {
			of[instance] = map[int64]*scrape{}
		}
		s := of[instance][when.UnixMilli()]
		if s == nil {
			s = &scrape{at: when}
			of[instance][when.UnixMilli()] = s
		}
		return s
	}
	names := "up|socketlab_last_sample_timestamp_seconds" + more
	found, err := p.Client.Scrapes(ctx, p.URL, fmt.Sprintf("{__name__=~%q, job=%q}", names, p.Job), newest)
	if err != nil {
		return nil, fmt.Errorf("--prometheus: %w", err)
	}
	for _, f := range found {
		for _, point := range f.Points {
			s := at(f.Labels["instance"], point.At)
			switch f.Labels["__name__"] {
			case "up":
				s.up = point.Value == 1
			case "socketlab_last_sample_timestamp_seconds":
				s.counted = time.UnixMilli(int64(point.Value * 1000))
			default:
				s.values = append(s.values, value{f.Labels, point.Value})
			}
		}
	}
	var list []*target
	for instance, scrapes := range of {
		t := &target{instance: instance}
		for _, s := range scrapes {
			t.scrapes = append(t.scrapes, s)
		}
		slices.SortFunc(t.scrapes, func(a, b *scrape) int { return a.at.Compare(b.at) })
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *target) int { return cmp.Compare(a.instance, b.instance) })
	if len(list) == 0 {
		return nil, fmt.Errorf("--prometheus: it has no targets of a job %q", p.Job)
	}
	return list, nil
}

// last is the newest scrape; every target has one.
func (t *target) last() *scrape { return t.scrapes[len(t.scrapes)-1] }

// period is the time between two counts as Prometheus has them: that of the exporter, or of the
// scrapes if these are fewer; 0 if there were too few to know.
func (t *target) period() time.Duration {
	var gaps []time.Duration
	var before time.Time
	for _, s := range t.scrapes {
		if !s.up || s.counted.IsZero() || s.counted.Equal(before) {
			continue
		}
		if !before.IsZero() {
			gaps = append(gaps, s.counted.Sub(before))
		}
		before = s.counted
	}
	if len(gaps) < 2 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

func longestPeriod(list []*target) (longest time.Duration) {
	for _, t := range list {
		longest = max(longest, t.period())
	}
	return longest
}

// covers returns an error unless every target answered when it was scraped last.
func covers(list []*target) error {
	var silent []string
	for _, t := range list {
		if !t.last().up {
			silent = append(silent, t.instance)
		}
	}
	if len(silent) > 0 {
		return inconclusive("Prometheus cannot scrape %d of %s: %s", len(silent), words.Plural(len(list), "exporter"), strings.Join(silent, ", "))
	}
	return nil
}

// fine returns an error if counts are too far apart for the script. 0 is not known yet.
func (r *Run) fine(period time.Duration) error {
	wants := r.Scenario.SampleInterval.D()
	if float64(period) <= jitter*float64(wants) {
		return nil
	}
	slowest := math.Floor(100*r.Speed*float64(wants)/float64(period)) / 100
	return fmt.Errorf("--prometheus: it has a count of the sockets every %s, and %s is to be counted every %s at speed %g:\n"+
		"  play it with --speed %g, or have the exporters count (--interval) and Prometheus scrape (scrape_interval) more often",
		words.Duration(period), r.Scenario.ID, words.Duration(wants), r.Speed, slowest)
}

// checkPrometheus finds out before anything is made whether an answer can be read from it.
func (r *Run) checkPrometheus(ctx context.Context) error {
	list, err := r.Prometheus.targets(ctx, lookBack, "")
	if err == nil {
		err = covers(list)
	}
	if err == nil {
		err = r.fine(longestPeriod(list))
	}
	return err
}

// playFromPrometheus ends a run whose pods have played, or failed with err: what was heard of
// them gives way to what the exporters saw.
func (r *Run) playFromPrometheus(ctx context.Context, heard *series.Observation, began time.Time, err error) (*series.Observation, error) {
	o := &series.Observation{}
	if err = errors.Join(interrupted(ctx, err), r.clean(ctx)); err != nil {
		return o, err
	}
	r.Say("%s: waiting for the last count in Prometheus\n", r.Scenario.ID)
	events, err := r.fromPrometheus(ctx, heard, began)
	for _, e := range events {
		o.Add(e)
		r.Observe(e)
	}
	return o, interrupted(ctx, err)
}

// fromPrometheus waits until Prometheus has what the exporters counted up to the end of a run, and makes
// an observation of it. heard is what the hub has said, and began when it did, by this
// machine's clock.
func (r *Run) fromPrometheus(ctx context.Context, heard *series.Observation, began time.Time) ([]series.Event, error) {
	if heard.Newest == nil || !heard.Over || heard.Stopped != "" {
		return nil, errors.New("the run did not come to its end: nothing is read from Prometheus")
	}
	end := heard.Started.Add(heard.Newest.At)
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for late := time.Now(); ; {
		list, err := r.Prometheus.targets(ctx, time.Since(began)+lookBack, "")
		if err != nil {
			return nil, err
		}
		if err := covers(list); err != nil {
			return nil, err
		}
		var missing []string
		for _, t := range list {
			if t.last().counted.Before(end) {
				missing = append(missing, t.instance)
			}
		}
		if len(missing) == 0 {
			break
		}
		if period := longestPeriod(list); time.Since(late) > 15*time.Second+3*period {
			return nil, inconclusive("Prometheus has no count of %s from after the end of the run", strings.Join(missing, ", "))
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	list, err := r.Prometheus.targets(ctx, time.Since(began)+lookBack, "|socketlab_sockets|socketlab_connections_(opened|closed)_total|socketlab_connections_at_least|socketlab_last_sample_duration_seconds|socketlab_process_info")
	if err != nil {
		return nil, err
	}
	return r.compose(list, heard)
}

// compose makes the events of a run from the scrapes.
func (r *Run) compose(list []*target, heard *series.Observation) ([]series.Event, error) {
	end := heard.Started.Add(heard.Newest.At)
	period := longestPeriod(list)
	if period == 0 {
		return nil, inconclusive("Prometheus has too few counts of the sockets")
	}
	if err := r.fine(period); err != nil {
		return nil, err
	}
	period = max(period, r.Scenario.SampleInterval.D())
	for _, t := range list {
		for _, s := range t.scrapes {
			switch {
			case s.at.Before(heard.Started.Add(-period)) || s.at.After(end.Add(period)):
			case !s.up:
				return nil, inconclusive("Prometheus could not scrape %s at %s", t.instance, words.Duration(max(0, s.at.Sub(heard.Started))))
			case s.counted.After(s.at.Add(clockTolerance)):
				return nil, inconclusive("the clock of %s is ahead of Prometheus's by %s or more", t.instance, words.Duration(s.counted.Sub(s.at)))
			}
		}
	}
	x := newExtract(r, heard)
	for at := end.Add(-heard.Newest.At.Truncate(period)); !at.After(end); at = at.Add(period) {
		if err := x.moment(list, at, time.Duration(2*jitter*float64(period))); err != nil {
			return nil, err
		}
	}
	if len(x.moments) < fewestMoments {
		return nil, fmt.Errorf("--prometheus: it has %s in the %s of the run, and a verdict takes %d: play it with a lower --speed",
			words.Plural(len(x.moments), "count"), words.Duration(heard.Newest.At), fewestMoments)
	}
	if err := x.missing(); err != nil {
		return nil, err
	}
	return x.events(period), nil
}
