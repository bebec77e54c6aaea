package scenario

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/metric"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func mustExpect(t testing.TB, text string) Expectation {
	t.Helper()
	e, err := ParseExpectation(text)
	require.NoError(t, err)
	return e
}

func TestExpectationIsReadWhole(t *testing.T) {
	tests := []struct {
		text              string
		metric, op, other string
		value             float64
	}{
		{"requests.ok == 0", "requests.ok", "==", "", 0},
		{"  requests.ok   >=\t1e3 ", "requests.ok", ">=", "", 1000},
		{"connections.opened == requests.sent", "connections.opened", "==", "requests.sent", 0},
		{"client.final.ESTABLISHED >= 100", "client.final.ESTABLISHED", ">=", "", 100},
		{"server.peak.total < 2.5", "server.peak.total", "<", "", 2.5},
		{"requests.errors.HTTP_503 > 5", "requests.errors.HTTP_503", ">", "", 5},
		{"latency_ms.p99 <= 22s", "latency_ms.p99", "<=", "", 22000},
		{"latency_ms.p50 != 1.5ms", "latency_ms.p50", "!=", "", 1.5},
		{"latency_ms.p50 <= latency_ms.max", "latency_ms.p50", "<=", "latency_ms.max", 0},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			e := mustExpect(t, test.text)
			require.Equal(t, test.metric, e.Metric)
			require.Equal(t, test.op, e.Op)
			require.Equal(t, test.other, e.Other)
			require.Equal(t, test.value, e.Value)
			require.Equal(t, e, mustExpect(t, e.String()), "what it prints, it reads")
		})
	}
}

func TestAMetricOfTheOtherSideIsNamedWithIt(t *testing.T) {
	e := mustExpect(t, "client.peak.TIME_WAIT > fixed.client.peak.TIME_WAIT")
	require.Equal(t, Fixed, e.OtherSide)
	require.Equal(t, "client.peak.TIME_WAIT", e.Other)
	require.Equal(t, e, mustExpect(t, e.String()))
	for _, text := range []string{"fixed.requests.ok == 1", "requests.ok == third.requests.ok", "requests.ok == fixed.latency_ms.p50", "requests.ok == fixed."} {
		_, err := ParseExpectation(text)
		require.Error(t, err, text)
	}
}

func TestVerdictIsExpectedInEitherForm(t *testing.T) {
	line := mustExpect(t, "verdict == request-stalled")
	s, err := Parse("my.yaml", []byte(strings.Replace(good, "requests.ok == 0", "{verdict: request-stalled}", 1)), []string{"my-incident"})
	require.NoError(t, err)
	require.Equal(t, line, s.Expect.Faulty[0])
	require.Equal(t, "verdict == request-stalled", line.String())

	hang := verdict.Verdict{Severity: verdict.Fault, Kind: line.Kind}
	churn := verdict.Verdict{Severity: verdict.Note, Kind: "connection-churn"}
	healthy := verdict.Verdict{Kind: verdict.Healthy}
	require.True(t, line.HoldsFor(hang.Kind, hang.Severity != ""))
	require.False(t, line.HoldsFor(healthy.Kind, healthy.Severity != ""))
	for _, of := range []verdict.Verdict{hang, churn} {
		require.True(t, mustExpect(t, "verdict == fault").HoldsFor(of.Kind, of.Severity != ""))
		require.False(t, mustExpect(t, "verdict != fault").HoldsFor(of.Kind, of.Severity != ""))
	}
	require.False(t, mustExpect(t, "verdict == fault").HoldsFor(healthy.Kind, healthy.Severity != ""))
	require.True(t, mustExpect(t, "verdict != fault").HoldsFor(healthy.Kind, healthy.Severity != ""))
	require.True(t, mustExpect(t, "verdict == healthy").HoldsFor(healthy.Kind, healthy.Severity != ""))
}

func TestEveryMetricCanBeExpected(t *testing.T) {
	for _, m := range metric.All() {
		right := "0"
		if m.Unit == metric.Milliseconds {
			right = "0s"
		}
		mustExpect(t, m.Name+" >= "+right)
	}
	for _, state := range socketstats.States() {
		mustExpect(t, "client.peak."+state.String()+" == server.final."+state.String())
	}
}

func TestHoldsComparesAsWritten(t *testing.T) {
	tests := []struct {
		op                    string
		below, equal, greater bool
	}{
		{"==", false, true, false},
		{"!=", true, false, true},
		{"<", true, false, false},
		{"<=", true, true, false},
		{">", false, false, true},
		{">=", false, true, true},
	}
	for _, test := range tests {
		t.Run(test.op, func(t *testing.T) {
			e := mustExpect(t, "requests.ok "+test.op+" 5")
			require.Equal(t, test.below, e.Holds(4, 5))
			require.Equal(t, test.equal, e.Holds(5, 5))
			require.Equal(t, test.greater, e.Holds(6, 5))
		})
	}
	require.Len(t, ops, len(tests))
}

func TestNothingHoldsOfAFigureThatIsMissing(t *testing.T) {
	for _, op := range []string{"==", "<", "<=", ">", ">="} {
		require.False(t, mustExpect(t, "requests.ok "+op+" 5").Holds(math.NaN(), 5), op)
	}
}

func TestStatesOfAnExpectation(t *testing.T) {
	for text, want := range map[string][]socketstats.State{
		"requests.ok == 0":                                  nil,
		"client.peak.total == 0":                            nil,
		"client.final.CLOSE_WAIT == 50":                     {socketstats.CloseWait},
		"connections.opened == server.peak.TIME_WAIT":       {socketstats.TimeWait},
		"client.peak.ESTABLISHED <= server.final.FIN_WAIT2": {socketstats.Established, socketstats.FinWait2},
	} {
		require.Equal(t, want, mustExpect(t, text).States(), text)
	}
}

func TestSpeedScalesTimesAndRates(t *testing.T) {
	for before, after := range map[string]string{
		"latency_ms.p99 <= 22s":            "latency_ms.p99 <= 2.2s",
		"latency_ms.p50 >= 55ms":           "latency_ms.p50 >= 5.5ms",
		"latency_ms.p50 <= latency_ms.p99": "latency_ms.p50 <= latency_ms.p99",
		"requests.ok == 50":                "requests.ok == 50",
		"growth_per_second <= 0.2":         "growth_per_second <= 2",
		"max_age_ms >= 3s":                 "max_age_ms >= 300ms",
	} {
		require.Equal(t, before, mustExpect(t, before).atSpeed(1).String())
		e := mustExpect(t, before).atSpeed(10)
		require.Equal(t, after, e.String())
		want := mustExpect(t, after)
		require.InDelta(t, want.Value, e.Value, 1e-9)
	}
}

func TestExpectationAsJSON(t *testing.T) {
	e := mustExpect(t, "latency_ms.p99 <= 22s")
	data, err := json.Marshal(e)
	require.NoError(t, err)
	require.JSONEq(t, `"latency_ms.p99 <= 22s"`, string(data))
	var back Expectation
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, e, back)
	require.EqualError(t, json.Unmarshal([]byte(`"requests.ok == many"`), &back), `"many" is not a number, a duration or a metric`)
	require.Equal(t, e, back, "a bad text leaves the expectation as it was")
}

func TestExpectOfEachSide(t *testing.T) {
	s := mustParse(t, good)
	require.Equal(t, []Side{Faulty, Fixed}, Sides())
	require.Equal(t, "requests.ok == 0", s.Expect.Of(Faulty)[0].String())
	require.Equal(t, "requests.ok == 10", s.Expect.Of(Fixed)[0].String())
}
