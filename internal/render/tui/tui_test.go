package tui

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

const script = `
id: test
title: a title
fault: {kind: connection-churn, fix: f}
load: [{rate: 1, for: 130s}]
expect: {faulty: [requests.sent == 10], fixed: [requests.sent == 10]}
`

func begin() series.Event {
	return series.Event{Header: &series.Header{
		Title: "a title", Length: 13 * time.Second, Scenario: &series.Scenario{ID: "test", Script: script, Speed: 10},
		Subjects: []series.Identity{
			{ID: "faulty", Name: "faulty", Paired: true, Endpoints: &series.Endpoints{Server: "127.0.0.1:4001", ServerPID: 1, ClientPID: 2, LeftBehind: 3}},
			{ID: "fixed", Name: "fixed", Paired: true, Endpoints: &series.Endpoints{Server: "127.0.0.1:4002", ServerPID: 3, ClientPID: 4}},
		},
	}}
}

func sample(at time.Duration, faulty, fixed int) series.Event {
	side := func(id string, n int) series.SubjectSample {
		s := series.SubjectSample{ID: id}
		s.Client.Counts, s.Server.Counts = rendertest.Counts(n, 0, 0), rendertest.Counts(n, 0, 0)
		s.Connections = &series.ClientConns{Opened: int64(n), Reused: new(int64)}
		s.Requests = &series.Requests{Sent: int64(n), OK: int64(n)}
		return s
	}
	return series.Event{Moment: &series.Moment{At: at, Subjects: []series.SubjectSample{side("faulty", faulty), side("fixed", fixed)}}}
}

func TestOffATerminalThereIsALineForEachSample(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := Plain(&out, false)
	show(begin())
	show(sample(1200*time.Millisecond, 14, 2))
	show(sample(2*time.Second, 0, 2))
	require.Equal(t, `test: a title (speed 10, 13s)
  faulty server 127.0.0.1:4001 (process 1), client process 2: ss -tan '( sport = :4001 or dport = :4001 )'
         not counted: 3 sockets that earlier connections left on this port (for exact TIME_WAIT, wait a minute)
  fixed  server 127.0.0.1:4002 (process 3), client process 4: ss -tan '( sport = :4002 or dport = :4002 )'
   1.2s  faulty: opened 14, client 14 ESTABLISHED  |  fixed: opened 2, client 2 ESTABLISHED
   2.0s  faulty: opened 0, client none  |  fixed: opened 2, client 2 ESTABLISHED
`, out.String())
}

func TestOfAComparisonThereIsALineASecond(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show, header := Plain(&out, false), begin()
	header.Header.Scenario, header.Header.Commands = nil, &series.Commands{}
	show(header)
	opening := strings.Count(out.String(), "\n")
	for i := range 31 {
		show(sample(time.Duration(i+1)*100*time.Millisecond, i, 2))
	}
	require.Equal(t, 4, strings.Count(out.String(), "\n")-opening, "%s", out.String())
	require.Contains(t, out.String(), "  2.1s  faulty: opened 20,")
}

func TestPanelsAreAlignedWhateverTheirNames(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := Plain(&out, true)
	e := begin()
	e.Header.Subjects[0].Name, e.Header.Subjects[1].Name = "starter", "yours"
	show(e)
	show(sample(time.Second, 40, 2))
	require.Contains(t, out.String(), "\nstarter     40 held")
	require.Contains(t, out.String(), "\nyours        2 held")
}

func TestOnASmallTerminalTheTableIsDrawnOverItself(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := Plain(&out, true)
	show(begin())
	require.Contains(t, out.String(), "process 1")
	out.Reset()
	show(sample(time.Second, 40, 2))
	first := out.String()
	require.NotRegexp(t, `\x1b\[\d+A`, first, "nothing to go up to yet")
	for _, line := range []string{
		`00:01 of 00:13, .*`, `.*the faulty side holds 40 sockets.*`,
		`faulty     40 held  flat             ` + strings.Repeat("#", 27),
		`fixed       2 held  flat             #`, // the same scale on both sides
		` +faulty +fixed`, `client ESTABLISHED +40 +2`, `server ESTABLISHED +40 +2`, `opened +40 +2`, `reused +0 +0`, `ok +40 +2`,
	} {
		require.Regexp(t, `(?m)^`+line+`\x1b\[K$`, first)
	}
	lines := strings.Count(first, "\n")
	out.Reset()
	end := sample(2*time.Second, 20, 2)
	show(end) // drawn or not: that depends on what the first snapshot cost
	out.Reset()
	show(rendertest.Ended([]series.Event{end})[1])
	require.True(t, strings.HasPrefix(out.String(), fmt.Sprintf("\x1b[%dA", lines)), "%q", out.String())
	require.Equal(t, lines, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), "faulty     20 held  flat             "+strings.Repeat("#", 13)+"\x1b", "the highest keeps the scale")
}

// One side has its first response, or its first error, before the other.
func TestOfATableEachFigureIsOfItsSubject(t *testing.T) {
	t.Parallel()
	for _, only := range []int{0, 1} {
		var live render.Live
		e := sample(time.Second, 40, 2)
		m := &e.Moment.Subjects[only].ClientMetrics
		m.Latency = &series.Quantiles{P50: 5, P99: 7}
		m.Requests.Errors = map[string]int64{"EOF": 3}
		live.Add(begin())
		live.Add(e)
		lines := strings.Join(tableLines(&live), "\n")
		for name, of := range map[string]string{"p50": "5ms", "p99": "7ms", "errors": "3 EOF"} {
			cells := []string{render.NotKnown, render.NotKnown}
			cells[only] = of
			require.Regexp(t, `(?m)^`+name+` +`+strings.Join(cells, " +")+`$`, lines)
		}
		require.Regexp(t, `(?m)^opened +40 +2$`, lines)
	}
}

