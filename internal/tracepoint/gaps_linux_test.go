package tracepoint

import (
	"io"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// What one copy of the program does not hear, the other does, and what both
// hear is written once.
func TestEitherCopyOfTheProgramHearsAlone(t *testing.T) {
	for name, deaf := range map[string]int{"the second": 0, "the first": 1} {
		t.Run(name, func(t *testing.T) {
			ln, server := listen(t, "127.0.0.1:0")
			e := open(t, Options{Ports: []uint16{server.Port()}})
			require.NoError(t, links(e.l)[deaf].Close())
			c, s := connect(t, ln, server.String())
			shut(t, c, s)
			e.untilClosed(2)
			require.Len(t, e.heard, 10)
		})
	}
}

func links(l *Listener) (all []link.Link) {
	for _, c := range l.open {
		if k, ok := c.(link.Link); ok {
			all = append(all, k)
		}
	}
	return all
}

func TestAGapIsNoticed(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	e := open(t, Options{Ports: []uint16{server.Port()}})
	c, s := connect(t, ln, server.String())
	e.hear()
	e.heard = nil
	for _, k := range links(e.l) {
		require.NoError(t, k.Close())
	}
	require.NoError(t, c.CloseWrite())
	_, err := s.Read(make([]byte, 1)) // the FIN is there, unheard
	require.ErrorIs(t, err, io.EOF)
	for _, closer := range e.l.open {
		if p, ok := closer.(*ebpf.Program); ok {
			k, err := link.AttachTracing(link.TracingOptions{Program: p})
			require.NoError(t, err)
			t.Cleanup(func() { k.Close() })
		}
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
