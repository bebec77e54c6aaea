package lab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/netnstest"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netns"
	"socketlab/scenarios"
)

// The test binary is its own server and clients, as sockwatch is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "slowserver":
			os.Exit(worker.Server(context.Background(), os.Stdin, os.Stdout, slog.New(slog.DiscardHandler)))
		case "supervise-namespace":
			os.Exit(netns.Supervise())
		case "client-faulty", "client-fixed":
			os.Exit(worker.Client(context.Background(), os.Stdin, os.Stdout))
		case "supervise-command":
			os.Exit(worker.SuperviseCommand(context.Background(), os.Stdin, os.Stdout))
		case theirProgram:
			theirs(os.Args[2:])
			os.Exit(0)
		}
	}
	netnstest.Enter()
	os.Exit(m.Run())
}

func script(t *testing.T, yaml string) scenario.Script {
	t.Helper()
	s, err := scenario.Parse("test.yaml", []byte(yaml), scenarios.IDs())
	require.NoError(t, err)
	return s
}

// holds has a hung server: every connection stays until the end.
const holds = `
id: holds
title: t
implementation: no-timeout
server: {no_response: true}
client: {timeout: 60s}
load: [{burst: 20}, {pause: 1500ms}]
sample_interval: 100ms
expect: {faulty: [requests.sent == 20], fixed: [requests.sent == 20]}
`

// long is holds for tests that end it early.
var long = strings.Replace(holds, "1500ms", "60s", 1)

func TestRunCountsBothEndsOfBothSides(t *testing.T) {
	t.Parallel()
	var events []lab.Event
	run, err := lab.Play(t.Context(), lab.Plan{
		Script: script(t, holds), Seed: 1, Source: socketstats.Gopsutil{},
		Observe: func(e lab.Event) { events = append(events, e) },
	})
	require.NoError(t, err)
	for _, side := range scenario.Sides() {
		s := run.Of(side)
		require.EqualValues(t, 20, s.Report.Requests.Sent, side)
		require.EqualValues(t, 20, s.Report.Requests.InFlight, side)
		require.EqualValues(t, 20, s.Report.Connections.Opened, side)
		require.Equal(t, 20, s.Client.Final.Of(socketstats.Established), side)
		require.Equal(t, 20, s.Client.Final.Total(), side)
		require.Equal(t, 20, s.Server.Final.Of(socketstats.Established), side)
		require.Equal(t, 1, s.Server.Final.Of(socketstats.Listen), side)
		require.Equal(t, 21, s.Server.Final.Total(), side)
		require.GreaterOrEqual(t, s.Report.Process.FDsPeak, 20, side)
		require.True(t, s.Report.Final, side)
	}
	require.Empty(t, run.Stopped)
	require.NotNil(t, events[0].Begin)
	require.NotNil(t, events[len(events)-1].End)
	require.GreaterOrEqual(t, len(events), 5)
}

func TestEachSideOfAnIsolatedRunIsAlone(t *testing.T) {
	t.Parallel()
	isolatedOrSkip(t)
	var begin *lab.Begin
	const here = "127.0.0.1:8080" // both sides have a port 8080
	run, err := lab.Play(t.Context(), lab.Plan{
		Script: script(t, holds), Seed: 1, Isolated: true,
		Listen: map[scenario.Side]string{scenario.Faulty: here, scenario.Fixed: here},
		Observe: func(e lab.Event) {
			if e.Begin != nil {
				begin = e.Begin
				for _, pid := range []int{begin.FaultyAt.ClientPID, begin.FaultyAt.ServerPID, begin.FixedAt.Supervisor} {
					require.NoError(t, socketstats.CheckProcess(int32(pid)))
				}
			}
		},
	})
	require.NoError(t, err)
	require.True(t, run.Isolated)
	require.Equal(t, "sockdiag", run.Source)
	require.Equal(t, here, begin.FaultyAt.Server)
	require.Equal(t, here, begin.FixedAt.Server)
	for _, side := range scenario.Sides() {
		s := run.Of(side)
		require.Equal(t, 20, s.Client.Final.Of(socketstats.Established), side)
		require.Equal(t, 21, s.Server.Final.Total(), side)
		require.EqualValues(t, 20, s.Kernel["ActiveOpens"], side)
		require.EqualValues(t, 20, s.Kernel["PassiveOpens"], side)
		require.EqualValues(t, 40, s.Kernel["CurrEstab"], side)
		require.Equal(t, &lab.ConnCounts{Opened: 20}, s.Connections, side)
		opens, ok := s.Metric("kernel.ActiveOpens")
		require.True(t, ok)
		require.InDelta(t, 20, opens, 0)
	}
	for _, at := range []lab.Endpoint{begin.FaultyAt, begin.FixedAt} {
		for _, pid := range []int{at.ClientPID, at.ServerPID, at.Supervisor} {
			require.ErrorIs(t, socketstats.CheckProcess(int32(pid)), socketstats.ErrNoProcess, "nothing outlives a run")
		}
	}
}

