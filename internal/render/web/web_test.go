package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/render"
	"socketlab/internal/socketstats"
)

func page(t *testing.T) *Server {
	t.Helper()
	s, err := Start(Default)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func counts(established, timeWait int) socketstats.Counts {
	var c socketstats.Counts
	for range established {
		c.Add(socketstats.Established)
	}
	for range timeWait {
		c.Add(socketstats.TimeWait)
	}
	return c
}

func beginning() lab.Event {
	return lab.Event{Begin: &lab.Begin{Scenario: "body-not-closed", Title: "It climbs", Speed: 1, Started: time.Unix(1, 0)}}
}

func sample(i int) lab.Event {
	n := int64(2 * (i + 1))
	report := func(opened int64) loadgen.Report {
		return loadgen.Report{
			Requests: loadgen.Requests{Sent: n, OK: n}, Connections: loadgen.Connections{Opened: opened, Reused: n - opened},
		}
	}
	return lab.Event{Sample: &lab.Sample{
		At:     time.Duration(i) * time.Second,
		Faulty: lab.SideSample{Client: counts(int(n), i/10), Report: report(n)},
		Fixed:  lab.SideSample{Client: counts(2, 0), Report: report(2)},
	}}
}

// event is one that a viewer was sent.
type event struct {
	kind, id string
	data     struct {
		Title    string
		Snapshot *snapshot
		Points   []point
	}
}

// viewer reads a stream.
type viewer struct {
	t    *testing.T
	body *bufio.Reader
	stop func()
}

func look(t *testing.T, s *Server, last string) *viewer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"events", nil)
	require.NoError(t, err)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := (&http.Transport{}).RoundTrip(req)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	return &viewer{t, bufio.NewReader(resp.Body), cancel}
}

// next is the next begin or more; nil when the stream has ended.
func (v *viewer) next() *event {
	v.t.Helper()
	e := &event{}
	for {
		text, err := v.body.ReadString('\n')
		if err != nil {
			return nil
		}
		name, value, _ := strings.Cut(strings.TrimSpace(text), ": ")
		switch name {
		case "event":
			e.kind = value
		case "id":
			e.id = value
		case "data":
			if e.kind == "begin" || e.kind == "more" {
				require.NoError(v.t, json.Unmarshal([]byte(value), &e.data))
				return e
			}
		}
	}
}

// until reads on to the snapshot with n points, and returns them and the last event.
func (v *viewer) until(n int) ([]point, *event) {
	v.t.Helper()
	var points []point
	for {
		e := v.next()
		require.NotNil(v.t, e, "the stream ended after %d points", len(points))
		points = append(points, e.data.Points...)
		if len(points) >= n && e.kind == "more" {
			return points, e
		}
	}
}

// untilBegin reads on to the next run.
func (v *viewer) untilBegin() {
	v.t.Helper()
	for e := v.next(); ; e = v.next() {
		require.NotNil(v.t, e, "the stream ended")
		if e.kind == "begin" {
			return
		}
	}
}

func TestNumbersAreThoseOfTheView(t *testing.T) {
	t.Parallel()
	s, run := page(t), &lab.Run{}
	for i := range 31 {
		e := beginning()
		if i > 0 {
			e = sample(i - 1)
		}
		run.Add(e)
		s.Run(e)
	}
	points, last := look(t, s, "").until(30)
	require.Equal(t, "client", last.data.Snapshot.End)
	require.Len(t, last.data.Snapshot.Ends, 2)
	for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
		want, got := render.Of(run, end, false), last.data.Snapshot.Ends[end.String()]
		require.Equal(t, want.Now, got.Now)
		require.Equal(t, want.Scale, got.Scale)
		for i, side := range []render.Side{want.Faulty, want.Fixed} {
			for j, at := range side.Points {
				for k, n := range at.Counts {
					require.Equal(t, n, points[j].Counts[end.String()][string(side.Side)][side.States[k].Name])
				}
				require.Equal(t, at.At, points[j].At)
			}
			side.Points = nil
			require.Equal(t, side, got.Panels[i].Side)
		}
	}
}

