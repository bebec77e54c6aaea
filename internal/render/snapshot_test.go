package render_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/exercise"
	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// shown is what a face shows of events, at the client's end.
func shown(events []series.Event) render.Snapshot {
	var l render.Live
	for _, e := range events {
		l.Add(e)
	}
	return l.Snapshot(socketstats.Client)
}

func texts(p *render.Panel) map[string]string {
	all := map[string]string{}
	for _, f := range p.Figures {
		all[f.Metric] = f.Text
	}
	return all
}

func TestSnapshotHasTheNumbersOfTheRun(t *testing.T) {
	t.Parallel()
	s := shown(rendertest.Run(58, rendertest.Sides()...))
	require.Equal(t, 58*time.Second, s.At)
	require.Equal(t, time.Minute, s.To)
	faulty, fixed := s.Panel("faulty"), s.Panel("fixed")
	require.Equal(t, 116, faulty.Held, "TIME_WAIT holds no descriptor")
	require.Equal(t, 120, faulty.Most, "TIME_WAIT is in the chart, too")
	require.Equal(t, 140, s.Scale, "the top of the chart is to be seen")
	require.Equal(t, []render.State{{Name: "ESTABLISHED", Now: 83, Peak: 83}, {Name: "CLOSE_WAIT", Now: 33, Peak: 33}, {Name: "TIME_WAIT", Now: 4, Peak: 4}}, faulty.States)
	require.Equal(t, []render.State{{Name: "ESTABLISHED", Now: 2, Peak: 2}, {Name: "CLOSE_WAIT"}, {Name: "TIME_WAIT"}}, fixed.States, "the same states on all sides")
	require.Len(t, faulty.Points, 58)
	require.Equal(t, render.Point{At: 58 * time.Second, Counts: []int{83, 33, 4}}, faulty.Points[57])
	require.Equal(t, verdict.Kind("response-body-leak"), faulty.Verdict.Kind)
	require.Equal(t, verdict.Healthy, fixed.Verdict.Kind)
	require.Equal(t, "+2.0/s", faulty.Trend)
	require.Equal(t, "flat", fixed.Trend)
	require.Equal(t, map[string]string{
		"connections.opened": "116", "connections.reused": "0", "requests.sent": "116", "requests.ok": "114",
		"requests.failed": "0", "requests.in_flight": "2",
	}, texts(faulty))
	require.Equal(t, "2 requests a second: the faulty side holds 116 sockets, the fixed side 2.", s.Sentence)
	require.Nil(t, s.Panel("third"))
}

func TestSnapshotHasAPanelForEachSubject(t *testing.T) {
	t.Parallel()
	for _, sides := range [][]string{{"faulty"}, {"faulty", "fixed"}, {"faulty", "b", "c", "d", "e"}} {
		s := shown(rendertest.Ended(rendertest.Run(58, sides...)))
		require.Len(t, s.Panels, len(sides))
		for i, id := range sides {
			require.Equal(t, id, s.Panels[i].ID)
			require.Len(t, s.Panels[i].States, 3)
		}
	}
	s := shown(rendertest.Ended(rendertest.Run(58, "faulty", "b", "c")))
	require.Equal(t, "The faulty side ends with 116 sockets, the b side with 2 and the c side with 2.", s.Sentence)
}

// From the first moment on a snapshot says what is so, and not more.
func TestSnapshotOfABeginning(t *testing.T) {
	t.Parallel()
	require.Equal(t, "The servers listen, the clients begin.", shown(rendertest.Run(0, rendertest.Sides()...)).Sentence)
	early := shown(rendertest.Run(2, rendertest.Sides()...))
	require.Equal(t, "2 requests a second: the faulty side holds 4 sockets, the fixed side 2.", early.Sentence)
	require.Equal(t, "flat", early.Panels[0].Trend)
	require.Equal(t, verdict.NotEnoughData, early.Panels[0].Verdict.Kind)
	require.Empty(t, verdict.Sentences(early.Panels[0].Verdict), "how many samples there are says nothing to an audience")
	stopped := append(rendertest.Run(20, rendertest.Sides()...), series.Event{End: &series.Ending{Stopped: "interrupted"}})
	require.Equal(t, "The observation ended early: interrupted.", shown(stopped).Sentence)
	brief := shown(rendertest.Ended(rendertest.Run(2, rendertest.Sides()...)))
	require.Equal(t, []string{"2 samples of at least 8."}, verdict.Sentences(brief.Panels[0].Verdict), "at the end it says why")
	require.Equal(t, "No connections.", shown(rendertest.Watch(3, 0)).Sentence)
}

