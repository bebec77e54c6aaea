package socketstats_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// Where the clock is set after the processes were read, the times of their starts are as far
// off as the clock was: their ages are not.
func TestAnAgeIsRightAfterTheClockWasSet(t *testing.T) {
	t.Parallel()
	began := time.Now()
	info, err := socketstats.ReadProcess(int32(os.Getpid()))
	require.NoError(t, err)
	age := info.Age()
	require.Positive(t, age)
	for _, set := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		other := info
		other.Started = other.Started.Add(set)
		require.InDelta(t, age, other.Age(), float64(time.Since(began)))
	}
}
