// Package render turns what was observed into what people and programs read. It
// holds the two values that every face draws: the [Snapshot] of an observation at
// one moment, with its charts, and the [Document], a command's whole answer; and
// the registry of the formats in which a document can be written. The faces
// themselves are the packages below it.
//
// All numbers and words come from here or from below, so that the terminal, the
// page and the report agree.
package render

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"socketlab/internal/metric"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/server"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/internal/words"
)

// Snapshot is an observation at one moment, with the sockets at one end of its
// connections. It is a pure function of the observation.
type Snapshot struct {
	Title string `json:"title"`
	// From and To are the times at which charts begin and end. At is that of the
	// newest sample.
	From time.Duration `json:"from_ns"`
	At   time.Duration `json:"at_ns"`
	To   time.Duration `json:"to_ns"`
	// Over says that the observation has come to its end, and Stopped why it ended
	// before its time.
	Over    bool   `json:"over,omitempty"`
	Stopped string `json:"stopped,omitempty"`
	// End is which end's sockets are shown.
	End string `json:"end"`
	// Scale is the top of every chart, in sockets.
	Scale int `json:"scale"`
	// Headline is the metric whose value is each panel's Number; "" where that is the
	// sockets that are held.
	Headline string `json:"headline,omitempty"`
	// Setting is what the server does and what load it gets, in a few words, and Why
	// why the headline moves; "" where there is no script that says so.
	Setting string `json:"setting,omitempty"`
	Why     string `json:"why,omitempty"`
	// Sentence says what is happening.
	Sentence string  `json:"sentence"`
	Panels   []Panel `json:"panels"`
}

// Panel is one subject of a snapshot.
type Panel struct {
	// ID and Name are the subject's.
	ID   string `json:"id"`
	Name string `json:"name"`
	// End is the end of the connections that the panel shows: the snapshot's, or in a watch
	// the other one, if the subject has had no socket at that.
	End string `json:"end"`
	// Number is the figure for the largest digits, and NumberOf says of what: the
	// snapshot's headline, or else Held. "–" is one that is not known yet.
	Number   string `json:"number"`
	NumberOf string `json:"number_of"`
	// PictureOf says of what the bars and the chart are, where the number is of something
	// else; "" where it is of the same.
	PictureOf string `json:"picture_of,omitempty"`
	// Says is what the side's code does; "" where no script says so.
	Says string `json:"says,omitempty"`
	// Held is the sockets that hold a descriptor now: all but TIME_WAIT and LISTEN.
	Held int `json:"held"`
	// Most is the largest total of any sample, TIME_WAIT included: the highest point
	// of the chart.
	Most int `json:"most"`
	// Growth is that by which the subject was judged, in sockets per second, and
	// Trend the same in a word.
	Growth series.Growth `json:"growth_per_second"`
	Trend  string        `json:"trend"`
	// Figures are what no socket shows.
	Figures []Figure `json:"figures"`
	// Note is what else is to be known now, such as how a command ended; "" is
	// nothing.
	Note string `json:"note,omitempty"`
	// States are those that any sample of any subject has shown, in the order in
	// which they are stacked, from below.
	States []State `json:"states"`
	// Verdict is what the samples so far show; it has no Kind where nobody judges.
	Verdict verdict.Verdict `json:"verdict"`
	// Headline is the verdict in a few words. Of a scenario they are for an
	// audience, and while it goes on they say that the verdict may change.
	Headline string `json:"headline,omitempty"`
	// Points has a count for each sample and each of States.
	Points []Point `json:"points,omitempty"`
}

// Figure is a metric with its value in words.
type Figure struct {
	Metric string `json:"metric"`
	Name   string `json:"name"`
	Text   string `json:"text"`
	// Detail says that a face without much room may leave it out.
	Detail bool `json:"detail,omitempty"`
}

// NotKnown stands for a figure that nobody counts.
const NotKnown = "not known"

// State is the sockets in one state.
type State struct {
	Name string `json:"name"`
	Now  int    `json:"now"`
	Peak int    `json:"peak"`
}

// Point is a subject's sockets at one time, in the order of Panel.States.
type Point struct {
	At     time.Duration `json:"at_ns"`
	Counts []int         `json:"counts"`
}

// Total is all sockets of a point.
func (p Point) Total() int {
	sum := 0
	for _, n := range p.Counts {
		sum += n
	}
	return sum
}

