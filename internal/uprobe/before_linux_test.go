package uprobe

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The innermost word of a stack is its first, where sp points. A connection further in than
// the goroutine's own was left there by an earlier goroutine.
func TestAConnectionThatAnEarlierGoroutineLeftOnTheStackIsNotTaken(t *testing.T) {
	const left, own = 0xc000010000, 0xc000020000
	isConn := func(w uint64) bool { return w == left || w == own }
	conn, found := outermost([]uint64{1, left, 2, own, 3}, isConn)
	require.True(t, found)
	require.Equal(t, uint64(own), conn)
	_, found = outermost([]uint64{1, 2, 3}, isConn)
	require.False(t, found)
}