// Connections that live a few milliseconds are in no sample, and counted all the
// same: as many as the clients opened.
func TestTheKernelSeesWhatNoSampleShows(t *testing.T) {
	t.Parallel()
	source, err := socketstats.OpenSource("sockdiag")
	if err != nil {
		t.Skip(err)
	}
	for _, isolated := range []bool{false, true} {
		if isolated {
			isolatedOrSkip(t)
		}
		run, err := lab.Play(t.Context(), lab.Plan{
			Script: script(t, `
id: short-lives
title: t
implementation: keepalives-disabled
load: [{rate: 100, for: 2s}, {pause: 500ms}]
sample_interval: 1s
expect: {faulty: [requests.sent == 200], fixed: [requests.sent == 200]}
`), Seed: 1, Source: source, Isolated: isolated,
		})
		require.NoError(t, err)
		require.EqualValues(t, 200, run.Faulty.Report.Connections.Opened)
		require.Equal(t, &lab.ConnCounts{Opened: 200, Closed: 200, WithTCPInfo: 200, ShortLived: 200}, run.Faulty.Connections)
		require.EqualValues(t, run.Fixed.Report.Connections.Opened, run.Fixed.Connections.Opened)
		require.Less(t, run.Faulty.Client.Peak.Of(socketstats.Established), 100)
	}
}

// Neighbours open and close thousands of sockets beside an isolated run, and not
// one of its figures shows it.
func TestNeighboursDoNotShowInAnIsolatedRun(t *testing.T) {
	t.Parallel()
	isolatedOrSkip(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	stop, neighbours := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				neighbours <- n
				return
			default:
			}
			near, err := net.Dial("tcp4", l.Addr().String())
			if err != nil {
				t.Error(err)
				<-stop
				neighbours <- n
				return
			}
			far, err := l.Accept()
			if err != nil {
				t.Error(err)
			}
			_ = near.(*net.TCPConn).SetLinger(0)
			_ = near.Close()
			_ = far.Close()
		}
	}()
	s := script(t, strings.Replace(holds, "1500ms", "3s", 1))
	run, err := lab.Play(t.Context(), lab.Plan{Script: s, Seed: 1, Isolated: true})
	close(stop)
	n := <-neighbours
	require.NoError(t, err)
	t.Logf("%d connections beside", n)
	require.Greater(t, n, 2500, "5,000 sockets beside")
	for _, side := range scenario.Sides() {
		got := run.Of(side)
		for _, end := range []lab.End{got.Client, got.Server} {
			for _, p := range end.Series[1:] { // the first may be before the twentieth connection
				require.Equal(t, 20, p.Counts.Of(socketstats.Established), side)
			}
		}
		require.Equal(t, 20, got.Client.Peak.Total())
		require.Equal(t, 21, got.Server.Peak.Total())
		require.Equal(t, &lab.ConnCounts{Opened: 20}, got.Connections, side)
		for name, want := range map[string]int64{
			"ActiveOpens": 20, "PassiveOpens": 20, "CurrEstab": 40,
			"AttemptFails": 0, "EstabResets": 0, "OutRsts": 0, "TCPAbortOnData": 0, "TCPAbortOnClose": 0, "TW": 0,
		} {
			require.Equal(t, want, got.Kernel[name], "%s of %s", name, side)
		}
	}
}

func isolatedOrSkip(t *testing.T) {
	t.Helper()
	if err := lab.CanIsolate(); err != nil {
		t.Skip(err)
	}
}

func TestSamplesSayWhatTheyCost(t *testing.T) {
	t.Parallel()
	var samples []lab.Sample
	run, err := lab.Play(t.Context(), lab.Plan{
		Script: script(t, holds), Seed: 1, Source: socketstats.Gopsutil{},
		Observe: func(e lab.Event) {
			if e.Sample != nil {
				samples = append(samples, *e.Sample)
			}
		},
	})
	require.NoError(t, err)
	require.Equal(t, len(samples), run.Sampling.Samples)
	var took, cpu time.Duration
	for _, s := range samples {
		require.Positive(t, s.Took)
		took, cpu = took+s.Took, cpu+s.CPU
		require.LessOrEqual(t, s.Took, run.Sampling.Longest)
	}
	require.Equal(t, took, run.Sampling.Took)
	require.Equal(t, cpu, run.Sampling.CPU)
	require.Positive(t, cpu)
}

