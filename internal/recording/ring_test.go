package recording_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/series"
)

// ring keeps events within a bound.
func ring(t *testing.T, r *recording.Ring, events []series.Event) []series.Event {
	t.Helper()
	for _, e := range events {
		require.NoError(t, r.Add(e))
	}
	return r.Events()
}

func TestARingKeepsAllWithinItsBound(t *testing.T) {
	t.Parallel()
	events := aWatch(20)
	require.Equal(t, events, ring(t, &recording.Ring{Keep: time.Minute}, events))
	require.Equal(t, events, ring(t, &recording.Ring{}, events))
	require.Empty(t, (&recording.Ring{}).Events())
}

func TestARingIsARecordingOfTheNewestPart(t *testing.T) {
	t.Parallel()
	all := aWatch(60)
	kept := ring(t, &recording.Ring{Keep: 20 * time.Second}, all)
	got, err := recording.Read(t.Context(), recorded(t, kept))
	require.NoError(t, err)
	o := got.Observation
	require.Equal(t, 21, o.Cost.Samples)
	require.Equal(t, started.Add(39*time.Second), o.Started)
	require.Equal(t, "leaky \"<&>\" (7)", o.Subjects[0].Name, "who it is was said before")
	require.EqualValues(t, 1024, o.Subjects[0].Limits.Descriptors)
	first, last := o.Subjects[0].Samples[0], o.Subjects[0].Last()
	require.Zero(t, first.At)
	require.Equal(t, 20*time.Second, last.At)
	require.Zero(t, first.KernelConns.Opened)
	require.Equal(t, 200, last.KernelConns.Opened, "counts begin with the first moment that is kept")
	require.Equal(t, 21*time.Second, o.Duration)
	require.Equal(t, 60, len(all)-2, "the events themselves stay as they are")
	require.Equal(t, 390, all[40].Moment.Subjects[0].KernelConns.Opened)

	// It gives the verdict that a window of the same length gives.
	var window, read observe.Window
	window.Most, window.OldestFirst = 21, true
	for _, e := range all {
		window.Add(e)
	}
	for _, e := range got.Events {
		read.Add(e)
	}
	require.Equal(t, observe.Judge(window.Subjects(), true)["7"].Kind, observe.Judge(read.Subjects(), true)["7"].Kind)
}

func TestARingIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	all := aWatch(60)
	line, err := json.Marshal(all[30])
	require.NoError(t, err)
	kept := ring(t, &recording.Ring{Bytes: 10 * len(line)}, all)
	require.InDelta(t, 10, len(kept)-2, 1)
	require.Len(t, ring(t, &recording.Ring{Bytes: 1}, all), 3, "the newest moment is always kept")
}
