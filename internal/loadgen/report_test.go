package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/metric"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// The histograms keep three digits.
const precision = 0.001

func TestLatencyOfKnownValues(t *testing.T) {
	b := newCounters()
	require.Equal(t, &series.Quantiles{}, b.metrics().Latency, "without requests")
	for n := 1000; n >= 1; n-- {
		record(b.latency, time.Duration(n)*time.Millisecond)
	}
	got := b.metrics().Latency
	require.InEpsilon(t, 500, got.P50, precision)
	require.InEpsilon(t, 990, got.P99, precision)
	require.InEpsilon(t, 1000, got.Max, precision)
	require.Equal(t, &series.Quantiles{}, b.metrics().ScheduleLate, "the two histograms are not mixed up")
}

func TestLatencyOfOneValue(t *testing.T) {
	for _, d := range []time.Duration{time.Microsecond, 1500 * time.Microsecond, 20 * time.Second, time.Hour} {
		b := newCounters()
		record(b.latency, d)
		got := b.metrics().Latency
		want := d.Seconds() * 1000
		require.InEpsilon(t, want, got.P50, precision)
		require.InEpsilon(t, want, got.P99, precision)
		require.InEpsilon(t, want, got.Max, precision)
	}
}

func TestLatencyBeyondTheHistogramIsHeldToIt(t *testing.T) {
	b := newCounters()
	record(b.latency, 24*time.Hour)
	require.InEpsilon(t, time.Hour.Seconds()*1000, b.metrics().Latency.Max, precision)
	b = newCounters()
	record(b.latency, -time.Second) // the clock of a virtual machine
	record(b.latency, 0)
	require.InDelta(t, 0.001, b.metrics().Latency.Max, 1e-6)
}

func TestLatencyIsWhatTheCallTook(t *testing.T) {
	const delay = 30 * time.Millisecond
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(delay)
		answer(w, r)
	})
	caller := NewPlain(Target{URL: server.URL})
	t.Cleanup(caller.(*plain).http.CloseIdleConnections)
	before := time.Now()
	got := play(t, caller, make([]time.Duration, 10)).Latency
	took := time.Since(before).Seconds() * 1000
	require.GreaterOrEqual(t, got.P50, 30.0)
	require.LessOrEqual(t, got.P50, got.P99)
	require.LessOrEqual(t, got.P99, got.Max)
	require.LessOrEqual(t, got.Max, took*(1+precision))
}

func TestFailedRequestsHaveALatencyToo(t *testing.T) {
	const delay = 20 * time.Millisecond
	failing := CallerFunc(func(context.Context) error {
		time.Sleep(delay)
		return errors.New("no")
	})
	require.GreaterOrEqual(t, play(t, failing, make([]time.Duration, 3)).Latency.P50, 20.0)
}

func TestPlainClientWantsAWholeGoodAnswer(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"good", answer, ""},
		{"created", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }, ""},
		{"not found", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "HTTP_404"},
		{"not modified", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, "HTTP_304"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusOK)
		}, "ErrUnexpectedEOF"},
		{"never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "timeout"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			target := Target{URL: serve(t, test.answer).URL}
			if test.want == "timeout" {
				target.Timeout = 50 * time.Millisecond
			}
			caller := NewPlain(target)
			t.Cleanup(caller.(*plain).http.CloseIdleConnections)
			err := caller.Call(context.Background())
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			require.Equal(t, test.want, ErrorName(err))
		})
	}
}

// A client of ours counts all that can be counted, from the first report on.
func TestReportHasEveryFigure(t *testing.T) {
	data, err := json.Marshal(Begin(nil, nil, 0).Report())
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(data, &fields))
	require.ElementsMatch(t, []string{
		"at_ns", "requests", "connections", "process", "latency_ms", "schedule_late_ms", "done", "final",
	}, slices.Collect(maps.Keys(fields)))
	begun := Begin(nil, nil, 0).Report()
	answered := play(t, get(&http.Client{Transport: transport(t, &http.Transport{})}, serve(t, answer).URL), make([]time.Duration, 1))
	subject := &series.Subject{Samples: []series.Sample{{ClientMetrics: begun.ClientMetrics}}, Final: &series.Final{ClientMetrics: answered.ClientMetrics}}
	for _, m := range metric.All() {
		section, _, _ := strings.Cut(m.Name, ".")
		if strings.HasPrefix(m.Name, "requests.busiest_") ||
			slices.Contains([]string{"max_age_ms", "kernel_connections", "growth_per_second", "server_process"}, section) {
			continue // sockets and servers are not the client's to see
		}
		_, known := m.Get(subject)
		require.True(t, known, m.Name)
	}
}

func TestFailedRequestsAreCountedByWhatFailedThem(t *testing.T) {
	failures := []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, os.ErrDeadlineExceeded, StatusError(503)}
	var next atomic.Int64
	r := play(t, CallerFunc(func(context.Context) error { return failures[next.Add(1)-1] }), make([]time.Duration, len(failures)))
	require.EqualValues(t, 7, r.Requests.Failed)
	require.EqualValues(t, 5, r.Requests.CutOff)
	require.EqualValues(t, 1, r.Requests.TimedOut)
}

func TestTargetHasTheSettingsOfTheScript(t *testing.T) {
	got := NewTarget(At{Addr: "127.0.0.1:8080"}, scenario.Client{
		MaxIdleConns: 5, MaxIdleConnsPerHost: 2, IdleConnTimeout: scenario.Duration(30 * time.Second),
		Timeout: scenario.Duration(time.Second), PoolSize: 7,
	}, 4)
	require.Equal(t, Target{
		URL: "http://127.0.0.1:8080/", Addr: "127.0.0.1:8080",
		MaxIdleConns: 5, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, Timeout: time.Second, PoolSize: 7,
		Speed: 4,
	}, got)
	require.Equal(t, 500*time.Millisecond, got.Scaled(2*time.Second))
	require.Equal(t, 2*time.Second, Target{}.Scaled(2*time.Second))
}

// valued is a caller with a number of its own.
type valued struct{ CallerFunc }

func (valued) Values() map[string]float64 { return map[string]float64{"idle": 2} }

func TestReportHasWhatTheCodeSaysOfItself(t *testing.T) {
	require.Equal(t, map[string]float64{"idle": 2}, Begin(valued{}, nil, 0).Report().Values)
	m, err := metric.Lookup("values.idle")
	require.NoError(t, err)
	got, known := m.Get(&series.Subject{Final: &series.Final{ClientMetrics: Begin(valued{}, nil, 0).Report().ClientMetrics}})
	require.True(t, known)
	require.InDelta(t, 2, got, 0)
	_, err = metric.Lookup("values.Not-This")
	require.Error(t, err)
}
