package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLoadSpeaksForItselfWhereNothingIsTold(t *testing.T) {
	t.Parallel()
	second := Duration(time.Second)
	s := Script{Load: []Phase{
		{Burst: 1},
		{Pause: second},
		{Rate: 2.5, For: second},
		{Rate: 2, JitterRequests: 1, For: second},
		{Burst: 40, Repeat: 2, Every: second},
		{Burst: 40},
		{Pause: second},
	}}
	for at, want := range map[float64]string{
		0: "No more requests for now", 1: "2.5 requests a second", 1.999: "2.5 requests a second",
		2: "2 requests a second and more at random", 3: "Bursts of 40 requests", 4.5: "Bursts of 40 requests",
		5: "No more requests for now", 7: "No more requests for now",
	} {
		require.Equal(t, want, s.Now(time.Duration(at*float64(time.Second))), "%v s", at)
	}
	require.Equal(t, "50 requests a second", Script{Load: []Phase{{Rate: 5, For: second}}}.AtSpeed(10).Now(0))
	require.Empty(t, Script{}.Now(0))
	require.Equal(t, "A single request", Phase{Burst: 1}.Say())
	require.Equal(t, "A burst of 40 requests", Phase{Burst: 40}.Say())
}

func TestNarrationGoesWithTheSpeed(t *testing.T) {
	t.Parallel()
	s := Script{Load: []Phase{{Pause: Duration(time.Minute)}}, Narration: []NarrationLine{
		{At: Duration(10 * time.Second), Say: "first"}, {At: Duration(20 * time.Second), Say: "second"},
	}}.AtSpeed(10)
	require.Equal(t, "No more requests for now", s.Now(999*time.Millisecond))
	require.Equal(t, "first", s.Now(time.Second))
	require.Equal(t, "second", s.Now(2*time.Second))
	require.Equal(t, "second", s.Now(time.Hour))
}
