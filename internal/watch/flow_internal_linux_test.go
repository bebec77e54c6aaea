package watch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A closing that was not heard shows in two lists, and not in one: a connection
// may have been opened after the list was made.
func TestClosingsThatWereNotHeardAreSeenInTheLists(t *testing.T) {
	flows := &transitions{}
	alive := func(n int) tallies { return tallies{7: {opened: n}} }
	now := func(heard tally, listed int) tally {
		*flows.total.of(7) = heard
		return *flows.corrected(alive(listed)).of(7)
	}
	flows.corrected(alive(10)) // ten at the beginning
	require.Equal(t, tally{opened: 3}, now(tally{opened: 3}, 13))
	require.Equal(t, tally{opened: 5, closed: 2}, now(tally{opened: 5, closed: 2}, 13))
	require.Equal(t, tally{opened: 6, closed: 2}, now(tally{opened: 6, closed: 2}, 13), "the sixth was opened after the list")
	require.Equal(t, tally{opened: 6, closed: 2}, now(tally{opened: 6, closed: 2}, 14))
	require.Equal(t, tally{opened: 6, closed: 2}, now(tally{opened: 6, closed: 2}, 11), "three are gone; they may be heard of yet")
	require.Equal(t, tally{opened: 6, closed: 5}, now(tally{opened: 6, closed: 2}, 11), "they were not")
	require.Equal(t, tally{opened: 6, closed: 6}, now(tally{opened: 6, closed: 3}, 10))
}
