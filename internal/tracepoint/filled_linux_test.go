package tracepoint

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/bpf"
	"socketlab/internal/bpf/softirqtest"
	"socketlab/internal/socketstats"
)

// Who drains only when the buffer says so loses nothing, of ten times what it holds.
func TestTheBufferSaysWhenItFills(t *testing.T) {
	const buffer, connections = 64 << 10, 700
	ln, server := listen(t, "127.0.0.1:0")
	e := open(t, Options{Ports: []uint16{server.Port()}, Buffer: buffer})
	all := open(t, Options{Ports: []uint16{server.Port()}})
	filled, err := e.l.Filled()
	require.NoError(t, err)
	again, err := e.l.Filled()
	require.NoError(t, err)
	require.Equal(t, filled, again, "one wait for all who ask")
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for range connections {
			for e.l.ring.Waiting() > buffer/2 { // however late this machine wakes it
				<-tick.C
			}
			c, s := connect(t, ln, server.String())
			shut(t, c, s)
		}
	}()
	hid := softirqtest.Hidden(t)
	told := 0
	for over := false; !over; {
		select {
		case <-filled:
			told++
			e.hear()
		case <-done:
			over = true
		case <-time.After(patience):
			t.Fatal("neither filled nor done")
		}
	}
	closed := func(x Transition) bool { return x.To == socketstats.Close }
	all.until(func() bool { return count(all.heard, closed) == 2*connections || hid() > 0 })
	e.hear()
	if hid() > 0 {
		t.Skip("the kernel hid interrupts from all tracing programs")
	}
	require.Zero(t, e.lost)
	want, got := slices.Sorted(slices.Values(lines(all.heard))), slices.Sorted(slices.Values(lines(e.heard)))
	require.True(t, slices.Equal(want, got), "heard %d and %d", len(want), len(got))
	require.Greater(t, len(e.heard)*(bpf.RingHeader+recordSize), 10*buffer)
	// Each eighth says so once, and once more where it is drained meanwhile.
	eighths := len(e.heard) * (bpf.RingHeader + recordSize) * 8 / buffer
	require.Greater(t, told, 10, "of %d eighths", eighths)
	require.LessOrEqual(t, told, 2*eighths+2)
}

func TestAWaitEndsWithItsListener(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	e := open(t, Options{Ports: []uint16{server.Port()}, Buffer: 1})
	_, err := e.l.Filled()
	require.NoError(t, err)
	for range 20 { // it wants to say so, and is not asked
		c, s := connect(t, ln, server.String())
		shut(t, c, s)
	}
	require.NoError(t, e.l.Close())
	_, err = e.l.Filled()
	require.Error(t, err)
}
