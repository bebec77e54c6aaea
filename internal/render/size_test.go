package render_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
	"socketlab/internal/sizing"
)

func TestSizeIsWrittenInEveryFormat(t *testing.T) {
	t.Parallel()
	s := &render.Size{
		Load:  sizing.Load{PerSecond: 100, Latency: 100 * time.Millisecond, Burst: 5, Spare: 0.2},
		Taken: 5 * time.Second,
		Pools: []render.SizePool{
			{
				Pool: sizing.Pool{Name: "too small", Connections: 5}, Predicted: sizing.Result{P50MS: 1300, P99MS: 2500, Sockets: 5, Answered: 246, InFlight: 159},
				Measured: &sizing.Result{P50MS: 1354, P99MS: 2617, Sockets: 5, Answered: 239, InFlight: 166}, LateMS: 60,
			},
			{Pool: sizing.Pool{Name: "right", Connections: 18}, Predicted: sizing.Result{P50MS: 100, P99MS: 100, Sockets: 15, Answered: 405}},
		},
	}
	d := s.Document()
	require.Equal(t, []string{"table", "json", "csv", "markdown", "html"}, render.Formats(d.Has()))
	text := written(t, "table", d)
	for _, line := range []string{
		"A pool of 18 connections\n",
		"under way    100 requests a second x 100ms = 10 at a time (Little's law)\n",
		"burst        5 more at one moment\n",
		"connections  (10 + 5) + 20% spare = 18\n",
		"│ 5, too small │ measured  │ 1.354s │ 2.617s │       5 │      239 │       166 │\n",
		"│ 18, right    │ predicted │  100ms │  100ms │      15 │      405 │         0 │\n",
		"too small  5 connections can serve 50 requests a second: the queue grows by 50\n",
		"in 105ms (5 x 5s / 239).\n",
		"late (p99)",
	} {
		require.Contains(t, text, line)
	}
	require.Contains(t, written(t, "csv", d), "too small,5,measured,1354,2617,5,239,166\n")
	require.Contains(t, written(t, "html", d), "too small")
	var back struct {
		Schema      string
		Connections int
		Pools       []struct {
			Name      string
			Predicted struct {
				Latency struct{ P99 float64 } `json:"latency_ms"`
			}
			Measured *struct{ Answered int }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(written(t, "json", d)), &back))
	require.Equal(t, "sockwatch.size/v1", back.Schema)
	require.Equal(t, 18, back.Connections)
	require.Equal(t, 239, back.Pools[0].Measured.Answered)
	require.Equal(t, 100.0, back.Pools[1].Predicted.Latency.P99)
	require.Nil(t, back.Pools[1].Measured)
}
