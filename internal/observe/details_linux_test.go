package observe_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

func TestWhatConnectionsDoIsWhatTheirProcessDid(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"port", "process"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			addr, port, _ := answer(t)
			pid, do := startTalker(t, addr)
			to := series.Target{PIDs: []int32{pid}}
			if target == "port" {
				to = series.Target{Port: port}
			}
			w := newWatcher(t, sockdiag(t), to, details)

			do("fresh", 2)
			do("exchange", 7)
			do("unread", 5)
			first, p := counted(t, w, pid, func(p series.SubjectSample) bool {
				return p.Client.Activity.Received.AtLeast(30*time.Millisecond) == 12 && p.Client.Activity.Unread == 5
			})
			require.Equal(t, 14, p.Client.Counts.Of(socketstats.Established))
			require.Equal(t, 2, p.Client.Activity.Fresh.Total())
			require.Zero(t, p.Client.Activity.Sent.Total())
			require.Equal(t, 14, p.Client.Activity.MaxPerDestination)
			require.Zero(t, p.Client.Activity.Dead+p.Client.Activity.Resent)

			// Three of those that were idle ask again, and get no answer.
			do("wait", 3)
			young := p.Oldest
			snap, p := counted(t, w, pid, func(p series.SubjectSample) bool { return p.Client.Activity.Sent.AtLeast(100*time.Millisecond) == 3 })
			// The kernel's clock is read later than the sample's, much later on a busy machine.
			require.Equal(t, snap.At-first.At, p.Oldest-young)
			require.LessOrEqual(t, p.Oldest, snap.At)
			require.Equal(t, 2, p.Client.Activity.Fresh.Total())
			require.Equal(t, 3, p.Client.Activity.Sent.Total())
			require.Equal(t, 9, p.Client.Activity.Received.AtLeast(100*time.Millisecond), "idle, or not read")
			require.Equal(t, 9, p.Client.Activity.Received.Total())
			require.Equal(t, 5, p.Client.Activity.Unread)

			if target == "process" {
				require.Zero(t, p.Server.Counts.Total())
				require.Equal(t, socketstats.Activity{}, *p.Server.Activity)
				return
			}
			// Seen from the server's end.
			require.Equal(t, 14, p.Server.Counts.Of(socketstats.Established))
			require.Equal(t, 2, p.Server.Activity.Fresh.Total())
			require.Equal(t, 9, p.Server.Activity.Sent.Total())
			require.Equal(t, 3, p.Server.Activity.Received.Total())
			require.Zero(t, p.Server.Activity.Unread)
		})
	}
}

func TestNothingIsSaidOfUseThatWasNotAskedFor(t *testing.T) {
	t.Parallel()
	addr, _, _ := answer(t)
	pid, do := startTalker(t, addr)
	do("exchange", 1)
	w := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{pid}}, observe.Options{})
	_, p := counted(t, w, pid, func(p series.SubjectSample) bool { return p.Client.Counts.Total() == 1 })
	require.Nil(t, p.Client.Activity)
	require.Zero(t, p.Identity.Limits)
	require.Nil(t, p.Process)

	// What gopsutil does not know is not 0.
	w = newWatcher(t, socketstats.Gopsutil{}, series.Target{PIDs: []int32{pid}}, details)
	snap, p := counted(t, w, pid, func(p series.SubjectSample) bool { return p.Client.Counts.Total() == 1 })
	require.Nil(t, p.Client.Activity)
	require.Nil(t, p.Server.Activity)
	require.Nil(t, p.Queue)
	require.Nil(t, p.KernelConns)
	require.Empty(t, snap.EventSource)
	require.NotZero(t, p.Identity.Limits, "that it knows")
}

func TestDescriptorsAndLimitsAreTheProcesss(t *testing.T) {
	t.Parallel()
	addr, port, _ := answer(t)
	pid, do := startTalker(t, addr)
	do("exchange", 1) // when it runs, Go has raised its limit
	require.NoError(t, unix.Prlimit(int(pid), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 123, Max: 456}, nil))
	do("file", 10)
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	require.NoError(t, err)
	ports, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	require.NoError(t, err)
	var first, last int
	_, err = fmt.Fscan(bytes.NewReader(ports), &first, &last)
	require.NoError(t, err)
	for _, to := range []series.Target{{PIDs: []int32{pid}}, {Port: port}} {
		w := newWatcher(t, sockdiag(t), to, details)
		_, p := counted(t, w, pid, func(p series.SubjectSample) bool { return p.Client.Counts.Total() >= 1 })
		require.Equal(t, len(entries), p.Process.Descriptors)
		require.Equal(t, socketstats.Limits{Descriptors: 123, Ports: last - first + 1}, p.Identity.Limits)
		before := len(entries)
		do("file", 3)
		do("exchange", 2)
		_, p = counted(t, w, pid, func(p series.SubjectSample) bool { return p.Client.Counts.Total() >= 3 })
		require.Equal(t, before+5, p.Process.Descriptors)
		entries, err = os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		require.NoError(t, err)
	}
}

