package tracepoint

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"golang.org/x/sys/unix"
	"socketlab/internal/bpf"

	"socketlab/internal/socketstats"
)

// What one copy of the program does not hear, the other does, and what both
// hear is written once.
func TestEitherCopyOfTheProgramHearsAlone(t *testing.T) {
	for name, deaf := range map[string]int{"the second": 0, "the first": 1} {
		t.Run(name, func(t *testing.T) {
			ln, server := listen(t, "127.0.0.1:0")
			e := open(t, Options{Ports: []uint16{server.Port()}})
			detach(t, links(e.l)[deaf])
			c, s := connect(t, ln, server.String())
			shut(t, c, s)
			e.untilClosed(2)
			require.Len(t, e.heard, 10)
		})
	}
}

// programs and links are the two copies of the program, and what attaches each.
func programs(l *Listener) []bpf.Object { return lastObjects(l, 4, 2) }
func links(l *Listener) []bpf.Object    { return lastObjects(l, 3, 1) }

func lastObjects(l *Listener, fromEnd ...int) (all []bpf.Object) {
	for _, i := range fromEnd {
		all = append(all, l.open[len(l.open)-i].(bpf.Object))
	}
	return all
}

// detach ends what a program is attached by; its descriptor stays, for Close.
func detach(t *testing.T, o bpf.Object) {
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close()
	require.NoError(t, unix.Dup3(int(null.Fd()), int(o), unix.O_CLOEXEC))
}

func TestAGapIsNoticed(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	e := open(t, Options{Ports: []uint16{server.Port()}})
	c, s := connect(t, ln, server.String())
	e.hear()
	e.heard = nil
	for _, k := range links(e.l) {
		detach(t, k)
	}
	require.NoError(t, c.CloseWrite())
	_, err := s.Read(make([]byte, 1)) // the FIN is there, unheard
	require.ErrorIs(t, err, io.EOF)
	for _, p := range programs(e.l) {
		k, err := p.AttachTracing()
		require.NoError(t, err)
		t.Cleanup(func() { k.Close() })
	}
	require.NoError(t, s.Close())
	e.until(func() bool {
		return count(e.heard, func(x Transition) bool { return x.To == socketstats.Close }) == 2
	})
	require.EqualValues(t, 2, e.lost, "one at each end")
	seen := map[uint64]bool{}
	for _, x := range e.heard {
		require.Equal(t, seen[x.Socket], x.StateDuration > 0, "when the state began was not heard")
		seen[x.Socket] = true
	}
}
