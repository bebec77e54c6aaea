package observe

import (
	"fmt"
	"os"
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
