package socketstats_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

// lsof is the same program here as on macOS, with the same form of its output:
// this is the nearest to a run there.
func TestLsofListsTheSocketsThatAProcessHolds(t *testing.T) {
	source, err := socketstats.OpenLsof()
	if err != nil {
		t.Skipf("no lsof (apt-get install lsof): %v", err)
	}
	for _, family := range statefixture.Families() {
		t.Run(string(family), func(t *testing.T) {
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
			fixture.ListenAgain()
			other := fixture.ListenElsewhere()
			fixture.Files() // every socket has a second descriptor

			held := slices.DeleteFunc(fixture.Sockets(), func(s socketstats.Socket) bool { return s.PID == 0 })
			all, err := source.Sockets(t.Context(), socketstats.Query{Ports: []uint16{fixture.Server.Port()}, Owners: true})
			require.NoError(t, err)
			require.Equal(t, statefixture.Lines(held), statefixture.Lines(fixture.Mine(all)))
			require.True(t, slices.ContainsFunc(all, func(s socketstats.Socket) bool { return s.PID == other }))

			// What it leaves out is in the states that it says it does not see, but for
			// a connection that waits to be accepted.
			for _, s := range fixture.Sockets() {
				if s.PID == 0 && s.State != socketstats.Established {
					require.Contains(t, source.UnsupportedStates(), s.State)
				}
			}
		})
	}
}
