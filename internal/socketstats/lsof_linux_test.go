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
			zoo := statefixture.New(t, family)
			zoo.Established()
			for _, at := range []socketstats.End{client, server} {
				zoo.FinWait1(at)
				zoo.FinWait2(at)
				zoo.Orphan(at)
				zoo.TimeWait(at)
				zoo.LastAck(at)
				zoo.Closing(at)
			}
			zoo.Unaccepted()
			zoo.ListenAgain()
			other := zoo.ListenElsewhere()
			zoo.Files() // every socket has a second descriptor

			held := slices.DeleteFunc(zoo.Sockets(), func(s socketstats.Socket) bool { return s.PID == 0 })
			all, err := source.Sockets(t.Context(), socketstats.Query{Ports: []uint16{zoo.Server.Port()}, Owners: true})
			require.NoError(t, err)
			require.Equal(t, statefixture.Lines(held), statefixture.Lines(zoo.Mine(all)))
			require.True(t, slices.ContainsFunc(all, func(s socketstats.Socket) bool { return s.PID == other }))

			// What it leaves out is in the states that it says it does not see, but for
			// a connection that waits to be accepted.
			for _, s := range zoo.Sockets() {
				if s.PID == 0 && s.State != socketstats.Established {
					require.Contains(t, source.UnsupportedStates(), s.State)
				}
			}
		})
	}
}
