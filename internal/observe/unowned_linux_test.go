package observe_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

// What a process has closed, and what it has not accepted yet, takes none of its
// descriptors: it is counted by its state, and not as open.
func TestWhatHasNoDescriptorIsNotOpen(t *testing.T) {
	const closed, waiting = 3, 2
	fixture := statefixture.New(t, statefixture.IPv4)
	fixture.Established()
	var conns []*statefixture.Conn
	for range closed {
		conns = append(conns, fixture.Established())
	}
	w := newWatcher(t, sockdiag(t), series.Target{Port: fixture.Server.Port()}, observe.Options{})
	self := int32(os.Getpid())
	sample := func() (client, server socketstats.Counts) {
		t.Helper()
		m, err := w.Sample(t.Context())
		require.NoError(t, err)
		s := find(t, m, self)
		return s.Client.Counts, s.Server.Counts
	}
	client, server := sample()
	require.Equal(t, [4]int{1 + closed, 0, 1 + closed, 0}, [4]int{client.Open(), client.Unowned(), server.Open(), server.Unowned()})

	for _, c := range conns {
		c.FinWait2(socketstats.Client)
		c.LetGo(socketstats.Client)
	}
	for range waiting {
		fixture.Unaccepted()
	}
	client, server = sample()
	require.Equal(t, closed, client.Of(socketstats.FinWait2))
	require.Equal(t, 1+waiting, client.Of(socketstats.Established))
	require.Equal(t, [2]int{1 + waiting, closed}, [2]int{client.Open(), client.Unowned()})
	require.Equal(t, 1+waiting, server.Of(socketstats.Established))
	require.Equal(t, [2]int{1 + closed, waiting}, [2]int{server.Open(), server.Unowned()})

	type row struct {
		id    string
		end   socketstats.End
		state socketstats.State
	}
	rows := map[row]int{}
	w.EachSocket(func(id string, end socketstats.End, s *socketstats.Socket) {
		if id == observe.NoProcess {
			rows[row{id, end, s.State}]++
		}
	})
	require.Equal(t, map[row]int{
		{observe.NoProcess, socketstats.Client, socketstats.FinWait2}:    closed,
		{observe.NoProcess, socketstats.Server, socketstats.Established}: waiting,
	}, rows)
}