func TestRecordingGivesTheSameRunAgain(t *testing.T) {
	t.Parallel()
	var recording bytes.Buffer
	out := json.NewEncoder(&recording)
	run, err := lab.Play(t.Context(), lab.Plan{
		Script: script(t, holds).AtSpeed(2), Seed: 1, Source: socketstats.Gopsutil{},
		Observe: func(e lab.Event) { require.NoError(t, out.Encode(e)) },
	})
	require.NoError(t, err)
	again := &lab.Run{}
	for in := json.NewDecoder(&recording); in.More(); {
		var e lab.Event
		require.NoError(t, in.Decode(&e))
		again.Add(e)
	}
	want, err := json.Marshal(run)
	require.NoError(t, err)
	got, err := json.Marshal(again)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
	require.Equal(t, run.Faulty.Client.Series, again.Faulty.Client.Series)
}

func TestBothSidesGetTheSameScheduleFromTheSeed(t *testing.T) {
	t.Parallel()
	s := script(t, `
id: extras
title: t
implementation: new-client-shared-transport
load: [{rate: 50, jitter_requests: 3, for: 1s}]
sample_interval: 100ms
expect: {faulty: [requests.sent > 50], fixed: [requests.sent > 50]}
`)
	run, err := lab.Play(t.Context(), lab.Plan{Script: s, Seed: 7, Source: socketstats.Gopsutil{}})
	require.NoError(t, err)
	require.EqualValues(t, len(s.Arrivals(7)), run.Faulty.Report.Requests.Sent)
	require.Equal(t, run.Faulty.Report.Requests.Sent, run.Fixed.Report.Requests.Sent)
	require.NotEqual(t, len(s.Arrivals(7)), len(s.Arrivals(8)))
}

func TestSocketsOfEarlierConnectionsAreNotCounted(t *testing.T) {
	t.Parallel()
	addr := leaveTimeWait(t)
	var begin *lab.Begin
	run, err := lab.Play(t.Context(), lab.Plan{
		Script: script(t, holds), Seed: 1, Source: socketstats.Gopsutil{},
		Listen: map[scenario.Side]string{scenario.Faulty: addr},
		Observe: func(e lab.Event) {
			if e.Begin != nil {
				begin = e.Begin
			}
		},
	})
	require.NoError(t, err)
	require.Equal(t, 3, begin.FaultyAt.LeftBehind) // of the fixed side's port anybody may have left some
	require.Equal(t, addr, begin.FaultyAt.Server)
	require.Zero(t, run.Faulty.Client.Peak.Of(socketstats.TimeWait))
	require.Equal(t, 20, run.Faulty.Client.Final.Total())
}

