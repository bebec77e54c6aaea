package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/loadgen"
	"socketlab/internal/verdict"
)

func sweepOf(points ...SweepPoint) Sweep {
	return Sweep{
		Scenario: "pool-undersized", Title: "T", Setting: "pool_size", Speed: 1, Seed: 1,
		PerSecond: 100, LatencyMS: 100, UnderWay: 10, Points: points,
	}
}

func sweepPoint(value int, p99 float64, waiting int64) SweepPoint {
	return SweepPoint{
		Value: value, Requests: loadgen.Requests{OK: 300 - waiting, InFlight: waiting, Errors: map[string]int64{}},
		Connections: loadgen.Connections{Opened: int64(min(value, 10))},
		LatencyMS:   loadgen.Latency{P50: p99 / 2, P99: p99}, Verdict: verdict.Healthy,
	}
}

func TestKneeIsWhereLatencyStaysLow(t *testing.T) {
	for name, test := range map[string]struct {
		points []SweepPoint
		knee   int
		found  bool
	}{
		"falls and stays":       {[]SweepPoint{sweepPoint(4, 2000, 140), sweepPoint(9, 430, 0), sweepPoint(10, 116, 0), sweepPoint(16, 101, 0)}, 10, true},
		"all the same":          {[]SweepPoint{sweepPoint(4, 101, 0), sweepPoint(9, 100, 0)}, 4, true},
		"rises again":           {[]SweepPoint{sweepPoint(4, 100, 0), sweepPoint(9, 300, 0)}, 0, false},
		"fast, but others wait": {[]SweepPoint{sweepPoint(4, 50, 10), sweepPoint(9, 100, 0)}, 9, true},
		"never enough":          {[]SweepPoint{sweepPoint(4, 2000, 140), sweepPoint(5, 1900, 100)}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			knee, found := sweepOf(test.points...).Measured()
			require.Equal(t, test.found, found)
			require.Equal(t, test.knee, knee)
		})
	}
}

func TestSweepIsWritten(t *testing.T) {
	s := sweepOf(sweepPoint(4, 2000, 140), sweepPoint(10, 116, 0), sweepPoint(16, 101, 0))
	var out bytes.Buffer
	require.NoError(t, WriteSweep(&out, "table", s))
	require.Contains(t, out.String(), "predicted knee  10: 100 requests a second x 100ms = 10 under way (Little's law)\n")
	require.Contains(t, out.String(), "measured knee   10: ")
	require.Regexp(t, `(?m)^ {7}10  #+ 116ms +o+ 10 +<- predicted, measured$`, out.String())
	out.Reset()
	require.NoError(t, WriteSweep(&out, "json", s))
	var back map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	require.Equal(t, "sockwatch.sweep/v1", back["schema"])
	require.InDelta(t, 10, back["predicted_knee"], 0)
	require.InDelta(t, 10, back["measured_knee"], 0)
	require.Len(t, back["points"], 3)

	out.Reset()
	s.UnderWay = 0
	s.Points = s.Points[:1]
	require.NoError(t, WriteSweep(&out, "table", s))
	require.Contains(t, out.String(), "predicted knee  none")
	require.Contains(t, out.String(), "measured knee   none")
}
