package render_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

func sweepOf(points ...render.SweepPoint) render.Sweep {
	return render.Sweep{
		Scenario: "pool-undersized", Title: "T", Setting: "pool_size", Speed: 1, Seed: 1,
		PerSecond: 100, LatencyMS: 100, UnderWay: 10, Points: points,
	}
}

func sweepPoint(value int, p99 float64, waiting int64) render.SweepPoint {
	s := &series.Subject{Identity: series.Identity{ID: "fixed"}, Samples: []series.Sample{{ClientMetrics: series.ClientMetrics{
		Requests:    &series.Requests{OK: 300 - waiting, InFlight: waiting},
		Connections: &series.ClientConns{Opened: int64(min(value, 10))},
		Latency:     &series.Quantiles{P50: p99 / 2, P99: p99},
	}}}}
	o := &render.Observed{
		Observation: &series.Observation{Subjects: []*series.Subject{s}},
		Result:      expect.Result{Verdicts: map[string]verdict.Verdict{"fixed": {Kind: verdict.Healthy}}},
	}
	return render.SweepPoint{Value: scenario.WholeNumber(value), Run: o, Subject: s}
}

func TestKneeIsWhereLatencyStaysLow(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		points []render.SweepPoint
		knee   any
	}{
		"falls and stays":       {[]render.SweepPoint{sweepPoint(4, 2000, 140), sweepPoint(9, 430, 0), sweepPoint(10, 116, 0), sweepPoint(16, 101, 0)}, 10.0},
		"all the same":          {[]render.SweepPoint{sweepPoint(4, 101, 0), sweepPoint(9, 100, 0)}, 4.0},
		"rises again":           {[]render.SweepPoint{sweepPoint(4, 100, 0), sweepPoint(9, 300, 0)}, nil},
		"fast, but others wait": {[]render.SweepPoint{sweepPoint(4, 50, 10), sweepPoint(9, 100, 0)}, 9.0},
		"never enough":          {[]render.SweepPoint{sweepPoint(4, 2000, 140), sweepPoint(5, 1900, 100)}, nil},
	} {
		s := sweepOf(test.points...)
		var of map[string]any
		require.NoError(t, json.Unmarshal([]byte(written(t, "json", s.Document())), &of))
		require.Equal(t, test.knee, of["measured_knee"], name)
	}
}

func TestSweepIsWrittenInEveryFormat(t *testing.T) {
	t.Parallel()
	s := sweepOf(sweepPoint(4, 2000, 140), sweepPoint(10, 116, 0), sweepPoint(16, 101, 0))
	d := s.Document()
	require.Equal(t, []string{"table", "json", "csv", "markdown", "html"}, render.Formats(d.Has()))
	text := written(t, "table", d)
	require.Contains(t, text, "predicted knee  10: 100 requests a second x 100ms = 10 under way (Little's law)\n")
	require.Contains(t, text, "measured knee   10: ")
	require.Regexp(t, `(?m)^ {7}10  #+ 116ms +o+ 10 +<- predicted, measured$`, text)
	require.Regexp(t, `(?m)^│ +4 │ +1s │ +2s │ +160 │ +0 │ +140 │ +4 │ healthy │$`, text)
	for _, format := range []string{"markdown", "html"} {
		require.Contains(t, written(t, format, d), "measured knee")
	}
	require.Contains(t, written(t, "csv", d), "pool-undersized,pool_size 10,connections.opened,10,count\n")
	var back struct {
		Schema string
		Knee   int `json:"predicted_knee"`
		Points []struct {
			Value    int
			Requests struct{ OK int }
			Verdict  verdict.Verdict
		}
	}
	require.NoError(t, json.Unmarshal([]byte(written(t, "json", d)), &back))
	require.Equal(t, "sockwatch.sweep/v2", back.Schema)
	require.Equal(t, 10, back.Knee)
	require.Equal(t, 300, back.Points[2].Requests.OK)
	require.Equal(t, verdict.Healthy, back.Points[2].Verdict.Kind)

	s.UnderWay, s.Points = 0, s.Points[:1]
	text = written(t, "table", s.Document())
	require.Contains(t, text, "predicted knee  none")
	require.Contains(t, text, "measured knee   none")
}