func TestLateVisitorHasTheWholePast(t *testing.T) {
	t.Parallel()
	s := page(t)
	early := look(t, s, "")
	s.Run(beginning())
	require.Equal(t, "It climbs", early.next().data.Title)
	for i := range 20 {
		s.Run(sample(i))
	}
	fromStart, _ := early.until(20)
	late := look(t, s, "")
	begin := late.next()
	require.Equal(t, "begin", begin.kind)
	points, _ := late.until(20)
	require.Equal(t, fromStart, points)

	// Of a second run the first's points are gone, for both.
	s.Run(beginning())
	s.Run(sample(0))
	early.untilBegin()
	points, _ = early.until(1)
	require.Len(t, points, 1)
}

func TestVisitorWhoComesBackMissesNothingAndGetsNothingTwice(t *testing.T) {
	t.Parallel()
	s := page(t)
	s.Run(beginning())
	for i := range 10 {
		s.Run(sample(i))
	}
	v := look(t, s, "")
	had, last := v.until(10)
	v.stop()
	for i := range 10 {
		s.Run(sample(10 + i))
	}
	s.Finish()
	back := look(t, s, last.id)
	e := back.next()
	require.Equal(t, "more", e.kind, "no second beginning")
	all := append(had, e.data.Points...)
	require.Len(t, all, 20)
	for i, p := range all {
		require.Equal(t, time.Duration(i)*time.Second, p.At)
	}
	require.True(t, e.data.Snapshot.Over)

	// The ids of a server before this one, and what is no id, mean the beginning.
	for _, id := range []string{"ABCDEFGH.1.5.5", "nonsense", s.feed.name + ".1.-4.0", s.feed.name + ".1.99.0"} {
		require.Equal(t, "begin", look(t, s, id).next().kind, id)
	}
}

// A viewer that reads nothing takes nobody's time: not another viewer's, not that
// of the end.
func TestStuckViewerHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s, err := Start(Default)
	require.NoError(t, err)
	stuck, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port()))
	require.NoError(t, err)
	defer stuck.Close()
	require.NoError(t, stuck.(*net.TCPConn).SetReadBuffer(64<<10))
	fmt.Fprintf(stuck, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")

	// More than the kernel takes for a reader that reads nothing.
	const size, times = 1 << 20, 20
	v := look(t, s, "")
	s.feed.open([]byte("{}"))
	big := fmt.Appendf(nil, `{"at_ns":1,"counts":{%q:{}}}`, strings.Repeat("x", size))
	for range times {
		s.feed.extend([]byte("null"), [][]byte{big}, 0)
		_, _ = v.until(1)
	}
	began := time.Now()
	require.NoError(t, s.Close())
	require.Less(t, time.Since(began), 5*time.Second)
	n, _ := io.Copy(io.Discard, stuck)
	require.Less(t, n, int64(size*times), "it was not stuck")
}

func TestThirtyViewersMissNothing(t *testing.T) {
	t.Parallel()
	s := page(t)
	viewers := make([]*viewer, 30)
	for i := range viewers {
		viewers[i] = look(t, s, "")
	}
	s.Run(beginning())
	const samples = 400
	began := time.Now()
	for i := range samples {
		s.Run(sample(i))
	}
	require.Less(t, time.Since(began), time.Second, "the run was held up")
	for _, v := range viewers {
		points, _ := v.until(samples)
		require.Len(t, points, samples)
	}
}

func TestShutdownEndsOpenStreamsWithTheLastSnapshot(t *testing.T) {
	t.Parallel()
	s, err := Start(Default)
	require.NoError(t, err)
	v := look(t, s, "")
	s.Run(beginning())
	s.Run(sample(0))
	_, _ = v.until(1)
	s.Run(sample(1))
	began := time.Now()
	require.NoError(t, s.Close())
	require.Less(t, time.Since(began), 2*time.Second, "it waited for a stream")
	var last *event
	for e := v.next(); e != nil; e = v.next() {
		last = e
	}
	require.NotNil(t, last)
	require.True(t, last.data.Snapshot.Over)
	_, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port()))
	require.Error(t, err)
}
