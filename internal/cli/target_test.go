package cli

import (
	"context"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// slowSource takes its time for each list.
type slowSource struct {
	socketstats.Gopsutil
	takes time.Duration
	lists int
}

func (s *slowSource) Sockets(context.Context, socketstats.Query) ([]socketstats.Socket, error) {
	s.lists++
	time.Sleep(s.takes)
	local := netip.MustParseAddrPort("127.0.0.1:80")
	return []socketstats.Socket{{Local: local, State: socketstats.Listen}}, nil
}

// Where lists take long, as under Wine, none is begun when the time is over, and
// they do not pile up.
func TestFollowingEndsWithTheCountInWhichItsTimeIsOver(t *testing.T) {
	for name, test := range map[string]struct {
		takes  time.Duration
		counts int
		lasts  time.Duration
	}{
		"quick":                         {takes: 0, counts: 5, lasts: 3500 * time.Millisecond},
		"longer than the interval":      {takes: 1500 * time.Millisecond, counts: 3, lasts: 4500 * time.Millisecond},
		"longer than the whole time":    {takes: 10 * time.Second, counts: 1, lasts: 10 * time.Second},
		"just as long as the interval":  {takes: time.Second, counts: 4, lasts: 4 * time.Second},
		"far longer than the next tick": {takes: 3 * time.Second, counts: 2, lasts: 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &slowSource{takes: test.takes}
				w, err := observe.New(t.Context(), source, series.Target{Port: 80}, observe.Options{})
				require.NoError(t, err)
				defer w.Close()
				source.lists = 0
				f := &follower{watcher: w, source: source, interval: time.Second, length: 3500 * time.Millisecond, errs: io.Discard}
				began := time.Now()
				var seen series.Observation
				require.NoError(t, f.follow(t.Context(), func(e series.Event) error { seen.Add(e); return nil }))
				require.Equal(t, test.counts, seen.Cost.Samples)
				require.EqualValues(t, 80, seen.Target.Port)
				require.Equal(t, time.Second, seen.Interval)
				require.True(t, seen.Over)
				require.Empty(t, seen.Stopped)
				require.Equal(t, test.counts, source.lists)
				require.Equal(t, test.lasts, time.Since(began))
			})
		})
	}
}
