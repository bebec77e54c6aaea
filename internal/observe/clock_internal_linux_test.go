package observe

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// A process that was there before a connection fell silent may have opened it, also where the
// clock was set since the processes were read.
func TestWhoWasThereBeforeIsNotByTheClock(t *testing.T) {
	t.Parallel()
	for _, set := range []time.Duration{0, -24 * time.Hour, 24 * time.Hour} {
		p := &processes{known: map[int32]*process{}}
		own := int32(os.Getpid())
		it := p.look(own)
		require.NotNil(t, it)
		it.info.Started = it.info.Started.Add(set)
		p.target.PIDs, p.living = []int32{own}, []int32{own}
		parent := p.look(it.info.Parent)
		if parent == nil {
			t.Skip("the parent of this process is not to be seen")
		}
		it.root, parent.root = parent.pid, parent.pid
		require.Equal(t, own, p.startedBefore(own, socketstats.Uptime()), "clock set by %s", set)
		require.Equal(t, parent.pid, p.startedBefore(own, socketstats.Uptime()-it.info.Age()-time.Millisecond), "clock set by %s", set)
	}
}