// leaveTimeWait leaves three client sockets in TIME_WAIT at a server address
// that is free again, and returns it.
func leaveTimeWait(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	for range 3 {
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		s, err := l.Accept()
		require.NoError(t, err)
		require.NoError(t, c.Close())
		_, err = s.Read(make([]byte, 1)) // the client's FIN
		require.Error(t, err)
		require.NoError(t, s.Close())
	}
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestServerPairStopsItsServersInMidRun(t *testing.T) {
	t.Parallel()
	s, err := scenarios.Script("abrupt-shutdown")
	require.NoError(t, err)
	run, err := lab.Play(t.Context(), lab.Plan{Script: s, Seed: 1, Source: socketstats.Gopsutil{}})
	require.NoError(t, err)
	require.EqualValues(t, 50, run.Faulty.Report.Requests.Failed)
	require.EqualValues(t, 50, run.Fixed.Report.Requests.OK)
	require.Zero(t, run.Fixed.Server.Final.Of(socketstats.Listen), "the server is gone")
	require.Equal(t, 1, run.Fixed.Server.Peak.Of(socketstats.Listen))
}

func TestInterruptedRunKeepsWhatItSaw(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	samples := 0
	run, err := lab.Play(ctx, lab.Plan{
		Script: script(t, long), Seed: 1, Source: socketstats.Gopsutil{},
		Observe: func(e lab.Event) {
			if e.Sample == nil {
				return
			}
			if samples++; samples == 3 {
				cancel()
			}
		},
	})
	require.ErrorIs(t, err, lab.ErrInterrupted)
	require.Equal(t, "interrupted", run.Stopped)
	require.EqualValues(t, 20, run.Faulty.Report.Requests.Sent)
	require.Less(t, run.Duration, 30*time.Second)
}

func TestFailingSourceIsAnErrorNotAnEmptyCount(t *testing.T) {
	t.Parallel()
	run, err := lab.Play(t.Context(), lab.Plan{Script: script(t, long), Seed: 1, Source: &broken{after: 3}})
	require.ErrorContains(t, err, "the kernel is on strike")
	require.EqualValues(t, 20, run.Faulty.Report.Requests.Sent, "what was seen is kept")
}

type broken struct {
	socketstats.Gopsutil
	after int
}

func (b *broken) Sockets(ctx context.Context, q socketstats.Query) ([]socketstats.Socket, error) {
	if b.after--; b.after < 0 {
		return nil, os.NewSyscallError("the kernel is on strike", os.ErrPermission)
	}
	return b.Gopsutil.Sockets(ctx, q)
}

func TestMetricsHaveTheNamesOfExpectations(t *testing.T) {
	t.Parallel()
	var side lab.Side
	for _, name := range append(scenario.Metrics(), "requests.errors.EOF", "client.peak.TIME_WAIT", "server.final.total") {
		_, ok := side.Metric(name)
		require.True(t, ok, name)
	}
	for _, name := range []string{"", "client.peak", "client.peak.NOPE", "nobody.peak.total"} {
		_, ok := side.Metric(name)
		require.False(t, ok, name)
	}
}

// several has a second server beside the first; the code of its pair knows
// nothing of it.
const several = `
id: several
title: t
implementation: no-timeout
server: {delay: 5ms}
upstreams: [{name: other}]
client: {timeout: 60s}
load: [{rate: 20, for: 1s}, {pause: 200ms}]
sample_interval: 100ms
expect: {faulty: [servers.server.requests == 20], fixed: [servers.other.requests == 0]}
`

func TestEachOfSeveralServersIsCounted(t *testing.T) {
	t.Parallel()
	run, err := lab.Play(t.Context(), lab.Plan{Script: script(t, several), Seed: 1, Source: socketstats.Gopsutil{}})
	require.NoError(t, err)
	for _, side := range scenario.Sides() {
		s := run.Of(side)
		last := s.Samples[len(s.Samples)-1]
		require.Equal(t, map[string]lab.ServerCount{
			"server": {Requests: 20, Connections: s.Report.Connections.Opened}, "other": {},
		}, last.Servers, side)
		require.Equal(t, 2, s.Server.Final.Of(socketstats.Listen), "both listen")
		require.Zero(t, last.UpstreamConns, side)
		got, ok := s.Metric("servers.server.requests")
		require.True(t, ok)
		require.Equal(t, 20.0, got)
		_, ok = s.Metric("servers.nobody.requests")
		require.False(t, ok)
	}
	require.False(t, run.Relayed)
}

// A server in the middle opens connections of its own: they are counted with
// the others, and known to be behind it.
func TestConnectionsOfAServerInTheMiddleAreCounted(t *testing.T) {
	t.Parallel()
	run, err := lab.Play(t.Context(), lab.Plan{Script: script(t, `
id: middle
title: t
implementation: no-timeout
server: {protocol: balancer}
upstreams: [{name: a, no_response: true}, {name: b, no_response: true}]
client: {timeout: 60s}
load: [{burst: 10}, {pause: 1s}]
sample_interval: 100ms
expect: {faulty: [servers.a.requests == 5], fixed: [servers.b.requests == 5]}
`), Seed: 1, Source: socketstats.Gopsutil{}})
	require.NoError(t, err)
	require.True(t, run.Relayed)
	s := run.Faulty
	last := s.Samples[len(s.Samples)-1]
	require.Equal(t, 10, last.UpstreamConns)
	require.Equal(t, 20, s.Client.Final.Of(socketstats.Established))
	require.Equal(t, 20, s.Server.Final.Of(socketstats.Established))
	require.Equal(t, lab.ServerCount{Requests: 5, Connections: 5, Due: true}, last.Servers["a"])
	require.Equal(t, lab.ServerCount{Requests: 5, Connections: 5, Due: true}, last.Servers["b"])
	require.Equal(t, int64(10), last.Servers["server"].Connections)
	require.InDelta(t, time.Second, s.Oldest(), float64(400*time.Millisecond))
}

func TestSwappedRunPlaysTheOtherSidesCode(t *testing.T) {
	t.Parallel()
	plan := lab.Plan{Script: script(t, strings.Replace(holds, "60s", "300ms", 1)), Seed: 1, Source: socketstats.Gopsutil{}}
	run, err := lab.Play(t.Context(), plan)
	require.NoError(t, err)
	require.EqualValues(t, 20, run.Faulty.Report.Requests.InFlight)
	require.Zero(t, run.Fixed.Report.Requests.InFlight)
	plan.Swapped = true
	run, err = lab.Play(t.Context(), plan)
	require.NoError(t, err)
	require.Zero(t, run.Faulty.Report.Requests.InFlight)
	require.EqualValues(t, 20, run.Fixed.Report.Requests.InFlight)
}
