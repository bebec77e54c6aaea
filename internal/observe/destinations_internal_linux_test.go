package observe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// On a busy machine half a second can pass between a process's close(2) and the
// end of the socket, and between one list and the next.
func TestASocketIsAnothersOnlyIfItsProcessWasLookedForInVain(t *testing.T) {
	d, begun := newDestinations(), time.Now()
	at := func(ms int) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }
	require.False(t, d.foreign(1, at(0)))
	require.False(t, d.foreign(1, at(1000)), "the source has looked for its process once")
	require.True(t, d.foreign(1, at(1001)))
	require.False(t, d.foreign(2, at(0)))
	d.turn()
	require.False(t, d.foreign(2, at(1)))
	require.False(t, d.foreign(2, at(499)))
	require.True(t, d.foreign(2, at(500)), "what was before the count is not forgotten")

	held := socketstats.Socket{State: socketstats.CloseWait, Inode: 1, Cookie: 3, PID: 7}
	require.False(t, d.foreign(held.Cookie, at(0)))
	d.see(&held, true)
	for ms := 1; ms < 2000; ms += 100 {
		require.False(t, d.foreign(held.Cookie, at(ms)), "its process has just let go of it")
		d.turn()
	}
	require.EqualValues(t, 7, d.only(held.Remote))
}
