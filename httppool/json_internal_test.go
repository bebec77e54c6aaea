package httppool

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMillisecondsAreReadAsTheyWereWritten(t *testing.T) {
	for us := range 20_000 {
		d := time.Duration(us) * time.Microsecond
		require.Equal(t, d, fromMS(ms(d)))
	}
}
