package fleet_test

import (
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/fleet"
)

// answers is a transport on which everybody gives the same answer.
type answers struct {
	status int
	text   string
}

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.text)), Request: r,
	}, nil
}

// sound checks what holds of every fleet.
func sound(t *testing.T, f *fleet.Fleet, text string) {
	t.Helper()
	require.LessOrEqual(t, f.Missing(), len(f.Nodes))
	require.GreaterOrEqual(t, f.Unobserved(), 0)
	list := f.Processes()
	require.LessOrEqual(t, len(list), strings.Count(text, "process"), "each is in the answer")
	for _, p := range list {
		require.GreaterOrEqual(t, p.Open(), 0)
		require.GreaterOrEqual(t, p.Left, time.Duration(0))
		require.False(t, math.IsNaN(p.PerSecond) || math.IsInf(p.PerSecond, 0), "JSON has no such number")
	}
	for _, n := range f.Nodes {
		require.True(t, n.Silent == "" || len(n.Processes) == 0, "one that is silent has none")
	}
}

// Whatever exporters answer, each is a node, and no number is one that cannot be.
func FuzzExporter(f *testing.F) {
	f.Add(200, page("shop", 7, `socketlab_exhaustion_seconds{pid="7",process="shop",resource="descriptors"} 90`+"\n"))
	f.Add(200, page("shop", 7, `socketlab_sockets{pid="7",process="shop",state="ESTABLISHED"} NaN`+"\nsocketlab_exhaustion_seconds{process=\"shop\"} -Inf\n"))
	f.Add(200, "# TYPE socketlab_sockets histogram\nsocketlab_sockets_bucket{process=\"a\",le=\"+Inf\"} 1\n")
	f.Add(503, "no\x1b[31m\n")
	f.Fuzz(func(t *testing.T, status int, text string) {
		c := &fleet.Client{HTTP: &http.Client{Transport: answers{status, text}}}
		all, err := c.Exporters(t.Context(), []string{"http://a/metrics", "http://b:1/metrics"})
		require.NoError(t, err)
		require.Len(t, all.Nodes, 2)
		sound(t, all, text+text)
	})
}

// Whatever a Prometheus answers, it is a fleet, or an error that names it.
func FuzzPrometheus(f *testing.F) {
	const series = `{"status":"success","data":{"result":[{"metric":{"__name__":"up","instance":"a"},"value":[1e9,"1"]},` +
		`{"metric":{"__name__":"socketlab_sockets","instance":"a","process":"shop","pid":"7","state":"CLOSE_WAIT"},"value":[1e9,"7"]},` +
		`{"metric":{"__name__":"socketlab_last_sample_timestamp_seconds","instance":"a"},"value":[1e9,"9e9"]}]}}`
	f.Add(series)
	f.Add(strings.Replace(series, `"7"]`, `"-1e300"]`, 1))
	f.Add(`{"status":"success","data":{"result":[{"values":[[1e308,"NaN"],[0,"+Inf"]]}]}}`)
	f.Add(`{"status":"success","data":{"result":[{"value":[]}]}}`)
	f.Add(`{"status":"error","error":"bad"}`)
	f.Fuzz(func(t *testing.T, text string) {
		c := &fleet.Client{HTTP: &http.Client{Transport: answers{http.StatusOK, text}}}
		all, err := c.Prometheus(t.Context(), "http://prometheus", "sockwatch")
		if err != nil {
			require.ErrorContains(t, err, "ask Prometheus")
		} else {
			require.NotEmpty(t, all.Nodes)
			// A key of JSON may be written in many ways.
			sound(t, all, strings.Repeat("process", len(text)))
		}
		scraped, err := c.Scrapes(t.Context(), "http://prometheus", "up", 1)
		for _, s := range scraped {
			require.NoError(t, err)
			require.NotEmpty(t, s.Points)
		}
	})
}
