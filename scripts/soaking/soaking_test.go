//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// life is two hours of points, one every 10 s.
func life(of func(hours float64, noise int) point) []point {
	noise := rand.New(rand.NewPCG(1, 2))
	var points []point
	for at := time.Duration(0); at < 2*time.Hour; at += 10 * time.Second {
		p := of(at.Hours(), noise.IntN(7)-3)
		p.At = at
		points = append(points, p)
	}
	return points
}

func TestATrendIsSeenThroughNoiseAndNoiseIsNone(t *testing.T) {
	t.Parallel()
	flat := life(func(_ float64, noise int) point {
		return point{RSS: (60 + noise) << 20, Descriptors: 20 + noise%2, Goroutines: 4}
	})
	growing := life(func(hours float64, noise int) point {
		return point{RSS: (60+noise)<<20 + int(hours*10*(1<<20)), Descriptors: 20 + noise%2 + int(3*hours), Goroutines: 4 + int(3*hours)}
	})
	warmingUp := life(func(hours float64, _ int) point {
		return point{RSS: int(min(hours, 0.15) * 400 * (1 << 20)), Descriptors: 20, Goroutines: 4}
	})
	for _, m := range measures {
		require.False(t, m.trend(&series{Points: flat}).grows, m.name)
		require.True(t, m.trend(&series{Points: growing}).grows, m.name)
		require.False(t, m.trend(&series{Points: warmingUp}).grows, m.name)
		require.False(t, m.trend(&series{}).grows)
		require.Zero(t, m.trend(&series{Points: growing, Fills: true}), "it has not kept all that it can")
		require.True(t, m.trend(&series{Points: growing, Fills: true, Warm: 20 * time.Minute}).grows, m.name)
	}
	require.InDelta(t, 10, measures[0].trend(&series{Points: growing}).perHour, 1)
}

func TestAllSourcesAreReadAlike(t *testing.T) {
	t.Parallel()
	const out = `ESTAB     0 0 127.0.0.1:50001 127.0.0.1:8080
ESTAB     0 0 127.0.0.1:8080  127.0.0.1:50001
TIME-WAIT 0 0 127.0.0.1:50002 127.0.0.1:8080
FIN-WAIT-2 0 0 127.0.0.1:8080 127.0.0.1:50003
LISTEN    0 4096 127.0.0.1:8080 0.0.0.0:*
`
	want := parseSS(out, 8080)
	require.Equal(t, counts{
		"client ESTABLISHED": 1, "server ESTABLISHED": 1, "client TIME_WAIT": 1, "server FIN_WAIT2": 1,
		listens + "ESTABLISHED": 1, listens + "FIN_WAIT2": 1,
	}, want)
	line := momentCounts(`{"moment":{"at_ns":2000000000,"subjects":[{"id":"7","client":{"counts":{"ESTABLISHED":1,"TIME_WAIT":1,"total":2}},"server":{"counts":{"ESTABLISHED":1,"FIN_WAIT2":1,"total":2}}},` +
		`{"id":"server 8","server":{"counts":{"ESTABLISHED":1,"FIN_WAIT2":1,"LISTEN":1,"total":3}}}]}}`)
	got := line.counts
	require.Equal(t, want, got)
	require.Equal(t, 2*time.Second, line.at)
	require.Empty(t, got.between(want, want, "client "))
	got["client ESTABLISHED"]++
	require.Equal(t, "2 client ESTABLISHED, ss 1 to 1", got.between(want, want, "client "))
	require.Nil(t, momentCounts(`{"end":{}}`))
	require.Equal(t, &sample{counts: counts{"server ESTABLISHED": 3}}, loggedCounts("level=INFO msg=sockets source=sockdiag in_progress=3 ESTABLISHED=3 LISTEN=1\n"))
	require.Equal(t, counts{"client CLOSE_WAIT": 5}, exportedCounts("socketlab_sockets{end=\"client\",pid=\"1\",state=\"CLOSE_WAIT\"} 2\nsocketlab_sockets{end=\"client\",process=\"other\",state=\"CLOSE_WAIT\"} 3\n"))
}

// A line that waited to be read is of a sample from before.
func TestOldLinesAreNotTheNextSample(t *testing.T) {
	f := feed{counts: momentCounts}
	began := time.Now()
	add := func(late time.Duration) {
		f.add(fmt.Sprintf(`{"moment":{"at_ns":%d}}`, max(time.Since(began)-late, 1)))
	}
	for _, test := range []struct{ late, wait time.Duration }{{time.Hour, 200 * time.Millisecond}, {0, time.Minute}} {
		ctx, cancel := context.WithTimeout(t.Context(), test.wait)
		add(0)
		var adding sync.WaitGroup
		adding.Go(func() {
			for ; ctx.Err() == nil; pause(ctx, time.Millisecond) {
				add(test.late)
			}
		})
		_, err := f.after(ctx)
		cancel()
		adding.Wait()
		require.Equal(t, test.late == 0, err == nil)
	}
}
