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

	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func page(t *testing.T) *Server {
	t.Helper()
	s, err := Start(Default)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// header begins a run of a scenario whose faulty side keeps a connection for each
// request, and sample is its i-th moment.
func header() series.Event { return rendertest.Run(0, rendertest.Sides()...)[0] }

func sample(i int) series.Event {
	n := 2 * (i + 1)
	side := func(id string, opened, timeWait int) series.SubjectSample {
		return series.SubjectSample{ID: id, Sample: series.Sample{
			Client: series.End{Counts: rendertest.Counts(opened, 0, timeWait)}, ClientMetrics: rendertest.Metrics(n, opened),
		}}
	}
	return series.Event{Moment: &series.Moment{
		At: time.Duration(i) * time.Second, Subjects: []series.SubjectSample{side("faulty", n, i/10), side("fixed", 2, 0)},
	}}
}

// event is one that a viewer was sent.
type event struct {
	kind, id string
	data     struct {
		Title    string
		Length   time.Duration `json:"length_ns"`
		Snapshot *snapshot
		Points   []counted
	}
}

// counted is a point as a viewer reads it: sockets by end, subject and state.
type counted struct {
	At     time.Duration `json:"at_ns"`
	Counts map[string]map[string]map[string]int
}

// viewer reads a stream.
type viewer struct {
	t    *testing.T
	body *bufio.Reader
	stop func()
	ends *time.Timer // what is waited for gets a minute
}

func look(t *testing.T, s *Server, last string) *viewer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	ends := time.AfterFunc(time.Minute, cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"events", nil)
	require.NoError(t, err)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := (&http.Transport{}).RoundTrip(req)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	return &viewer{t, bufio.NewReader(resp.Body), cancel, ends}
}

// next is the next begin or more; nil when the stream has ended.
func (v *viewer) next() *event {
	v.t.Helper()
	v.ends.Reset(time.Minute)
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
func (v *viewer) until(n int) ([]counted, *event) {
	v.t.Helper()
	var points []counted
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

// Of any number of subjects the page shows what every other face does.
func TestNumbersAreThoseOfTheSnapshot(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]series.Event{
		"a run of one side":    rendertest.Ended(rendertest.Run(58, "faulty")),
		"a run of two sides":   rendertest.Ended(rendertest.Run(58, rendertest.Sides()...)),
		"a run of five sides":  rendertest.Ended(rendertest.Run(58, "faulty", "b", "c", "d", "e")),
		"a watch of one":       rendertest.Watch(40, 1),
		"a watch of processes": rendertest.Watch(40, 5),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, live, n := page(t), render.Live{}, 0
			for _, e := range events {
				live.Add(e)
				s.Show(e)
				if e.Moment != nil {
					n++
				}
			}
			s.Finish()
			live.Add(series.Event{End: &series.Ending{Duration: live.Observation().Duration}})
			points, last := look(t, s, "").until(n)
			require.Equal(t, "client", last.data.Snapshot.End)
			require.Len(t, last.data.Snapshot.Ends, 2)
			for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
				want, got := live.Snapshot(end), last.data.Snapshot.Ends[end.String()]
				require.Len(t, got.Panels, len(want.Panels))
				for _, shown := range got.Panels {
					p := want.Panel(shown.ID)
					for i, at := range p.Points {
						for k, n := range at.Counts {
							require.Equal(t, n, points[i].Counts[end.String()][p.ID][p.States[k].Name])
						}
						require.Equal(t, at.At, points[i].At)
					}
					p.Points = nil
					require.Equal(t, *p, shown.Panel)
					require.Equal(t, p.Headline, shown.Headline)
					require.Equal(t, verdict.Sentences(p.Verdict), shown.Sentences)
				}
				want.Panels, got.Snapshot.Panels = nil, nil
				require.Equal(t, want, got.Snapshot)
			}
		})
	}
}

func TestLateVisitorHasTheWholePast(t *testing.T) {
	t.Parallel()
	s := page(t)
	early := look(t, s, "")
	s.Show(header())
	require.Equal(t, "A new transport for each request", early.next().data.Title)
	for i := range 20 {
		s.Show(sample(i))
	}
	fromStart, _ := early.until(20)
	late := look(t, s, "")
	require.Equal(t, "begin", late.next().kind)
	points, _ := late.until(20)
	require.Equal(t, fromStart, points)

	// Of a second run the first's points are gone, for both.
	s.Show(header())
	s.Show(sample(0))
	early.untilBegin()
	points, _ = early.until(1)
	require.Len(t, points, 1)
}

func TestVisitorWhoComesBackMissesNothingAndGetsNothingTwice(t *testing.T) {
	t.Parallel()
	s := page(t)
	s.Show(header())
	for i := range 10 {
		s.Show(sample(i))
	}
	v := look(t, s, "")
	had, last := v.until(10)
	v.stop()
	for i := range 10 {
		s.Show(sample(10 + i))
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
	require.True(t, e.data.Snapshot.Ends["client"].Over)

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
		s.feed.extend([]byte("null"), []point{{data: big}}, 0)
		_, _ = v.until(1)
	}
	require.NoError(t, s.Close())
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
	s.Show(header())
	const samples = 400
	for i := range samples {
		s.Show(sample(i)) // while none of them reads
	}
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
	s.Show(header())
	s.Show(sample(0))
	_, _ = v.until(1)
	s.Show(sample(1))
	require.NoError(t, s.Close())
	var last *event
	for e := v.next(); e != nil; e = v.next() {
		last = e
	}
	require.NotNil(t, last)
	require.True(t, last.data.Snapshot.Ends["client"].Over)
	_, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port()))
	require.Error(t, err)
}