// The sides of an exercise are named as its participant knows them.
func TestSentenceOfAnExercise(t *testing.T) {
	t.Parallel()
	events := rendertest.Run(3, exercise.StarterSide, exercise.YourSide)
	for _, e := range events[1:] {
		e.Moment.Subjects[0].Client.Counts = rendertest.Counts(50, 0, 0)
	}
	require.Equal(t, "2 requests a second: the starter holds 50 sockets, yours 2.", shown(events).Sentence)
	require.Equal(t, "The starter ends with 50 sockets, yours with 2.", shown(rendertest.Ended(events)).Sentence)
}

func TestManySocketsInTimeWaitAreInTheSentence(t *testing.T) {
	t.Parallel()
	events := rendertest.Ended(rendertest.Run(3, rendertest.Sides()...))
	last := events[len(events)-2].Moment
	last.Subjects[1].Client.Counts = rendertest.Counts(2, 0, 10)
	require.Equal(t, "The faulty side ends with 6 sockets, the fixed side with 2.", shown(events).Sentence)
	last.Subjects[1].Client.Counts = rendertest.Counts(2, 0, 11)
	require.Equal(t, "The faulty side ends with 6 sockets, the fixed side with 2 and 11 in TIME_WAIT.", shown(events).Sentence)
}

func TestFigureThatNobodyCountsIsNoZero(t *testing.T) {
	t.Parallel()
	events := rendertest.Run(3, rendertest.Sides()...)
	last := &events[len(events)-1].Moment.Subjects[0]
	last.ClientMetrics = series.ClientMetrics{}
	require.Equal(t, map[string]string{
		"connections.opened": render.NotKnown, "connections.reused": render.NotKnown, "requests.ok": render.NotKnown,
		"requests.failed": render.NotKnown, "requests.in_flight": render.NotKnown,
	}, texts(&shown(events).Panels[0]))
	last.ClientMetrics = rendertest.Metrics(6, 6)
	last.Latency = &series.Quantiles{P50: 1.5, P99: 20}
	last.Requests.Errors = map[string]int64{"EOF": 3, "timeout": 1}
	got := texts(&shown(events).Panels[0])
	require.Equal(t, "3 EOF, 1 timeout", got["requests.errors"])
	require.Equal(t, "20ms", got["latency_ms.p99"])
}

func TestFullerEndIsTheOneThatHasMore(t *testing.T) {
	t.Parallel()
	o := &series.Observation{Header: series.Header{Target: &series.Target{Name: "app"}}}
	require.Equal(t, socketstats.Client, render.FullerEnd(o))
	o.Subjects = []*series.Subject{{Samples: []series.Sample{{Server: series.End{Counts: rendertest.Counts(1, 0, 0)}}}}}
	require.Equal(t, socketstats.Server, render.FullerEnd(o))
	o.Target.Port = 8080
	require.Equal(t, socketstats.Client, render.FullerEnd(o), "both ends are of the same connections")
}

// A server among its clients has sockets at its own end alone: those are shown.
func TestAProcessIsShownAtTheEndThatItHas(t *testing.T) {
	t.Parallel()
	events := rendertest.Watch(10, 2)
	for _, e := range events[1:] {
		s := rendertest.Process(7, 5, e.Moment.At == 0)
		s.Client.Counts = rendertest.Counts(0, 0, 0)
		if s.Identity != nil {
			s.Identity.Serves = true
		}
		orphaned := rendertest.Process(0, 0, e.Moment.At == 0)
		orphaned.ID = observe.NoProcess
		if orphaned.Identity != nil {
			orphaned.Identity.ID, orphaned.Identity.Name = orphaned.ID, orphaned.ID
		}
		e.Moment.Subjects = append(e.Moment.Subjects, s, orphaned)
	}
	s := render.Draw(render.View{Observation: rendertest.Observe(events), End: socketstats.Client})
	require.Equal(t, "client", s.End)
	for id, want := range map[string]string{"10": "sockets, client end", "11": "sockets, client end", "7": "sockets, server end"} {
		require.Equal(t, want, s.Panel(id).NumberOf, id)
	}
	require.Contains(t, s.Sentence, "3 processes hold ", "sockets without a process are not one")
	server := s.Panel("7")
	require.Equal(t, "server", server.End)
	require.Equal(t, "5", server.Number)
	require.Equal(t, 5, server.Points[0].Total())
	require.Empty(t, server.Figures, "its connections are those of its clients")
	require.NotEmpty(t, s.Panel("10").Figures)
}

// Where no process has a socket at the end that was asked for, that is what is shown.
func TestAnEndThatIsEmptyIsShownAsSuch(t *testing.T) {
	t.Parallel()
	events := rendertest.Watch(10, 1)
	for _, e := range events[1:] {
		e.Moment.Subjects[0].Server.Counts = rendertest.Counts(0, 0, 0)
	}
	o := rendertest.Observe(events)
	require.Equal(t, "sockets, client end", render.Draw(render.View{Observation: o, End: socketstats.Client}).Panels[0].NumberOf)
	empty := render.Draw(render.View{Observation: o, End: socketstats.Server}).Panels[0]
	require.Equal(t, "0", empty.Number)
	require.Equal(t, "sockets, server end", empty.NumberOf)
}

func TestEveryStateOfAChartHasALookOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]socketstats.State{}
	for _, s := range render.Stacking() {
		l := render.LookOf(s.String())
		require.NotEmpty(t, l.Meaning, s)
		require.LessOrEqual(t, len("█ ESTABLISHED  "+l.Meaning), 80+2, "%s: a line of the smallest terminal", s)
		for _, part := range []string{l.Light, l.Dark, string(l.Rune), "lines " + l.Lines, l.Meaning} {
			require.NotContains(t, seen, part, "%s and %s", s, seen[part])
			seen[part] = s
		}
	}
	require.Zero(t, render.LookOf("LISTEN"), "it is no connection")
	require.Zero(t, render.LookOf("NO_SUCH_STATE"))
	order := render.Stacking()
	order[0] = socketstats.Listen
	require.Equal(t, socketstats.Established, render.Stacking()[0], "nobody changes it for all")
}

// The largest digits are of the script's headline, in every unit, and the audience is
// asked for the same number.
func TestTheHeadlineIsWhatTheAudienceIsAskedFor(t *testing.T) {
	t.Parallel()
	o := rendertest.Observe(rendertest.Ended(rendertest.Run(58, "faulty", "fixed")))
	const held = "The faulty side ends with 116 sockets, the fixed side with 2."
	for headline, want := range map[string][4]string{
		"":                         {"116", "sockets, client end", "How many sockets will the faulty side hold after 10s?", held},
		"connections.opened":       {"116", "connections opened", "How many connections will the faulty side open in 10s?", "Faulty: 116 connections opened; fixed: 2."},
		"client.final.TIME_WAIT":   {"4", "client TIME_WAIT", "How many TIME_WAIT sockets will the faulty side have left at the client after 10s?", held},
		"server.final.ESTABLISHED": {"83", "server ESTABLISHED", "How many ESTABLISHED sockets will the faulty side have left at the server after 10s?", "Faulty: 83 ESTABLISHED sockets left at the server; fixed: 2."},
		"values.idle":              {"–", "idle", "What will the faulty side show as idle, after 10s?", held},
	} {
		script := &scenario.Script{Headline: headline, Says: scenario.Says{Faulty: "One.", Why: "Because."}}
		s := render.Draw(render.View{Observation: o, End: socketstats.Client, Script: script})
		faulty := s.Panel("faulty")
		require.Equal(t, want[1], faulty.NumberOf)
		require.Equal(t, want[0], faulty.Number, headline)
		picture := map[bool]string{false: "sockets, client end"}[headline == ""]
		require.Equal(t, picture, faulty.PictureOf, "said where the number does not say it")
		require.Equal(t, "One.", faulty.Says)
		require.Equal(t, "Because.", s.Why)
		require.Equal(t, want[2], render.Question(script, 10*time.Second))
		require.Equal(t, want[3], s.Sentence)
	}
}

func TestTheAudienceIsAskedInPlainWords(t *testing.T) {
	t.Parallel()
	for headline, want := range map[string]string{
		"latency_ms.p50":          "What will the faulty side's latency p50 be, in ms?",
		"values.age_ms":           "What will the faulty side's age be, in ms?",
		"kernel.ListenOverflows":  "What will the kernel's ListenOverflows be on the faulty side after 10s?",
		"requests.attempts":       "How many attempts will the faulty side make in 10s?",
		"requests.failed":         "How many requests will fail on the faulty side in 10s?",
		"requests.errors.timeout": "How many requests will fail by timeout on the faulty side in 10s?",
		"servers.a.requests":      "How many requests will go to server a on the faulty side in 10s?",
		"connections.stale_reuse": "How many requests will the faulty side send on a stale connection in 10s?",
		"server.peak.TIME_WAIT":   "How many TIME_WAIT sockets will the faulty side have at the server at most, in 10s?",
		"process.kinds.udp":       "How many descriptors of kind udp will the faulty side have after 10s?",
	} {
		require.Equal(t, want, render.Question(&scenario.Script{Headline: headline}, 10*time.Second), headline)
	}
}

func TestSettingIsTrue(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"transport-per-request":   "a server that answers after 20s · 1 request a second and more at random",
		"http2-streams-exhausted": "a server that answers after 50ms · bursts of 30 requests, 121 in all", // after a single one
		"timeout-response-header": "24 requests in 2.4s",                                                  // some have no response
		"congestion":              "bursts of 20 requests, 80 in all",                                     // the network is slow
		"body-not-drained":        "a server that answers at once · 200 requests in 4s",
		"no-timeout":              "a server that never answers · 20 requests in 2s",
	} {
		s, err := scenarios.Script(id)
		require.NoError(t, err)
		require.Equal(t, want, render.Setting(s), id)
	}
}
