package verdict_test

import (
	"cmp"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// example is a subject that shows a kind, or one that looks like it and is not.
type example struct {
	name    string
	subject *series.Subject
	// over is [verdict.Conditions.Over].
	over bool
	// instead is what it is; "" if it is of the kind.
	instead verdict.Kind
	// confidence is that of the verdict; "" for any.
	confidence verdict.Confidence
	// severity is that of the verdict; "" is the rule's.
	severity verdict.Severity
	// says is a part of the evidence.
	says string
	// fix is what to change; "" is the rule's.
	fix string
}

// examples are those of each rule. Its test file enters them.
var examples = map[verdict.Kind][]example{}

func examplesOf(kind verdict.Kind, list ...example) struct{} {
	examples[kind] = list
	return struct{}{}
}

func TestEveryRuleRecognisesItsKindAndNothingElse(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	for _, rule := range verdict.Rules() {
		shown, alike := 0, 0
		for _, e := range examples[rule.Kind] {
			if e.instead == "" {
				shown++
			} else {
				alike++
			}
			t.Run(string(rule.Kind)+"/"+e.name, func(t *testing.T) {
				t.Parallel()
				judged(t, rule, e, schema.Validate)
			})
		}
		require.Positive(t, shown, "%s has no example", rule.Kind)
		if rule.Severity != "" {
			require.Positive(t, alike, "%s has no example of what only looks like it", rule.Kind)
		}
	}
}

func judged(t *testing.T, rule verdict.Rule, e example, validate func(any) error) {
	t.Helper()
	before := encode(t, e.subject)
	v := verdict.Judge(e.subject, verdict.Conditions{Over: e.over})
	require.Equal(t, before, encode(t, e.subject), "judging changes nothing")
	if e.instead != "" {
		rule, _ = verdict.Lookup(e.instead)
	}
	require.Equal(t, rule.Kind, v.Kind, "%+v", v)
	require.Equal(t, cmp.Or(e.severity, rule.Severity), v.Severity)
	require.Equal(t, cmp.Or(e.fix, rule.Fix), v.Fix)
	require.Equal(t, rule.Scenario, v.Scenario)
	if e.confidence != "" {
		require.Equal(t, e.confidence, v.Confidence)
	}
	require.NotEmpty(t, v.Facts)
	require.LessOrEqual(t, len(v.Facts), 5)
	said := ""
	for _, sentence := range verdict.Sentences(v) {
		require.Regexp(t, `^[^{}\[\]]+\.$`, sentence, "each gap is filled")
		said += sentence + "\n"
	}
	require.Contains(t, said, e.says)
	for _, a := range v.Alternatives {
		_, known := verdict.Lookup(a.Kind)
		require.True(t, known, a.Kind)
	}
	var document any
	require.NoError(t, json.Unmarshal(encode(t, v), &document))
	require.NoError(t, validate(document))
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// What follows makes subjects.

const (
	now  = time.Millisecond
	long = 100 * time.Second
)

// observed is a process with n samples, a second apart, of which everything is known
// that the kernel knows; each change is made to each sample.
func observed(n int, changes ...func(i int, s *series.Sample)) *series.Subject {
	subject := &series.Subject{Identity: series.Identity{Limits: socketstats.Limits{Descriptors: 1024, Ports: 28232}}}
	for i := range n {
		s := series.Sample{At: time.Duration(i) * time.Second, KernelConns: &series.ConnCounts{}}
		s.Client.Activity, s.Server.Activity = &socketstats.Activity{}, &socketstats.Activity{}
		for _, change := range changes {
			change(i, &s)
		}
		subject.Samples = append(subject.Samples, s)
	}
	return subject
}

// played is a client with counters and its server, each change made to each of n
// samples. The kernel's activity is not known.
func played(n int, changes ...func(i int, s *series.Sample)) *series.Subject {
	begin := func(_ int, s *series.Sample) {
		s.Client.Activity, s.Server.Activity = nil, nil
		s.Requests, s.Connections = &series.Requests{}, &series.ClientConns{}
		setReused(s, 0)
		set(&s.Server, socketstats.Listen, 1)
	}
	subject := observed(n, append([]func(int, *series.Sample){begin}, changes...)...)
	subject.Paired, subject.Limits = true, socketstats.Limits{}
	return subject
}

// counted is a client with counters whose kernel's activity is known: what was sent,
// answered, reused and opened by sample i, and how many connections are then open.
func counted(n int, at func(i int) (sent, ok, reused, opened, established int), changes ...func(i int, s *series.Sample)) *series.Subject {
	subject := observed(n, append([]func(int, *series.Sample){func(i int, s *series.Sample) {
		sent, ok, reused, opened, established := at(i)
		s.Requests = &series.Requests{Sent: int64(sent), OK: int64(ok), InFlight: int64(sent - ok)}
		s.Connections = &series.ClientConns{Opened: int64(opened)}
		setReused(s, reused)
		if ok > 0 {
			s.Latency = &series.Quantiles{Max: 100}
		}
		set(&s.Client, socketstats.Established, established)
		set(&s.Server, socketstats.Established, established)
		set(&s.Server, socketstats.Listen, 1)
	}}, changes...)...)
	subject.Paired = true
	return subject
}

// pooled is ten requests a second on a pool of ten connections, all answered.
func pooled(i int, s *series.Sample) {
	s.Requests.Sent, s.Requests.OK = int64(10*i), int64(10*i)
	setReused(s, max(0, 10*i-10))
	setAttempts(s, 10*i)
	s.Connections.Opened = int64(min(10, 10*i))
	set(&s.Client, socketstats.Established, min(10, 10*i))
	set(&s.Server, socketstats.Established, min(10, 10*i))
}

// fail turns n good responses into failed requests.
func fail(s *series.Sample, n int64) {
	s.Requests.OK -= n
	s.Requests.Failed += n
}

func setReused(s *series.Sample, n int)   { s.Connections.Reused = pointer(n) }
func setAttempts(s *series.Sample, n int) { s.Requests.Attempts = pointer(n) }

func pointer(n int) *int64 {
	to := int64(n)
	return &to
}

// came is n connections opened and closed, of which brief carried an exchange or two.
func came(n, brief int) *series.ConnCounts {
	return &series.ConnCounts{Opened: n, Closed: n, WithTCPInfo: n, ShortLived: brief}
}

// silent puts n connections into the class of those silent for d.
func silent(n int, d time.Duration) (s socketstats.Silence) {
	for i := range s {
		s[i] = n
		if s.AtLeast(d) == n {
			return s
		}
		s[i] = 0
	}
	return s
}

// set makes n more sockets of an end be in a state.
func set(e *series.End, state socketstats.State, n int) {
	e.Counts = e.Counts.Plus(in(state, n))
}

func in(state socketstats.State, n int) socketstats.Counts {
	var c socketstats.Counts
	for range n {
		c.Add(&socketstats.Socket{State: state})
	}
	return c
}

// open is a process of which nothing is known but how many connections are open at
// the client's end, a sample a second.
func open(counts []int) *series.Subject {
	s := &series.Subject{}
	for i, n := range counts {
		s.Samples = append(s.Samples, series.Sample{
			At:     time.Duration(i) * time.Second,
			Client: series.End{Counts: in(socketstats.Established, n)},
		})
	}
	return s
}

// shape makes n counts.
func shape(n int, at func(i int) float64) []int {
	counts := make([]int, n)
	for i := range counts {
		counts[i] = max(0, int(math.Round(at(i))))
	}
	return counts
}

func judge(s *series.Subject) verdict.Verdict { return verdict.Judge(s, verdict.Conditions{}) }