// Panel returns the panel of a subject; nil if there is none.
func (s *Snapshot) Panel(id string) *Panel {
	i := slices.IndexFunc(s.Panels, func(p Panel) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Panels[i]
}

// View is what of an observation is to be drawn.
type View struct {
	Observation *series.Observation
	End         socketstats.End
	// Verdicts are those on the subjects, by id. One that is not in it has none.
	Verdicts map[string]verdict.Verdict
	// Together is the subject that is all processes of a watch together, one of each service
	// that uses the watched port, by whose verdict the sentence goes where no process has a
	// fault; none if there is none.
	Together []*series.Subject
	// Script is what is played, at the speed at which it is; nil of anything else.
	Script *scenario.Script
	// Narration is what a script says of this moment; "" is nothing.
	Narration string
}

// Draw makes the snapshot of a view.
func Draw(v View) Snapshot {
	o := v.Observation
	s := Snapshot{
		Title: o.Title, At: o.Duration, To: max(o.Length, o.Duration), Over: o.Over, Stopped: o.Stopped,
		End: v.End.String(), Panels: []Panel{},
	}
	if v.Script != nil {
		s.Headline, s.Setting, s.Why = v.Script.Headline, Setting(*v.Script), v.Script.Says.Why
	}
	if o.Length == 0 || o.Target != nil { // the chart moves on
		s.From, s.To = span(o)
	}
	endOf := ends(o, v.End)
	states := statesOf(o, endOf)
	for _, subject := range o.Subjects {
		p := panelOf(o, subject, endOf(subject), states)
		p.Number, p.NumberOf = bigNumber(&s, subject, &p)
		if picture := pictureOf(&p); picture != p.NumberOf {
			p.PictureOf = picture
		}
		if v.Script != nil {
			p.Says = says(o, v.Script, subject.ID)
		}
		p.Verdict = v.Verdicts[subject.ID]
		p.Headline = headlineOf(o, p.Verdict)
		if p.Growth = p.Verdict.Growth; len(p.Verdict.Facts) == 0 { // nobody has judged, or not yet
			p.Growth = subject.Growth()
		}
		p.Trend = p.Growth.String()
		s.Scale = max(s.Scale, p.Most)
		s.Panels = append(s.Panels, p)
	}
	s.Scale = roundUp(headroom(s.Scale))
	s.Sentence = sentence(&v, &s)
	return s
}

// span is the time of all samples.
func span(o *series.Observation) (from, to time.Duration) {
	from = o.Duration
	for _, s := range o.Subjects {
		if len(s.Samples) > 0 {
			from = min(from, s.Samples[0].At)
		}
	}
	return from, o.Duration
}

// statesOf are the states that any subject has shown, and ESTABLISHED.
func statesOf(o *series.Observation, endOf func(*series.Subject) socketstats.End) []socketstats.State {
	var peak socketstats.Counts
	for _, s := range o.Subjects {
		peak = peak.Max(s.Peak(endOf(s)))
	}
	return slices.DeleteFunc(Stacking(), func(s socketstats.State) bool {
		return peak.Of(s) == 0 && s != socketstats.Established
	})
}

// ends returns the end at which a subject is shown: in a watch the other one, if it has had
// no socket at this and others have, such as a server among its clients. Whether others have is
// found out once: there may be tens of thousands.
func ends(o *series.Observation, end socketstats.End) func(*series.Subject) socketstats.End {
	has := func(s *series.Subject) bool { return s.Peak(end).Total() > 0 }
	othersHave := sync.OnceValue(func() bool { return slices.ContainsFunc(o.Subjects, has) })
	return func(s *series.Subject) socketstats.End {
		if o.Target != nil && !has(s) && s.Peak(end.Other()).Total() > 0 && othersHave() {
			return end.Other()
		}
		return end
	}
}

func panelOf(o *series.Observation, s *series.Subject, end socketstats.End, states []socketstats.State) Panel {
	now, peak := s.Now(end), s.Peak(end)
	p := Panel{
		ID: s.ID, Name: s.Name, End: end.String(), Held: now.Open(),
		Figures: figures(o, s), Note: note(o, s), States: []State{},
	}
	for _, state := range states {
		p.States = append(p.States, State{Name: state.String(), Now: now.Of(state), Peak: peak.Of(state)})
	}
	for i := range s.Samples {
		sample := &s.Samples[i]
		point := Point{At: sample.At, Counts: make([]int, len(states))}
		for j, state := range states {
			point.Counts[j] = sample.Of(end).Counts.Of(state)
		}
		p.Most = max(p.Most, point.Total())
		p.Points = append(p.Points, point)
	}
	return p
}

// says is what a side's code does, or which program stands in its place.
func says(o *series.Observation, script *scenario.Script, id string) string {
	if o.Scenario != nil && o.Scenario.Commands[id] != "" {
		return "It is the program " + o.Scenario.Commands[id]
	}
	return script.Says.Of(codeOf(o, id))
}

// codeOf is the side whose code a subject plays.
func codeOf(o *series.Observation, id string) scenario.Side {
	side := scenario.Side(id)
	if o.Scenario != nil && o.Scenario.Swapped {
		return side.Other()
	}
	return side
}

// Setting is what the server of a script does and what load it gets, in a few words.
func Setting(s scenario.Script) string {
	var answers string
	switch delay := server.MeanDelay(s.Server); {
	case server.NoResponseKey.Of(s.Server):
		answers = "a server that never answers"
	case delay > 0:
		answers = "a server that answers after " + words.Duration(delay)
	case len(server.ResponsesKey.Of(s.Server)) > 0, len(s.Network) > 0, server.NoAcceptKey.Of(s.Server), server.NoReadKey.Of(s.Server):
		// Not every request has its answer at once.
	default:
		answers = "a server that answers at once"
	}
	if len(s.Load) == 0 {
		return answers
	}
	load := loadOf(s)
	if answers == "" {
		return load
	}
	return answers + " · " + load
}

// loadOf is the load of a script in a few words, with the number of all its requests where
// that is fixed: whoever guesses counts from it.
func loadOf(s scenario.Script) string {
	most := s.MainLoad()
	load := most.Say()
	load = strings.ToLower(load[:1]) + load[1:]
	all, fixed := s.Requests()
	switch {
	case !fixed, most.Repeat <= 1 && most.Burst == all: // which is said
		return load
	case most.Rate > 0 && slices.IndexFunc(s.Load, func(p scenario.Phase) bool { return p != most && (p.Rate > 0 || p.Burst > 0) }) < 0:
		return fmt.Sprintf("%s in %s", words.Plural(all, "request"), strings.Replace(words.Duration(most.For.D()), "m0s", "m", 1))
	}
	return fmt.Sprintf("%s, %d in all", load, all)
}

// Question asks an audience for the number that a run will show of its faulty side.
func Question(s *scenario.Script, length time.Duration) string {
	after := words.Duration(length)
	if s == nil || s.Headline == "" {
		return fmt.Sprintf("How many sockets will the faulty side hold after %s?", after)
	}
	m := metric.MustLookup(s.Headline)
	things := m.Noun + "s"
	rest, atMost := strings.CutPrefix(m.Rest, "at most ")
	title, inMilliseconds := strings.CutSuffix(m.Title, " ms") // a value of a pair's own
	counter, ofKernel := strings.CutPrefix(m.Title, "kernel ")
	switch {
	case m.Unit == metric.Milliseconds, inMilliseconds:
		return fmt.Sprintf("What will the faulty side's %s be, in ms?", title)
	case m.Unit == metric.Bytes:
		return fmt.Sprintf("What will the faulty side's %s be, in MiB?", title)
	case ofKernel:
		return fmt.Sprintf("What will the kernel's %s be on the faulty side after %s?", counter, after)
	case m.Noun == "":
		return fmt.Sprintf("What will the faulty side show as %s, after %s?", title, after)
	case m.Rest == "opened":
		return fmt.Sprintf("How many %s will the faulty side open in %s?", things, after)
	case strings.HasSuffix(m.Noun, "attempt"):
		return fmt.Sprintf("How many %s will the faulty side make in %s?", things, after)
	case atMost:
		return fmt.Sprintf("How many %s will the faulty side have %s at most, in %s?", things, rest, after)
	}
	first, others, _ := strings.Cut(rest, " ")
	switch first {
	case "failed":
		return fmt.Sprintf("How many %s will %s on the faulty side in %s?", things, strings.TrimSpace("fail "+others), after)
	case "to":
		return fmt.Sprintf("How many %s will go %s on the faulty side in %s?", things, rest, after)
	case "on":
		return fmt.Sprintf("How many %s will the faulty side send %s in %s?", things, rest, after)
	case "left":
		return fmt.Sprintf("How many %s will the faulty side have %s after %s?", things, rest, after)
	default:
		return fmt.Sprintf("How many %s will the faulty side have after %s?", strings.TrimSpace(things+" "+rest), after)
	}
}

// pictureOf is of what the bars and the chart of a panel are.
func pictureOf(p *Panel) string { return "sockets, " + p.End + " end" }

// bigNumber is the figure of a panel's largest digits, and what it is of.
func bigNumber(shown *Snapshot, s *series.Subject, p *Panel) (text, of string) {
	if shown.Headline == "" {
		return fmt.Sprint(p.Held), pictureOf(p)
	}
	m := metric.MustLookup(shown.Headline)
	value, known := m.Get(s)
	text, of = m.Format(value), m.Title
	switch m.Unit {
	case metric.Milliseconds:
		text, of = fmt.Sprintf("%.0f", value), "ms "+m.Title
	case metric.Bytes:
		text, of = fmt.Sprintf("%.0f", m.Shown(value)), "MiB "+m.Title
	default: // as the metric formats it
	}
	if !known {
		text = "–"
	}
	return text, of
}

// shown are the metrics of a run that a panel shows, and shownOfWatch those of a
// watch, which are known of all processes; what a face without much room leaves out
// is a detail.
var (
	shown = []Figure{
		{Metric: "connections.opened", Name: "opened"},
		{Metric: "connections.reused", Name: "reused"},
		{Metric: "requests.sent", Name: "sent", Detail: true},
		{Metric: "requests.ok", Name: "ok"},
		{Metric: "requests.failed", Name: "failed"},
		{Metric: "requests.in_flight", Name: "in flight"},
		{Metric: "pool.in_use", Name: "in use", Detail: true},
		{Metric: "pool.idle", Name: "idle", Detail: true},
		{Metric: "pool.waiting", Name: "waiting", Detail: true},
		{Metric: "latency_ms.p50", Name: "p50", Detail: true},
		{Metric: "latency_ms.p99", Name: "p99", Detail: true},
	}
	shownOfWatch = []Figure{{Metric: "kernel_connections.opened", Name: "opened"}, {Metric: "kernel_connections.closed", Name: "closed"}}
)

// figures are the subject's. Details that nobody counts are left out, and of a
// watch all that nothing reports.
func figures(o *series.Observation, s *series.Subject) []Figure {
	all := shown
	switch {
	case o.Target == nil:
	case o.Newest == nil || o.Newest.EventSource == "", s.Serves: // whose connections are counted at their clients
		return []Figure{}
	default:
		all = shownOfWatch
	}
	opened, closed, known := s.Rates()
	rates := map[string]float64{"kernel_connections.opened": opened, "kernel_connections.closed": closed}
	list := []Figure{}
	for _, f := range all {
		m := metric.MustLookup(f.Metric)
		v, ok := m.Get(s)
		switch {
		case ok:
			f.Text = m.Format(v)
		case f.Detail:
			continue
		default:
			f.Text = NotKnown
		}
		if rate, ok := rates[f.Metric]; ok && known {
			f.Text += fmt.Sprintf(", %.1f/s", rate)
		}
		list = append(list, f)
	}
	if r := s.Metrics().Requests; r != nil && len(r.Errors) > 0 {
		list = append(list, Figure{Metric: "requests.errors", Name: "errors", Text: r.ErrorList(), Detail: true})
	}
	return list
}

// note says how a command of the user's ended.
func note(o *series.Observation, s *series.Subject) string {
	switch {
	case s.Final != nil && s.Final.Failure != "":
		return s.Final.Failure
	case s.EndedAfter > 0:
		return "ended after " + words.Duration(s.EndedAfter)
	case o.Commands != nil && s.Last() != nil && s.Last().Ended:
		return "the command has ended"
	}
	return ""
}

// FullerEnd is the end of a watch to show where nobody has chosen: the one that has
// more. With a port both ends are of the same connections, and the client's is the
// one that the processes are listed for.
func FullerEnd(o *series.Observation) socketstats.End {
	client, server := 0, 0
	for _, s := range o.Subjects {
		client += s.Now(socketstats.Client).Open()
		server += s.Now(socketstats.Server).Open()
	}
	if server > client && (o.Target == nil || o.Target.Port == 0) && o.Scenario == nil && o.Commands == nil {
		return socketstats.Server
	}
	return socketstats.Client
}

// headroom is a little more than the highest point, so that its top can be seen.
func headroom(n int) int { return n + n/20 + min(n, 1) }

// roundUp is the next number that a scale may end with: 10, 20, 50, 100 and so
// on, and what lies between in fifths.
func roundUp(n int) int {
	if n <= 10 {
		return 10
	}
	step := int(math.Pow10(int(math.Log10(float64(n)))))
	for _, part := range []int{5, 2, 1} {
		if s := step / part; s > 0 {
			if top := (n + s - 1) / s * s; top-n < step/2 {
				return top
			}
		}
	}
	return n
}
