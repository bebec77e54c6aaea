package words_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/words"
)

func TestNumbersAreWrittenAsPeopleReadThem(t *testing.T) {
	t.Parallel()
	require.Equal(t, "1 socket", words.Plural(1, "socket"))
	require.Equal(t, "0 sockets", words.Plural(0, "socket"))
	require.Equal(t, "2 processes hold", words.Plural(2, "process holds", "processes hold"))
	require.Equal(t, "20,000 descriptors", words.Plural(20000, "descriptor"))
	require.Equal(t, "9999", words.Count(9999))
	require.Equal(t, "1,234,567", words.Count(int64(1234567)))
	require.Equal(t, "-123,456", words.Count(-123456))
	require.Equal(t, "3.2 per second", words.Rate(3.2))
	require.Equal(t, "5 per minute", words.Rate(5.0/60))
	require.Equal(t, "2 per hour", words.Rate(2.0/3600))
	require.Equal(t, "12 per second", words.Rate(12.4))
	for d, want := range map[time.Duration]string{
		1500 * time.Microsecond: "2ms", 1250 * time.Millisecond: "1.3s", 61500 * time.Millisecond: "1m2s",
		10 * time.Minute: "10 minutes", 3 * time.Hour: "3 hours", 72 * time.Hour: "3 days",
	} {
		require.Equal(t, want, words.Duration(d))
	}
}
