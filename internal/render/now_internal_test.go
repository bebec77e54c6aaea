package render

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

func TestWhatASubjectHasSaysWhatTakesNoDescriptor(t *testing.T) {
	t.Parallel()
	s := &series.Subject{Samples: make([]series.Sample, 1)}
	client := &s.Samples[0].Client.Counts
	client.Add(&socketstats.Socket{State: socketstats.Established})
	require.Equal(t, "client 1 ESTABLISHED", now(s))
	for range 2 {
		client.Add(&socketstats.Socket{State: socketstats.FinWait2, Unowned: true})
	}
	client.Add(&socketstats.Socket{State: socketstats.TimeWait, Unowned: true})
	require.Equal(t, "client 1 ESTABLISHED, 2 FIN_WAIT2, 1 TIME_WAIT (3 without a descriptor)", now(s))
}
