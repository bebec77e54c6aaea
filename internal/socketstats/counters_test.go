package socketstats

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCountersAreReadByName(t *testing.T) {
	const text = "Ip: Forwarding\nIp: 1\n" +
		"Tcp: RtoMin ActiveOpens PassiveOpens OutRsts\nTcp: 200 7 0 9223372036854775807\n"
	c := Counters{}
	require.NoError(t, c.read(strings.NewReader(text), "Tcp:"))
	require.Equal(t, Counters{"ActiveOpens": 7, "OutRsts": 9223372036854775807}, c)
}

func TestCountersThatCannotBeReadAreAnError(t *testing.T) {
	for name, text := range map[string]string{
		"no row":         "Ip: 1\nIp: 1\n",
		"names alone":    "Tcp: ActiveOpens\n",
		"a value less":   "Tcp: ActiveOpens PassiveOpens\nTcp: 1\n",
		"a value more":   "Tcp: ActiveOpens\nTcp: 1 2\n",
		"no number":      "Tcp: ActiveOpens\nTcp: many\n",
		"too big":        "Tcp: ActiveOpens\nTcp: 92233720368547758070\n",
		"an endless row": "Tcp: " + strings.Repeat("x", 1<<17),
	} {
		require.Error(t, Counters{}.read(strings.NewReader(text), "Tcp:"), name)
	}
}

func FuzzCounters(f *testing.F) {
	f.Add("Tcp: ActiveOpens CurrEstab\nTcp: 1 -1\n")
	f.Add("Tcp:\nTcp:\n")
	f.Add("Tcp: ActiveOpens\n\nTcp: 1\x00\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := Counters{}
		if err := c.read(strings.NewReader(text), "Tcp:"); err == nil {
			require.LessOrEqual(t, len(c), len(counterNames))
		}
	})
}
