package observe

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
)

// The kernel gives the id of a process that has ended to another one.
func TestAProcessWithTheSameIDIsAnother(t *testing.T) {
	t.Parallel()
	me := int32(os.Getpid())
	p, err := findProcesses(series.Target{PIDs: []int32{me}, NoChildren: true}, Options{})
	require.NoError(t, err)
	living, err := p.current(t.Context())
	require.NoError(t, err)
	require.Contains(t, living, me)
	require.Equal(t, fmt.Sprint(me), p.identity(row{pid: me}).ID)

	p.known[me].info.Started = time.Unix(1, 0)
	_, err = p.current(t.Context())
	require.ErrorIs(t, err, ErrGone, "that one has ended")
	require.Equal(t, fmt.Sprintf("%d.2", me), p.identity(row{pid: me}).ID)
	require.Zero(t, p.root(me))
}

// A service may have many clients that live for a second, also as parts of one that goes on. Those of
// a moment ago are known, and one that has processes below it.
func TestProcessesThatHaveEndedAreForgotten(t *testing.T) {
	t.Parallel()
	p, err := findProcesses(series.Target{Port: 1}, Options{})
	require.NoError(t, err)
	me := int32(os.Getpid())
	require.NotNil(t, p.look(me))
	const none = 1 << 22 // Linux gives no higher id
	p.known[none] = &process{pid: none, name: "parent", root: none, lives: 1}
	p.known[me].root = none
	const samples, each = 150, 100
	for n := range samples {
		_, err := p.current(t.Context())
		require.NoError(t, err)
		for i := range each {
			pid := int32(none + 1 + n*each + i)
			p.known[pid] = &process{pid: pid, name: "client", root: []int32{0, none}[i%2], lives: 1, round: p.round}
		}
		require.Contains(t, p.known, int32(none+1+max(0, n-lingers)*each), "it was there a moment ago")
	}
	require.LessOrEqual(t, len(p.known), 2*mostKnown+2*lingers*each)
	require.Contains(t, p.known, me)
	require.Contains(t, p.known, int32(none), "it has a child")
	require.NotEmpty(t, p.lives)
	require.LessOrEqual(t, len(p.lives), mostLives)

	delete(p.known, me)
	p.lives[me] = 1
	require.Equal(t, fmt.Sprintf("%d.2", me), p.look(me).id)
}

// Between the look for a thread that runs and the look through it, it may end; others go on.
func TestANamespaceThatAnEndedThreadHidIsLookedForAgain(t *testing.T) {
	t.Parallel()
	me := int32(os.Getpid())
	require.True(t, hasEnded(me, &fs.PathError{Op: "open", Path: "/proc/1/ns/net", Err: syscall.ENOENT}))
	require.False(t, hasEnded(me, &fs.PathError{Op: "open", Path: "/proc/1/ns/net", Err: syscall.EACCES}))
	require.True(t, hasEnded(1<<22, syscall.EACCES), "Linux gives no such id")
}
