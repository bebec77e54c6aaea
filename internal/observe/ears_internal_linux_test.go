package observe

import (
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// A watch of days hears of millions of connections, and keeps none of them.
func TestWhatWasHeardIsNotKept(t *testing.T) {
	t.Parallel()
	for _, traced := range []bool{false, true} {
		t.Run(fmt.Sprintf("traced %t", traced), func(t *testing.T) {
			t.Parallel()
			source, err := socketstats.OpenSource(socketstats.Auto)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, source.Close()) })
			w, err := New(t.Context(), source, series.Target{PIDs: []int32{int32(os.Getpid())}}, Options{Details: true})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, w.Close()) })
			if w.views[0].ears == nil {
				t.Skip("the source does not tell of connections that end")
			}
			if !traced {
				require.NoError(t, w.WithoutPrivilege())
			} else if w.untraced {
				t.Skip("the tracepoint needs root")
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			for range 50 {
				c, err := net.Dial("tcp", l.Addr().String())
				require.NoError(t, err)
				other, err := l.Accept()
				require.NoError(t, err)
				require.NoError(t, c.Close())
				require.NoError(t, other.Close())
			}
			before := w.views[0].ears.events
			for w.views[0].ears.events < before+50 {
				_, err := w.Sample(t.Context())
				require.NoError(t, err)
			}
			require.Zero(t, w.views[0].ears.since)
		})
	}
}
