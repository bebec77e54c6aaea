package socketstats_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

// once runs a test of many questions for every source, and for every family
// where that costs little: gopsutil reads the whole system for each.
func once(t *testing.T, test func(*testing.T, socketstats.Source, statefixture.Family)) {
	t.Run("gopsutil", func(t *testing.T) { test(t, socketstats.Gopsutil{}, statefixture.DualStack) })
	eachFamily(t, func(t *testing.T, d *socketstats.Sockdiag, family statefixture.Family) { test(t, d, family) })
}

// everything holds sockets in every state on one port.
func everything(t *testing.T, family statefixture.Family) *statefixture.Fixture {
	fixture := statefixture.New(t, family)
	fixture.Established()
	for _, at := range []socketstats.End{client, server} {
		fixture.FinWait1(at)
		fixture.FinWait2(at)
		fixture.Orphan(at)
		fixture.TimeWait(at)
		fixture.LastAck(at)
		fixture.Closing(at)
	}
	fixture.Unaccepted()
	fixture.SynRecv()
	fixture.SynSent()
	return fixture
}

// requireOnly fails unless src answers q with what keep keeps of the fixture, and
// with nothing that the query does not ask for.
func requireOnly(t *testing.T, src socketstats.Source, fixture *statefixture.Fixture, q socketstats.Query, keep func(socketstats.Socket) bool) {
	t.Helper()
	want := slices.DeleteFunc(fixture.Sockets(), func(s socketstats.Socket) bool { return !keep(s) })
	for i := range want {
		want[i].PID = 0
	}
	got, err := src.Sockets(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, statefixture.Lines(want), statefixture.Lines(fixture.Mine(got)), "%s, asked for %v", src.Name(), q)
	for _, s := range got {
		require.True(t, len(q.States) == 0 || slices.Contains(q.States, s.State), "%+v was not asked for", s)
		require.True(t, len(q.Ports) == 0 || slices.Contains(q.Ports, s.Local.Port()) ||
			slices.Contains(q.Ports, s.Remote.Port()), "%+v was not asked for", s)
	}
}

func TestStatesLimitWhatIsListed(t *testing.T) {
	asked := [][]socketstats.State{
		nil,
		{},
		socketstats.States(),
		{socketstats.Listen, socketstats.SynRecv, socketstats.TimeWait},
		{socketstats.FinWait2, socketstats.FinWait2}, // of which some are remnants
		{socketstats.Close}, // rightly none
	}
	for _, s := range socketstats.States() {
		asked = append(asked, []socketstats.State{s})
	}
	once(t, func(t *testing.T, src socketstats.Source, family statefixture.Family) {
		fixture := everything(t, family)
		for _, states := range asked {
			q := socketstats.Query{Ports: []uint16{fixture.Server.Port()}, States: states}
			requireOnly(t, src, fixture, q, func(s socketstats.Socket) bool {
				return len(states) == 0 || slices.Contains(states, s.State)
			})
		}
	})
}

func TestPortsLimitWhatIsListed(t *testing.T) {
	const most = 2048 // see maxPorts
	for _, src := range sources(t) {
		fixtures := []*statefixture.Fixture{
			everything(t, statefixture.IPv4), everything(t, statefixture.IPv6), everything(t, statefixture.DualStack),
		}
		var ports []uint16
		for _, fixture := range fixtures {
			ports = append(ports, fixture.Server.Port())
		}
		// Ports that nobody has been given here, beside ours.
		full := slices.Clone(ports[:2])
		for port := uint16(1); len(full) < most; port++ {
			full = append(full, port)
		}
		for _, asked := range [][]uint16{nil, {}, ports[:1], ports[1:], ports, full[:1024], full, {1}} {
			for _, fixture := range fixtures {
				q := socketstats.Query{Ports: asked}
				// Not the server's port alone: the client of one family may have been
				// given the port on which the server of another listens.
				requireOnly(t, src, fixture, q, func(s socketstats.Socket) bool {
					return len(asked) == 0 || slices.Contains(asked, s.Local.Port()) ||
						slices.Contains(asked, s.Remote.Port())
				})
			}
		}
	}
}

func TestMorePortsThanTheKernelsFilterHoldsAreAnError(t *testing.T) {
	d := sockdiag(t)
	fixture := statefixture.New(t, statefixture.IPv4)
	for _, n := range []int{2049, 1 << 16} {
		got, err := d.Sockets(t.Context(), socketstats.Query{Ports: make([]uint16, n)})
		require.ErrorContains(t, err, "ports")
		require.Nil(t, got)
	}
	fixture.RequireListedBy(d)
}

func TestAStateThatDoesNotExistHasNoSockets(t *testing.T) {
	for _, src := range sources(t) {
		for _, state := range []socketstats.State{0, 12, 13, 32, 33, 255} {
			got, err := src.Sockets(t.Context(), socketstats.Query{States: []socketstats.State{state}})
			require.NoError(t, err, "state %d", state)
			require.Empty(t, got, "state %d", state)
		}
	}
}

// Each call gives the owners among the processes of that call, whatever an
// earlier one asked for.
func TestOwnersAreThoseAmongTheProcessesAskedFor(t *testing.T) {
	once(t, func(t *testing.T, src socketstats.Source, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		fixture.Established()
		fixture.Orphan(client)
		me := int32(os.Getpid())
		helper := fixture.ListenElsewhere()
		const nobodys = 1 << 30 // above any process id, PID_MAX_LIMIT
		among := [][]int32{{helper}, {me}, nil, {me, helper}, {helper}, {nobodys}, {helper, me}, {me}, {}, {me, nobodys}}
		calls := 2 // found, and remembered
		if src.Name() == "gopsutil" {
			among, calls = among[:3], 1 // it remembers nothing
		}
		for _, among := range among {
			want := fixture.Sockets()
			for i := range want {
				if len(among) > 0 && !slices.Contains(among, want[i].PID) {
					want[i].PID = 0
				}
			}
			q := socketstats.Query{Ports: []uint16{fixture.Server.Port()}, Owners: true, OwnersAmong: among}
			for range calls {
				got, err := src.Sockets(t.Context(), q)
				require.NoError(t, err)
				require.Equal(t, statefixture.Lines(want), statefixture.Lines(fixture.Mine(got)), "among %v", among)
			}
			q.Owners = false
			got, err := src.Sockets(t.Context(), q)
			require.NoError(t, err)
			for _, s := range got {
				require.Zero(t, s.PID, "owners were not asked for")
			}
		}
	})
}
