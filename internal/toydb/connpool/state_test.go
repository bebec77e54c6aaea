package connpool

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func Test18OnlyThePermittedTransitions(t *testing.T) {
	permitted := map[[2]State]bool{
		{Connecting, Connected}: true,
		{Connected, Idle}:       true, {Idle, Connected}: true,
		{Connecting, Closing}: true, {Connected, Closing}: true, {Idle, Closing}: true, // an error, or a close
		{Closing, Closed}: true,
	}
	for from := Connecting; from <= Closed; from++ {
		for to := Connecting; to <= Closed; to++ {
			p := New(Config{})
			c := &Conn{pool: p, state: from}
			p.counts[from] = 1
			if !permitted[[2]State{from, to}] {
				require.Panics(t, func() { c.move(to) }, "%s -> %s", from, to)
				require.Equal(t, 1.0, p.Values()[from.String()])
				continue
			}
			c.move(to)
			require.Equal(t, to, c.state)
			require.Equal(t, 0.0, p.Values()[from.String()], "%s -> %s", from, to)
			require.Equal(t, 1.0, p.Values()[to.String()], "%s -> %s", from, to)
		}
	}
}
