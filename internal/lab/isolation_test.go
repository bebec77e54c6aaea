package lab_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker/netns"
)

func TestEachSideOfAnIsolatedRunIsAlone(t *testing.T) {
	t.Parallel()
	isolatedOrSkip(t)
	const here = "127.0.0.1:8080" // both sides have a port 8080
	sides := lab.Pair()
	sides[0].Listen, sides[1].Listen = here, here
	o, err := lab.Play(t.Context(), lab.Plan{
		Script: script(t, holds), Seed: 1, Isolated: true, Sides: sides,
		Observe: func(e series.Event) {
			if e.Header == nil {
				return
			}
			for _, s := range e.Header.Subjects {
				for _, pid := range pids(s.Endpoints) {
					require.NoError(t, socketstats.CheckProcess(int32(pid)))
				}
			}
		},
	})
	require.NoError(t, err)
	require.True(t, o.Isolated)
	require.Equal(t, "sockdiag", o.Source)
	for _, s := range o.Subjects {
		require.Equal(t, here, s.Endpoints.Server)
		client, _ := states(s, socketstats.Established)
		require.Equal(t, 20, client, s.ID)
		require.Equal(t, 21, s.Now(socketstats.Server).Total(), s.ID)
		require.Equal(t, &series.ConnCounts{Opened: 20}, s.KernelConns(), s.ID)
		for counter, want := range map[string]float64{"ActiveOpens": 20, "PassiveOpens": 20, "CurrEstab": 40} {
			require.InDelta(t, want, value(t, s, "kernel."+counter), 0, s.ID)
		}
		require.Len(t, pids(s.Endpoints), 3)
		for _, pid := range pids(s.Endpoints) {
			require.ErrorIs(t, socketstats.CheckProcess(int32(pid)), socketstats.ErrNoProcess, "nothing outlives a run")
		}
	}
}

// pids are the processes of a side.
func pids(at *series.Endpoints) []int {
	list := []int{at.ClientPID, at.ServerPID}
	if at.SupervisorPID != 0 {
		list = append(list, at.SupervisorPID)
	}
	return list
}

// Connections that live a few milliseconds are in no sample, and counted all the
// same: as many as the clients opened.
func TestTheKernelSeesWhatNoSampleShows(t *testing.T) {
	t.Parallel()
	source := sourceOrSkip(t, "sockdiag")
	for _, isolated := range []bool{false, true} {
		if isolated {
			isolatedOrSkip(t)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o, err := lab.Play(ctx, lab.Plan{
			Script: script(t, `
id: short-lives
title: t
implementation: keepalives-disabled
load: [{rate: 100, for: 2s}, {pause: 2m}] # ends when all is reported: a busy kernel is late
sample_interval: 1s
expect: {faulty: [requests.sent == 200], fixed: [requests.sent == 200]}
`), Seed: 1, Source: source, Isolated: isolated,
			Observe: func(e series.Event) {
				if e.Moment == nil {
					return
				}
				if seen := e.Moment.Subjects[0].KernelConns; seen != nil && seen.Closed == 200 && seen.WithTCPInfo == 200 { // by both ends
					cancel()
				}
			},
		})
		require.ErrorIs(t, err, lab.ErrInterrupted)
		faulty, fixed := o.Subject("faulty"), o.Subject("fixed")
		require.EqualValues(t, 200, faulty.Final.Connections.Opened)
		seen := *faulty.Final.KernelConns
		// Each was closed with its response. A busy machine may take a second for some; the
		// rules look at whether most were.
		require.Greater(t, 2*seen.AtOnce, seen.WithTCPInfo)
		seen.AtOnce = 0
		require.Equal(t, series.ConnCounts{Opened: 200, Closed: 200, WithTCPInfo: 200, ShortLived: 200}, seen)
		require.EqualValues(t, fixed.Final.Connections.Opened, fixed.Final.KernelConns.Opened)
		require.Less(t, faulty.Peak(socketstats.Client).Of(socketstats.Established), 200, "a busy machine sends late, and then many at once")
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
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var neighbours atomic.Int32
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for ; ctx.Err() == nil; neighbours.Add(1) {
			near, err := net.Dial("tcp4", l.Addr().String())
			if err != nil {
				t.Error(err)
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
	moments := 0
	o, err := lab.Play(ctx, lab.Plan{Script: script(t, long), Seed: 1, Isolated: true, Observe: func(e series.Event) {
		if e.Moment == nil {
			return
		}
		if moments++; moments >= 10 && neighbours.Load() > 2500 { // 5,000 sockets beside
			cancel()
		}
	}})
	cancel()
	<-gone
	require.ErrorIs(t, err, lab.ErrInterrupted)
	for _, s := range o.Subjects {
		first := slices.IndexFunc(s.Samples, func(s series.Sample) bool { return s.Client.Counts.Of(socketstats.Established) == 20 })
		require.GreaterOrEqual(t, first, 0, s.ID)
		for _, sample := range s.Samples[first+1:] { // the first may be before the server has the twentieth connection
			require.Equal(t, 20, sample.Client.Counts.Of(socketstats.Established), s.ID)
			require.Equal(t, 20, sample.Server.Counts.Of(socketstats.Established), s.ID)
		}
		require.Equal(t, 20, s.Peak(socketstats.Client).Total())
		require.Equal(t, 21, s.Peak(socketstats.Server).Total())
		require.Equal(t, &series.ConnCounts{Opened: 20}, s.Final.KernelConns, s.ID)
		for name, want := range map[string]float64{
			"ActiveOpens": 20, "PassiveOpens": 20, "CurrEstab": 40,
			"AttemptFails": 0, "EstabResets": 0, "OutRsts": 0, "TCPAbortOnData": 0, "TCPAbortOnClose": 0, "TW": 0,
		} {
			require.InDelta(t, want, value(t, s, "kernel."+name), 0, "%s of %s", name, s.ID)
		}
	}
}

func isolatedOrSkip(t *testing.T) {
	t.Helper()
	err := lab.CanIsolate()
	if errors.Is(err, netns.ErrForbidden) {
		t.Skip(err)
	}
	require.NoError(t, err)
}
