package observe

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/tracepoint"
)

// heard is closings that are heard at the next call.
type heard struct{ closed []socketstats.Closed }

func (h *heard) Drain(into []socketstats.Closed) ([]socketstats.Closed, int, error) {
	into = append(into, h.closed...)
	h.closed = nil
	return into, 0, nil
}

func (h *heard) Close() error { return nil }

func TestAConnectThatFailedIsNoConnection(t *testing.T) {
	t.Parallel()
	local, remote := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("192.0.2.1:80")
	sort := &byProcess{processes: &processes{target: series.Target{PIDs: []int32{7}}, known: map[int32]*process{7: {pid: 7, root: 7}}}, destinations: newDestinations()}
	source := &heard{}
	v := &view{sort: sort}
	v.ears = &ears{closings: source, owners: &v.owners}
	c := &connections{account: func(pid int32, _ uint32) row { return row{pid: pid} }}
	sample := func(list []socketstats.Socket, closed ...socketstats.Closed) *series.Moment {
		source.closed = closed
		require.NoError(t, c.beforeList(v))
		v.sockets = list
		v.owners.Attribute(list)
		sort.list(list, 0)
		require.NoError(t, c.afterList(v))
		c.alive([]*view{v})
		m := &series.Moment{}
		c.enter(rows{row{pid: 7}: {}}, m, []*view{v}, nil)
		return m
	}
	asks := socketstats.Socket{Local: local, Remote: remote, State: socketstats.SynSent, PID: 7, Cookie: 1}
	sample(nil)
	sample([]socketstats.Socket{asks})
	m := sample(nil, socketstats.Closed{Local: local, Remote: remote, Cookie: 1, Answered: true}, socketstats.Closed{Local: local, Remote: remote, Cookie: 2})
	require.Equal(t, series.ConnCounts{GivenUp: 1}, *c.ledger.Counts(row{pid: 7}), "the other was refused")
	require.Zero(t, m.Unattributed, "whoever it was of")

	// One that was reset by its own end has forgotten its remote port.
	sample([]socketstats.Socket{asks})
	forgotten := socketstats.Closed{Local: local, Remote: netip.AddrPortFrom(remote.Addr(), 0), Cookie: 1, Connected: true}
	m = sample(nil, forgotten)
	require.Equal(t, series.ConnCounts{Opened: 1, Closed: 1, GivenUp: 1}, *c.ledger.Counts(row{pid: 7}))
	require.False(t, m.AtLeast)
	forgotten.Cookie = 3
	m = sample(nil, forgotten)
	require.Equal(t, 1, m.Unattributed)
	require.True(t, m.AtLeast, "it may have been the watched process's")
}

// Where it is heard who connects, a closed connection to the same address is not taken for the
// watched process's: another one connects there, too.
func TestWithATraceNoConnectionIsAttributedByWhereItWent(t *testing.T) {
	t.Parallel()
	local, remote := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("192.0.2.1:80")
	sort := &byProcess{processes: &processes{target: series.Target{PIDs: []int32{7}}, known: map[int32]*process{7: {pid: 7, root: 7}}}, destinations: newDestinations()}
	sort.destinations.by[remote] = 7
	source := &heard{}
	v := &view{sort: sort}
	v.ears = &ears{trace: &transitions{}, closings: source, owners: &v.owners}
	c := &connections{account: func(pid int32, _ uint32) row { return row{pid: pid} }}
	c.alive([]*view{v})
	closed := []socketstats.Closed{{Local: local, Remote: remote, Cookie: 1, Connected: true, SegmentsOut: 1}}
	source.closed = closed
	require.NoError(t, c.hearClosings(v))
	require.Zero(t, *c.ledger.Counts(row{pid: 7}))

	v.ears.trace.openers.set(local, remote, 7)
	source.closed = closed
	require.NoError(t, c.hearClosings(v))
	require.Equal(t, 1, c.ledger.Counts(row{pid: 7}).WithTCPInfo)
}

func TestARejectedAttemptIsNotGivenUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   syscall.Errno
		spent time.Duration
		given bool
	}{
		{0, 300 * time.Millisecond, true}, // by the dialer
		{0, 0, true},                      // begun before it was listened
		{0, 200 * time.Microsecond, false},
		{syscall.ETIMEDOUT, 2 * time.Minute, true},
		{syscall.EHOSTUNREACH, 3 * time.Second, true}, // a neighbour that does not answer, by the kernel
		{syscall.EHOSTUNREACH, 200 * time.Microsecond, false},
		{syscall.ENETUNREACH, 80 * time.Millisecond, false},
	} {
		require.Equal(t, c.given, givenUp(tracepoint.Transition{Err: c.err, StateDuration: c.spent}), "%v after %v", c.err, c.spent)
	}
}