func TestLiveTableFitsTheScreen(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"123…", "ab"}, fit([]string{"123456", "ab", "c"}, 4, 3))
	require.Equal(t, []string{"x"}, fit([]string{"x", "y"}, 80, 0))
	var live render.Live
	for _, e := range leaking(60) {
		live.Add(e)
	}
	for _, line := range tableLines(&live)[2:] { // but for the sentence
		require.LessOrEqual(t, len(line), 70)
	}
}

// The table, the lines and the view show the same numbers, of the same words.
func TestWhatIsNotKnownIsNoZero(t *testing.T) {
	t.Parallel()
	e := sample(time.Second, 40, 2)
	e.Moment.Subjects[0].ClientMetrics = series.ClientMetrics{}
	var lines bytes.Buffer
	show := Plain(&lines, false)
	show(begin())
	show(e)
	require.Contains(t, lines.String(), "faulty: opened not known, client 40 ESTABLISHED  |  fixed: opened 2,")
	m := told(model{face: &face{}}, batch{begin(), e}, size(120, 34))
	require.Contains(t, shown(m), "│ opened not known · reused not known · requests not known ")
	require.Contains(t, shown(m), "│ opened 2 · reused 0 · ok 2 · failed 0 · in flight 0 ")
	var table bytes.Buffer
	show = Plain(&table, true)
	show(begin())
	show(e)
	require.Regexp(t, `(?m)^ok +not known +2\x1b`, table.String())
}

func TestWatchTableHasAColumnForEachProcess(t *testing.T) {
	t.Parallel()
	watch := func(m series.Moment) string {
		var live render.Live
		live.Add(series.Event{Header: &series.Header{Target: &series.Target{Port: 8080}}})
		m.Clock = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
		live.Add(series.Event{Moment: &m})
		return strings.Join(tableLines(&live), "\n") + "\n"
	}
	named := func(pid int32, name string, client, server socketstats.Counts) series.SubjectSample {
		id := fmt.Sprint(pid)
		return series.SubjectSample{
			ID: id, Identity: &series.Identity{ID: id, Name: name, PID: pid},
			Sample: series.Sample{Client: series.End{Counts: client}, Server: series.End{Counts: server}, KernelConns: &series.ConnCounts{Opened: 90, Closed: 2}},
		}
	}
	m := series.Moment{Listeners: []string{"slowserver (7)"}, Subjects: []series.SubjectSample{
		named(8, "client-faulty (8)", rendertest.Counts(88, 0, 0), rendertest.Counts(88, 0, 0)),
		named(9, "client-fixed (9)", rendertest.Counts(2, 0, 3), socketstats.Counts{}),
	}}
	want := `15:04:05  port 8080: slowserver (7)
                      client-faulty (8)  client-fixed (9)
client ESTABLISHED                   88                 2
client TIME_WAIT                      0                 3
server ESTABLISHED                   88                 0
client total                         88                 5
server total                         88                 0
`
	require.Equal(t, want, watch(m), "nothing reports what came and went")
	m.EventSource, m.AtLeast = "closed sockets", true
	m.StateDurations = []series.StateDuration{{State: socketstats.Established, Count: 3, MeanMS: 12.34, MaxMS: 20}}
	require.Equal(t, want+`opened                               90                90
closed                                2                 2
opened and closed: since the watch began, by closed sockets; at least: some were missed, or could not be attributed to a process
3 times in ESTABLISHED, mean 12.3 ms, max 20 ms
`, watch(m))
	require.Contains(t, watch(series.Moment{}), "port 8080: nobody listens\nno connections\n")
}

// A line of a watch has a process with those that descend from it once.
func TestALineHasNoPartsOfASubject(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := Plain(&out, false)
	show(series.Event{Header: &series.Header{Target: &series.Target{PIDs: []int32{7}}}})
	of := func(id, parent string, open int) series.SubjectSample {
		return series.SubjectSample{
			ID: id, Identity: &series.Identity{ID: id, Name: "app (7)", Parent: parent},
			Sample: series.Sample{Client: series.End{Counts: rendertest.Counts(open, 0, 0)}},
		}
	}
	show(series.Event{Moment: &series.Moment{Subjects: []series.SubjectSample{of("7", "", 10), of("7/7", "7", 4)}}})
	require.Contains(t, out.String(), "app (7): client 10 ESTABLISHED")
	require.Equal(t, 1, strings.Count(out.String(), "app (7):"), out.String())
}

func TestOnlyATerminalCanBeRedrawn(t *testing.T) {
	t.Parallel()
	require.False(t, CanRedraw(&bytes.Buffer{}, "xterm"))
}

func TestTheCommandThatListsAPortIsTheSystems(t *testing.T) {
	for system, want := range map[string]string{
		"linux":   "ss -tan '( sport = :80 or dport = :80 )'",
		"windows": `netstat -an -p tcp | findstr ":80 "`,
		"darwin":  `netstat -an -p tcp | grep '\.80 '`,
	} {
		require.Equal(t, want, listCommand(system, "80"))
	}
}
