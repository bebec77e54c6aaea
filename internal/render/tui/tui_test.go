package tui

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/observe"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

func counts(s socketstats.State, n int) socketstats.Counts {
	var c socketstats.Counts
	for range n {
		c.Add(s)
	}
	return c
}

func begin() lab.Event {
	return lab.Event{Begin: &lab.Begin{
		Scenario: "test", Title: "a title", Speed: 10,
		Script:   scenario.Script{Load: []scenario.Phase{{Pause: scenario.Duration(13 * time.Second)}}},
		FaultyAt: lab.Endpoint{Server: "127.0.0.1:4001", ServerPID: 1, ClientPID: 2, LeftBehind: 3},
		FixedAt:  lab.Endpoint{Server: "127.0.0.1:4002", ServerPID: 3, ClientPID: 4},
	}}
}

func sample(at time.Duration, faulty, fixed int) lab.Event {
	side := func(n int) lab.SideSample {
		return lab.SideSample{
			Client: counts(socketstats.Established, n), Server: counts(socketstats.Established, n),
			Report: loadgen.Report{Connections: loadgen.Connections{Opened: int64(n)}, Requests: loadgen.Requests{OK: int64(n)}},
		}
	}
	return lab.Event{Sample: &lab.Sample{At: at, Faulty: side(faulty), Fixed: side(fixed)}}
}

func TestOffATerminalThereIsALineForEachSample(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := Run(&out, false)
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

func TestOnASmallTerminalTheTableIsDrawnOverItself(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := Run(&out, true)
	show(begin())
	require.Contains(t, out.String(), "process 1")
	out.Reset()
	show(sample(time.Second, 40, 2))
	first := out.String()
	require.NotRegexp(t, `\x1b\[\d+A`, first, "nothing to go up to yet")
	for _, line := range []string{
		`00:01 of 00:13, .*`, `.*the faulty side holds 40 sockets.*`,
		`faulty     40 held  steady           ` + strings.Repeat("#", 27),
		`fixed       2 held  steady           #`, // the same scale on both sides
		` +faulty +fixed`, `client ESTABLISHED +40 +2`, `server ESTABLISHED +40 +2`, `opened +40 +2`, `reused +0 +0`, `ok +40 +2`,
	} {
		require.Regexp(t, `(?m)^`+line+`\x1b\[K$`, first)
	}
	lines := strings.Count(first, "\n")
	out.Reset()
	end := sample(2*time.Second, 20, 2)
	show(end) // drawn or not: that depends on what the first snapshot cost
	out.Reset()
	show(lab.Event{End: &lab.Ending{Duration: 2 * time.Second, Faulty: end.Sample.Faulty.Report, Fixed: end.Sample.Fixed.Report}})
	require.True(t, strings.HasPrefix(out.String(), fmt.Sprintf("\x1b[%dA", lines)), "%q", out.String())
	require.Equal(t, lines, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), "faulty     20 held  steady           "+strings.Repeat("#", 13)+"\x1b", "the highest keeps the scale")
}

func TestLiveTableFitsTheScreen(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"123…", "ab"}, fit([]string{"123456", "ab", "c"}, 4, 3))
	require.Equal(t, []string{"x"}, fit([]string{"x", "y"}, 80, 0))
	table := runTable{}
	for _, e := range leaking(60) {
		table.face.take(e)
	}
	for _, line := range table.lines()[2:] { // but for the sentence
		require.LessOrEqual(t, len(line), 70)
	}
}

// The table, the lines and the view show the same numbers, of the same words.
func TestWhatIsNotKnownIsNoZero(t *testing.T) {
	t.Parallel()
	e := sample(time.Second, 40, 2)
	e.Sample.Faulty.Report = loadgen.Report{Unknown: []string{"requests", "connections.reused", "connections.opened"}}
	var lines bytes.Buffer
	Run(&lines, false)(e)
	require.Contains(t, lines.String(), "faulty: opened not known, client 40 ESTABLISHED  |  fixed: opened 2,")
	m := told(model{face: &runFace{}}, batch{begin(), e}, size(120, 34))
	require.Contains(t, shown(m), "│ opened not known · reused not known · requests not known ")
	require.Contains(t, shown(m), "│ opened 2 · reused 0 · ok 2 · failed 0 · waiting 0 ")
	var table bytes.Buffer
	show := Run(&table, true)
	show(begin())
	show(e)
	require.Regexp(t, `(?m)^ok +not known +2\x1b`, table.String())
}

func TestWatchTableHasAColumnForEachProcess(t *testing.T) {
	t.Parallel()
	require.Equal(t, `15:04:05  port 8080: slowserver (7)
                      client-faulty (8)  client-fixed (9)
client ESTABLISHED                   88                 2
client TIME_WAIT                      0                 3
server ESTABLISHED                   88                 0
client total                         88                 5
server total                         88                 0
`, WatchTable(observe.Snapshot{
		At: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), Port: 8080, Listeners: []string{"slowserver (7)"},
		Processes: []observe.Process{
			{PID: 8, Name: "client-faulty", Client: counts(socketstats.Established, 88), Server: counts(socketstats.Established, 88)},
			{PID: 9, Name: "client-fixed", Client: func() socketstats.Counts {
				c := counts(socketstats.Established, 2)
				for range 3 {
					c.Add(socketstats.TimeWait)
				}
				return c
			}()},
		},
	}))
	require.Contains(t, WatchTable(observe.Snapshot{Port: 1}), "port 1: nobody listens\nno connections\n")
}

func TestOnlyATerminalCanBeRedrawn(t *testing.T) {
	t.Parallel()
	require.False(t, CanRedraw(&bytes.Buffer{}, "xterm"))
}
