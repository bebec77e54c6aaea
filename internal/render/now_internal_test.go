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

func TestTheDescriptorsOfSeveralProcessesAddUp(t *testing.T) {
	t.Parallel()
	one := &series.Process{Descriptors: 25, Kinds: map[string]int{socketstats.KindTCP: 19, socketstats.KindFile: 6}}
	require.Equal(t, "25 descriptors", descriptors(one))
	both := &series.Process{Processes: 2, Descriptors: 25, Kinds: map[string]int{socketstats.KindTCP: 31, socketstats.KindFile: 11}}
	require.Equal(t, "42 descriptors, at most 25 in one process", descriptors(both))
}