// Other tests of this process listen, too, and none has a queue that is full.
func TestTheQueueIsThatOfAFullListener(t *testing.T) {
	self := int32(os.Getpid())
	for _, backlog := range []int{0, 2} {
		t.Run(fmt.Sprint("backlog ", backlog), func(t *testing.T) {
			fixture := statefixture.New(t, statefixture.IPv4)
			atPort := newWatcher(t, sockdiag(t), series.Target{Port: fixture.Server.Port()}, details)
			snap, err := atPort.Sample(t.Context())
			require.NoError(t, err)
			server := func() series.Sample {
				t.Helper()
				i := slices.IndexFunc(snap.Subjects, func(s series.SubjectSample) bool { return s.ID == fmt.Sprintf("server %d", self) })
				require.GreaterOrEqual(t, i, 0)
				return snap.Subjects[i].Sample
			}
			require.Equal(t, &series.Queue{Waiting: 0, Limit: statefixture.Backlog}, server().Queue)
			for range backlog + 1 {
				fixture.Unaccepted()
			}
			fixture.SynSent() // which is turned away: the queue is full
			want := &series.Queue{Waiting: backlog + 1, Limit: backlog}
			snap, err = atPort.Sample(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, server().Queue)
			require.Nil(t, snap.Queue)
			require.Nil(t, find(t, snap, self).Queue, "it is the server's")
			require.Equal(t, 1, find(t, snap, self).Client.Counts.Of(socketstats.SynSent))

			// The listener of its process, among others that are not full.
			_, _ = listen(t)
			ofProcess := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{self}}, details)
			snap, err = ofProcess.Sample(t.Context())
			require.NoError(t, err)
			require.Nil(t, snap.Queue)
			require.Equal(t, want, find(t, snap, self).Queue)
		})
	}
}

func TestAConnectionIsBriefByWhatItCarried(t *testing.T) {
	for _, target := range []string{"port", "process", "port, unprivileged", "process, unprivileged"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			addr, port, _ := answer(t)
			pid, do := startTalker(t, addr)
			do("exchange", 1) // so that it is seen where the process connects to
			to, ports, row := series.Target{Port: port}, []uint16{port}, pid
			if target[:4] == "proc" {
				to, ports = series.Target{PIDs: []int32{pid}}, nil
			}
			w := newWatcher(t, sockdiag(t), to, details)
			switch target {
			case "port, unprivileged":
				row = 0 // nobody says whose
				fallthrough
			case "process, unprivileged":
				require.NoError(t, w.WithoutPrivilege(ports...))
			}
			snap, err := w.Sample(t.Context())
			require.NoError(t, err)
			if row != 0 && snap.EventSource == "closed sockets" && target != "process, unprivileged" {
				t.Skip("not allowed to hear the tracepoint")
			}

			const many = 50
			do("long", many)
			_, p := counted(t, w, row, func(p series.SubjectSample) bool {
				return p.KernelConns != nil && p.KernelConns.WithTCPInfo >= 1 && p.KernelConns.Closed >= 1
			})
			require.Equal(t, 1, p.KernelConns.WithTCPInfo)
			require.Zero(t, p.KernelConns.ShortLived, "it had %d exchanges", many)

			do("brief", many)
			snap, p = counted(t, w, row, func(p series.SubjectSample) bool {
				return p.KernelConns != nil && p.KernelConns.WithTCPInfo >= many+1 && p.KernelConns.Closed >= many+1
			})
			require.Equal(t, many+1, p.KernelConns.WithTCPInfo)
			require.Equal(t, many, p.KernelConns.ShortLived)
			require.Equal(t, many+1, p.KernelConns.Closed)
			require.False(t, row == 0 && find(t, snap, pid).KernelConns.Closed != 0, "each is in one row")
		})
	}
}

func TestListedIsFirstWhatHasBeenSilentForLongest(t *testing.T) {
	t.Parallel()
	addr, port, clients := answer(t)
	pid, do := startTalker(t, addr)
	next := func(n int) (list []netip.AddrPort) {
		for range n {
			list = append(list, <-clients)
		}
		return list
	}
	for _, to := range []series.Target{{PIDs: []int32{pid}}, {Port: port}} {
		w := newWatcher(t, sockdiag(t), to, details)
		do("exchange", 4)
		old := next(4)
		counted(t, w, pid, func(p series.SubjectSample) bool {
			return p.Client.Activity.Received.AtLeast(100*time.Millisecond) >= 4
		})
		do("exchange", 3)
		young := next(3)
		_, p := counted(t, w, pid, func(p series.SubjectSample) bool { // and what the round before closed is gone
			return p.Client.Counts.Of(socketstats.Established) >= 7 && onlyEstablished(w)
		})

		for _, state := range []socketstats.State{0, socketstats.Established} {
			listed := w.Listed(state)
			require.Len(t, listed, p.Client.Counts.Of(socketstats.Established))
			var from []netip.AddrPort
			for i, s := range listed {
				require.Equal(t, addr, s.Remote.String(), "the client's end")
				require.Equal(t, pid, s.PID)
				from = append(from, s.Local)
				if i > 0 {
					before := listed[i-1].Info
					require.GreaterOrEqual(t, min(before.Sent, before.Received), min(s.Info.Sent, s.Info.Received))
				}
			}
			require.ElementsMatch(t, young, from[len(from)-3:])
			require.ElementsMatch(t, old, from[len(from)-7:len(from)-3])
		}
		require.Empty(t, w.Listed(socketstats.CloseWait))

		// What lingers is no open connection.
		do("brief", 1)
		next(1)
		_, p = counted(t, w, pid, func(series.SubjectSample) bool { return onlyEstablished(w) })
		require.Len(t, w.Listed(0), p.Client.Counts.Of(socketstats.Established))
	}
}

