package lab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/metric"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/netnstest"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netfault"
	"socketlab/internal/worker/netns"
	"socketlab/scenarios"
)

// programs are what else the test binary can be, by its first argument. Each is
// given the others, and returns the exit code.
var programs = map[string]func(args []string) int{theirProgram: theirs}

// The test binary is its own server and clients, as sockwatch is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "slowserver":
			os.Exit(worker.Server(context.Background(), os.Stdin, os.Stdout, slog.New(slog.DiscardHandler), netfault.Changes{}))
		case "supervise-namespace":
			os.Exit(netns.Supervise())
		case "client-faulty", "client-fixed":
			os.Exit(worker.Client(context.Background(), os.Stdin, os.Stdout))
		case "supervise-command":
			os.Exit(worker.SuperviseCommand(context.Background(), os.Stdin, os.Stdout))
		}
		if program, ok := programs[os.Args[1]]; ok {
			os.Exit(program(os.Args[2:]))
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
implementation: new-client-shared-transport
server: {no_response: true}
load: [{burst: 20}, {pause: 1500ms}]
sample_interval: 100ms
expect: {faulty: [requests.sent == 20], fixed: [requests.sent == 20]}
`

// long is holds for tests that end it early.
var long = strings.Replace(holds, "1500ms", "5m", 1)

// value is a metric of a subject, which must be known.
func value(t *testing.T, s *series.Subject, name string) float64 {
	t.Helper()
	m, err := metric.Lookup(name)
	require.NoError(t, err)
	v, ok := m.Get(s)
	require.True(t, ok, name)
	return v
}

// states are how many of a subject's sockets the last sample shows in a state, at
// both ends.
func states(s *series.Subject, state socketstats.State) (client, server int) {
	return s.Now(socketstats.Client).Of(state), s.Now(socketstats.Server).Of(state)
}

func TestRunCountsBothEndsOfBothSides(t *testing.T) {
	t.Parallel()
	var events []series.Event
	o, err := lab.Play(t.Context(), lab.Plan{
		Script: script(t, holds), Seed: 1, Source: socketstats.Gopsutil{},
		Observe: func(e series.Event) { events = append(events, e) },
	})
	require.NoError(t, err)
	require.Len(t, o.Subjects, 2)
	require.Equal(t, "holds", o.Scenario.ID)
	require.Equal(t, holds, o.Scenario.Script)
	for i, id := range []string{"faulty", "fixed"} {
		s := o.Subjects[i]
		require.Equal(t, id, s.ID)
		require.True(t, s.Paired)
		r := s.Final
		require.EqualValues(t, 20, r.Requests.Sent, id)
		require.EqualValues(t, 20, r.Requests.InFlight, id)
		require.EqualValues(t, 20, r.Connections.Opened, id)
		client, server := states(s, socketstats.Established)
		require.Equal(t, 20, client, id)
		require.Equal(t, 20, server, id)
		require.Equal(t, 20, s.Now(socketstats.Client).Total(), id)
		require.Equal(t, 1, s.Now(socketstats.Server).Of(socketstats.Listen), id)
		require.Equal(t, 21, s.Now(socketstats.Server).Total(), id)
		require.GreaterOrEqual(t, r.Process.DescriptorsPeak, 20, id)
		if runtime.GOOS == "linux" {
			require.Positive(t, s.Limits.Descriptors)
		}
		require.False(t, s.Last().Ended)
	}
	require.True(t, o.Over)
	require.Empty(t, o.Stopped)
	require.NotNil(t, events[0].Header)
	require.NotNil(t, events[len(events)-1].End)
	require.Greater(t, len(events), 2, "there were samples")
}

func TestSamplesSayWhatTheyCost(t *testing.T) {
	t.Parallel()
	var moments []series.Moment
	o, err := lab.Play(t.Context(), lab.Plan{
		Script: script(t, holds), Seed: 1, Source: socketstats.Gopsutil{},
		Observe: func(e series.Event) {
			if e.Moment != nil {
				moments = append(moments, *e.Moment)
			}
		},
	})
	require.NoError(t, err)
	require.Equal(t, len(moments), o.Cost.Samples)
	var took, cpu time.Duration
	for _, m := range moments {
		require.Positive(t, m.Took)
		took, cpu = took+m.Took, cpu+m.CPU
		require.LessOrEqual(t, m.Took, o.Cost.Longest)
	}
	require.Equal(t, took, o.Cost.Took)
	require.Equal(t, cpu, o.Cost.CPU)
	require.Positive(t, cpu)
}

// sameAgain requires that the events, written and read, give the observation
// again.
func sameAgain(t *testing.T, o *series.Observation, recording *bytes.Buffer) {
	t.Helper()
	again := &series.Observation{}
	for in := json.NewDecoder(recording); in.More(); {
		var e series.Event
		require.NoError(t, in.Decode(&e))
		again.Add(e)
	}
	again.Started = o.Started // JSON keeps no monotonic clock
	require.Equal(t, o, again)
}

func TestRecordingGivesTheSameRunAgain(t *testing.T) {
	t.Parallel()
	var recording bytes.Buffer
	out := json.NewEncoder(&recording)
	o, err := lab.Play(t.Context(), lab.Plan{
		Script: script(t, holds).AtSpeed(2), Seed: 1, Source: socketstats.Gopsutil{},
		Provenance: &series.Provenance{Command: "sockwatch run holds"},
		Observe:    func(e series.Event) { require.NoError(t, out.Encode(e)) },
	})
	require.NoError(t, err)
	require.InDelta(t, 2, o.Scenario.Speed, 0)
	require.Equal(t, holds, o.Scenario.Script, "the script is kept at its own speed")
	require.Equal(t, "sockwatch run holds", o.Provenance.Command)
	sameAgain(t, o, &recording)
}

func TestAllSidesGetTheSameScheduleFromTheSeed(t *testing.T) {
	t.Parallel()
	s := script(t, `
id: extras
title: t
implementation: new-client-shared-transport
load: [{rate: 50, jitter_requests: 3, for: 1s}]
sample_interval: 100ms
expect: {faulty: [requests.sent > 50], fixed: [requests.sent > 50]}
`)
	// A run has as many sides as are wanted: here a third plays the fixed code, too.
	sides := append(lab.Pair(), lab.Side{ID: "with one connection", Code: scenario.Fixed, Settings: &scenario.Client{MaxIdleConns: 1}})
	o, err := lab.Play(t.Context(), lab.Plan{Script: s, Seed: 7, Source: socketstats.Gopsutil{}, Sides: sides})
	require.NoError(t, err)
	require.Len(t, o.Subjects, 3)
	for i, subject := range o.Subjects {
		require.Equal(t, sides[i].ID, subject.ID)
		require.EqualValues(t, len(s.Arrivals(7)), subject.Final.Requests.Sent)
		require.Len(t, subject.Samples, o.Cost.Samples)
	}
	require.NotEqual(t, len(s.Arrivals(7)), len(s.Arrivals(8)))
}

func TestSocketsOfEarlierConnectionsAreNotCounted(t *testing.T) {
	t.Parallel()
	addr := leaveTimeWait(t)
	sides := lab.Pair()
	sides[0].Listen = addr
	o, err := lab.Play(t.Context(), lab.Plan{Script: script(t, holds), Seed: 1, Source: socketstats.Gopsutil{}, Sides: sides})
	require.NoError(t, err)
	faulty := o.Subject("faulty")
	require.Equal(t, 3, faulty.Endpoints.LeftBehind) // of the fixed side's port anybody may have left some
	require.Equal(t, addr, faulty.Endpoints.Server)
	require.Zero(t, faulty.Peak(socketstats.Client).Of(socketstats.TimeWait))
	require.Equal(t, 20, faulty.Now(socketstats.Client).Total())
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
	s.Load = append(slices.Clone(s.Load), scenario.Phase{Pause: scenario.Duration(2 * time.Minute)}) // ends with the last response
	// Quick: the server is there for a second.
	source := sourceOrSkip(t, socketstats.Auto)
	defer source.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o, err := lab.Play(ctx, lab.Plan{Script: s, Seed: 1, Source: source, Observe: func(e series.Event) {
		if e.Moment == nil {
			return
		}
		faulty, fixed := e.Moment.Subjects[0], e.Moment.Subjects[1]
		if faulty.Requests.Failed+fixed.Requests.OK == 100 && fixed.Server.Counts.Of(socketstats.Listen) == 0 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, lab.ErrInterrupted)
	faulty, fixed := o.Subject("faulty"), o.Subject("fixed")
	require.EqualValues(t, 50, faulty.Final.Requests.Failed)
	require.EqualValues(t, 50, fixed.Final.Requests.OK)
	require.Zero(t, fixed.Now(socketstats.Server).Of(socketstats.Listen), "the server is gone")
	require.Equal(t, 1, fixed.Peak(socketstats.Server).Of(socketstats.Listen))
}

func TestInterruptedRunKeepsWhatItSaw(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	moments := 0
	o, err := lab.Play(ctx, lab.Plan{
		Script: script(t, long), Seed: 1, Source: socketstats.Gopsutil{},
		Observe: func(e series.Event) {
			if e.Moment == nil {
				return
			}
			if moments++; moments == 3 {
				cancel()
			}
		},
	})
	require.ErrorIs(t, err, lab.ErrInterrupted)
	require.Equal(t, "interrupted", o.Stopped)
	require.EqualValues(t, 20, o.Subject("faulty").Final.Requests.Sent)
	require.Less(t, o.Duration, 5*time.Minute)
}

func TestFailingSourceIsAnErrorNotAnEmptyCount(t *testing.T) {
	t.Parallel()
	o, err := lab.Play(t.Context(), lab.Plan{Script: script(t, long), Seed: 1, Source: &broken{after: 3}})
	require.ErrorContains(t, err, "the kernel is on strike")
	require.EqualValues(t, 20, o.Subject("faulty").Final.Requests.Sent, "what was seen is kept")
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

// slow is a source that takes its time, as those do that have a call for each
// process. It counts its lists, and how many are asked for at once.
type slow struct {
	socketstats.Gopsutil
	takes              time.Duration
	now, atOnce, lists atomic.Int32
}

func (s *slow) Sockets(ctx context.Context, q socketstats.Query) ([]socketstats.Socket, error) {
	if n := s.now.Add(1); n > s.atOnce.Load() {
		s.atOnce.Store(n)
	}
	defer s.now.Add(-1)
	s.lists.Add(1)
	took := time.NewTimer(s.takes)
	defer took.Stop()
	select {
	case <-took.C:
		return s.Gopsutil.Sockets(ctx, q)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A count that takes longer than the interval is waited for: others are left out
// meanwhile, and the run ends in time.
func TestSlowSourceMissesSamplesAndIsNoError(t *testing.T) {
	t.Parallel()
	source := &slow{takes: 700 * time.Millisecond}
	s := script(t, strings.Replace(holds, "1500ms", "3s", 1))
	o, err := lab.Play(t.Context(), lab.Plan{Script: s, Seed: 1, Source: source})
	require.NoError(t, err)
	require.Empty(t, o.Stopped)
	require.EqualValues(t, 1, source.atOnce.Load(), "one count at a time")
	require.Positive(t, o.Cost.Samples)
	require.LessOrEqual(t, o.Cost.Samples, 6, "not one for each of thirty intervals")
	for _, s := range o.Subjects {
		require.EqualValues(t, 20, s.Final.Requests.Sent, s.ID)
		require.Equal(t, 20, s.Now(socketstats.Client).Of(socketstats.Established), s.ID)
	}
}

// A count that takes as long as a run may be all that there is of it, and is not
// begun again at the end.
func TestRunEndsWithTheCountUnderWay(t *testing.T) {
	t.Parallel()
	source := &slow{takes: 2500 * time.Millisecond}
	o, err := lab.Play(t.Context(), lab.Plan{Script: script(t, holds), Seed: 1, Source: source})
	require.NoError(t, err)
	require.Equal(t, 1, o.Cost.Samples)
	require.Equal(t, 20, o.Subject("fixed").Now(socketstats.Client).Of(socketstats.Established))
	require.EqualValues(t, 2, source.lists.Load(), "one list before the run, and one in it")
}

func TestInterruptedRunDoesNotWaitForASlowSource(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	source := &stuck{interrupt: cancel}
	o, err := lab.Play(ctx, lab.Plan{
		Script: script(t, long), Seed: 1, Source: source,
		Observe: func(e series.Event) {
			if e.Header != nil {
				source.begun = true // before the first count
			}
		},
	})
	require.ErrorIs(t, err, lab.ErrInterrupted)
	require.Zero(t, o.Cost.Samples)
	require.EqualValues(t, 20, o.Subject("faulty").Final.Requests.Sent)
}

// stuck is a source whose lists do not end once a run has begun. It interrupts the run when
// each of the 20 requests of both sides has its connection.
type stuck struct {
	socketstats.Gopsutil
	begun     bool
	interrupt func()
}

func (s *stuck) Sockets(ctx context.Context, q socketstats.Query) ([]socketstats.Socket, error) {
	sockets, err := s.Gopsutil.Sockets(ctx, q)
	for s.begun && err == nil {
		open := 0
		for _, socket := range sockets {
			if socket.State == socketstats.Established && slices.Contains(q.Ports, socket.Remote.Port()) {
				open++
			}
		}
		if open == 40 {
			s.interrupt()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		sockets, err = s.Gopsutil.Sockets(ctx, q)
	}
	return sockets, err
}

// sourceOrSkip opens a source, and skips the test where this system has it not.
func sourceOrSkip(t *testing.T, name string) socketstats.Source {
	t.Helper()
	source, err := socketstats.OpenSource(name)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return source
}

// several has a second server beside the first; the code of its pair knows
// nothing of it.
const several = `
id: several
title: t
implementation: new-client-shared-transport
server: {delay: 5ms}
upstreams: [{name: other}]
load: [{rate: 20, for: 1s}, {pause: 200ms}]
sample_interval: 100ms
expect: {faulty: [servers.server.requests == 20], fixed: [servers.other.requests == 0]}
`

func TestEachOfSeveralServersIsCounted(t *testing.T) {
	t.Parallel()
	o, err := lab.Play(t.Context(), lab.Plan{Script: script(t, several), Seed: 1, Source: socketstats.Gopsutil{}})
	require.NoError(t, err)
	for _, s := range o.Subjects {
		last := s.Last()
		require.Equal(t, []series.ServerCount{
			{Name: "other"}, {Name: "server", Requests: 20, Connections: s.Final.Connections.Opened},
		}, last.Servers, s.ID)
		_, listening := states(s, socketstats.Listen)
		require.Equal(t, 2, listening, "both listen")
		require.Zero(t, last.Upstreams, s.ID)
		require.InDelta(t, 20, value(t, s, "servers.server.requests"), 0)
		require.False(t, s.Relayed)
	}
}

// A server in the middle opens connections of its own: they are counted with
// the others, and known to be behind it.
func TestConnectionsOfAServerInTheMiddleAreCounted(t *testing.T) {
	t.Parallel()
	began := time.Now()
	o, err := lab.Play(t.Context(), lab.Plan{Script: script(t, `
id: middle
title: t
implementation: new-client-shared-transport
server: {protocol: balancer}
upstreams: [{name: a, no_response: true}, {name: b, no_response: true}]
load: [{burst: 10}, {pause: 1s}]
sample_interval: 100ms
expect: {faulty: [servers.a.requests == 5], fixed: [servers.b.requests == 5]}
`), Seed: 1, Source: socketstats.Gopsutil{}})
	require.NoError(t, err)
	s := o.Subject("faulty")
	require.True(t, s.Relayed)
	last := s.Last()
	require.Equal(t, 10, last.Upstreams)
	client, server := states(s, socketstats.Established)
	require.Equal(t, 20, client)
	require.Equal(t, 20, server)
	require.Equal(t, []series.ServerCount{
		{Name: "a", Requests: 5, Connections: 5, Due: true},
		{Name: "b", Requests: 5, Connections: 5, Due: true},
		{Name: "server", Connections: 10},
	}, last.Servers)
	require.Equal(t, last.At-s.Samples[slices.IndexFunc(s.Samples, func(s series.Sample) bool {
		return s.Client.Counts.Total() > 0
	})].At, s.Oldest())
	require.Less(t, s.Oldest(), time.Since(began))
}

func TestSwappedRunPlaysTheOtherSidesCode(t *testing.T) {
	t.Parallel()
	plan := lab.Plan{Script: script(t, strings.Replace(holds, "new-client-shared-transport", "no-timeout", 1)), Seed: 1, Source: socketstats.Gopsutil{}}
	for _, swapped := range []bool{false, true} {
		inFlight := map[string]int64{"faulty": 20, "fixed": 0}
		if swapped {
			plan.Sides = lab.Swap(lab.Pair())
			inFlight = map[string]int64{"faulty": 0, "fixed": 20}
		}
		o, err := lab.Play(t.Context(), plan)
		require.NoError(t, err)
		require.Equal(t, swapped, o.Scenario.Swapped)
		for id, want := range inFlight {
			require.Equal(t, want, o.Subject(id).Final.Requests.InFlight, id)
		}
	}
}
