package observe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// A closing that was not heard shows in two lists, and not in one: a connection
// may have been opened after the list was made.
func TestClosingsThatWereNotHeardAreSeenInTheLists(t *testing.T) {
	flows := &transitions{}
	alive := func(n int) accounts { return accounts{7: {opened: n}} }
	now := func(heard account, listed int) account {
		*flows.total.of(7) = heard
		return *flows.corrected(alive(listed)).of(7)
	}
	flows.corrected(alive(10)) // ten at the beginning
	require.Equal(t, account{opened: 3}, now(account{opened: 3}, 13))
	require.Equal(t, account{opened: 5, closed: 2}, now(account{opened: 5, closed: 2}, 13))
	require.Equal(t, account{opened: 6, closed: 2}, now(account{opened: 6, closed: 2}, 13), "the sixth was opened after the list")
	require.Equal(t, account{opened: 6, closed: 2}, now(account{opened: 6, closed: 2}, 14))
	require.Equal(t, account{opened: 6, closed: 2}, now(account{opened: 6, closed: 2}, 11), "three are gone; they may be heard of yet")
	require.Equal(t, account{opened: 6, closed: 5}, now(account{opened: 6, closed: 2}, 11), "they were not")
	require.Equal(t, account{opened: 6, closed: 6}, now(account{opened: 6, closed: 3}, 10))
}

// On a busy machine half a second can pass between a process's close(2) and the
// end of the socket, and between one list and the next.
func TestASocketIsAnothersOnlyIfItsProcessWasLookedForInVain(t *testing.T) {
	u, begun := newUses(), time.Now()
	at := func(ms int) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }
	require.False(t, u.foreign(1, at(0)))
	require.False(t, u.foreign(1, at(1000)), "the source has looked for its process once")
	require.True(t, u.foreign(1, at(1001)))
	require.False(t, u.foreign(2, at(0)))
	u.counted()
	require.False(t, u.foreign(2, at(1)))
	require.False(t, u.foreign(2, at(499)))
	require.True(t, u.foreign(2, at(500)), "what was before the count is not forgotten")

	held := socketstats.Socket{State: socketstats.CloseWait, Inode: 1, Cookie: 3, PID: 7}
	require.False(t, u.foreign(held.Cookie, at(0)))
	u.see(&held, true)
	for ms := 1; ms < 2000; ms += 100 {
		require.False(t, u.foreign(held.Cookie, at(ms)), "its process has just let go of it")
		u.counted()
	}
	require.EqualValues(t, 7, u.only(held.Remote))
}