// A socket that its process has closed and that the kernel still closes, in
// FIN_WAIT1 say, is no longer in the process's row, but it is listed.
func onlyEstablished(w *observe.Watcher) bool {
	return !slices.ContainsFunc(w.Listed(0), func(s socketstats.Socket) bool { return s.State != socketstats.Established })
}

// What a real count says is the same after JSON, as a recording needs it.
func TestACountIsTheSameAfterJSON(t *testing.T) {
	t.Parallel()
	addr, port, _ := answer(t)
	pid, do := startTalker(t, addr)
	for _, to := range []series.Target{{PIDs: []int32{pid}}, {Port: port}} {
		w := newWatcher(t, sockdiag(t), to, details)
		do("exchange", 3)
		counted(t, w, pid, func(p series.SubjectSample) bool { return p.Client.Counts.Total() >= 3 })
		do("brief", 2)
		want, p := counted(t, w, pid, func(p series.SubjectSample) bool { return p.KernelConns != nil })
		require.NotEmpty(t, want.EventSource)
		require.NotNil(t, p.Client.Activity)
		data, err := json.Marshal(want)
		require.NoError(t, err)
		var got series.Moment
		require.NoError(t, json.Unmarshal(data, &got))
		require.True(t, want.Clock.Equal(got.Clock))
		want.Clock = got.Clock // in the same zone
		require.Equal(t, want, got)
	}
}

// With a port the server is a subject by itself: what it holds is in no sum, as its
// clients' rows have the same connections.
func TestTheServerOfAPortIsASubject(t *testing.T) {
	l, port := listen(t)
	first, second := startHolder(t, l.Addr().String()), startHolder(t, l.Addr().String())
	accept(t, l, 8)
	first.heard("held")
	second.heard("held")
	w := newWatcher(t, sockdiag(t), series.Target{Port: port}, details)
	var window observe.Window
	window.Add(series.Event{Header: &series.Header{Target: &series.Target{Port: port}}})
	for range 3 {
		m, err := w.Sample(t.Context())
		require.NoError(t, err)
		window.Add(series.Event{Moment: &m})
	}
	require.Equal(t, 8, window.Count(socketstats.Counts.Open))
	subjects := window.Subjects()
	require.Len(t, subjects, 4)
	for _, s := range subjects {
		switch {
		case s.ID == observe.Together:
			require.Equal(t, 8, s.Now(socketstats.Server).Open())
		case s.Serves:
			require.EqualValues(t, os.Getpid(), s.PID)
			require.Equal(t, fmt.Sprintf("observe.test (%d), the server", s.PID), s.Name)
			require.False(t, s.Paired)
			require.Zero(t, s.Now(socketstats.Client).Total())
			require.Equal(t, 8, s.Now(socketstats.Server).Open())
			require.Equal(t, 1, s.Now(socketstats.Server).Of(socketstats.Listen))
			require.Equal(t, 8, s.Last().Server.Activity.Received.Total()+s.Last().Server.Activity.Sent.Total()+s.Last().Server.Activity.Fresh.Total())
		default:
			require.True(t, s.Paired)
			require.Equal(t, 4, s.Now(socketstats.Client).Open())
		}
	}
}

// Connections of others to the same destination are not the process's: they are neither
// opened nor closed by it, also not once it is known whose they are.
func TestConnectionsOfOthersToTheSamePortAreNotCounted(t *testing.T) {
	l, _ := listen(t)
	ours, others := startHolder(t, l.Addr().String()), startHolder(t, l.Addr().String())
	accept(t, l, 8)
	ours.heard("held")
	others.heard("held")
	w := newWatcher(t, sockdiag(t), series.Target{PIDs: []int32{ours.pid}}, details)
	began := time.Now()
	for time.Since(began) < 1500*time.Millisecond { // longer than it takes to know that they are another's
		m, err := w.Sample(t.Context())
		require.NoError(t, err)
		require.Equal(t, 4, find(t, m, ours.pid).Client.Counts.Open())
		require.Equal(t, series.ConnCounts{}, *find(t, m, ours.pid).KernelConns)
		time.Sleep(50 * time.Millisecond)
	}
}
