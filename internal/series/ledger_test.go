package series

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

type alive map[string]Ends

func TestOpenedIsAliveAndClosedLessTheBaseline(t *testing.T) {
	t.Parallel()
	var l Ledger[string]
	require.Nil(t, l.Counts("a"), "nothing is known before the first list")
	l.Closed("a", ClosedConn{})
	l.Alive(alive{"a": {Client: 3}})
	require.Equal(t, &ConnCounts{}, l.Counts("a"), "what was there before is not opened, and what was closed before is not closed")

	l.Closed("a", ClosedConn{WithTCPInfo: true, ShortLived: true})
	l.Closed("a", ClosedConn{WithTCPInfo: true, Inferred: true})
	l.Closed("a", ClosedConn{})
	l.Alive(alive{"a": {Client: 5}})
	require.Equal(t, &ConnCounts{Opened: 5, Closed: 3, WithTCPInfo: 2, ShortLived: 1, Inferred: 1}, l.Counts("a"))
	for range 5 {
		l.Closed("a", ClosedConn{})
	}
	l.Alive(alive{})
	require.Equal(t, 5, l.Counts("a").Opened)
	require.Equal(t, 8, l.Counts("a").Closed, "the three of before and the five")
	l.AtLeast = true
	require.Equal(t, &ConnCounts{AtLeast: true}, l.Counts("b"), "an account of which nothing was heard")
}

func TestTheEndThatShowsMoreSpeaksForTheConnections(t *testing.T) {
	t.Parallel()
	var l Ledger[string]
	l.Alive(alive{})
	l.Alive(alive{"a": {Client: 5, Server: 3}}) // two wait in the accept queue
	require.Equal(t, 5, l.Counts("a").Opened)
	require.Zero(t, l.Counts("a").Closed)
	for range 5 { // reset: the client's end forgets where it went
		l.Closed("a", ClosedConn{End: socketstats.Server})
	}
	l.Alive(alive{})
	require.Equal(t, ConnCounts{Opened: 5, Closed: 5}, ConnCounts{Opened: l.Counts("a").Opened, Closed: l.Counts("a").Closed})
	l.Alive(alive{"a": {Server: 2}})
	require.Equal(t, 7, l.Counts("a").Opened)
}

// A closing that was not heard shows in two lists, and not in one: a connection
// may have been opened after the list was made.
func TestClosingsThatWereNotHeardAreSeenInTwoLists(t *testing.T) {
	t.Parallel()
	l := Ledger[string]{HearsOpened: true}
	l.Alive(alive{"a": {Client: 10}})
	opened, closed := 0, 0
	counts := func(nowOpened, nowClosed, listed int) [2]int {
		for ; opened < nowOpened; opened++ {
			l.Opened("a")
		}
		for ; closed < nowClosed; closed++ {
			l.Closed("a", ClosedConn{})
		}
		l.Alive(alive{"a": {Client: listed}})
		return [2]int{l.Counts("a").Opened, l.Counts("a").Closed}
	}
	require.Equal(t, [2]int{3, 0}, counts(3, 0, 13))
	require.Equal(t, [2]int{5, 2}, counts(5, 2, 13))
	require.Equal(t, [2]int{6, 2}, counts(6, 2, 13), "the sixth was opened after the list")
	require.Equal(t, [2]int{6, 2}, counts(6, 2, 14))
	require.Equal(t, [2]int{6, 2}, counts(6, 2, 11), "three are gone; they may be heard of yet")
	require.Equal(t, [2]int{6, 5}, counts(6, 2, 11), "they were not")
	require.Equal(t, [2]int{6, 6}, counts(6, 3, 10))
}
