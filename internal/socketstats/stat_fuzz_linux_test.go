package socketstats

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a process calls itself, what the kernel says of it is not taken from its name.
func FuzzStat(f *testing.F) {
	after := "S 17" + strings.Repeat(" 0", 40)
	f.Add("nginx", after)
	f.Add("a) Z 1 1 (b", after)
	f.Add("((", after)
	f.Add(")", "S 17")
	f.Add("\x1b[31m", ") S 17")
	f.Fuzz(func(t *testing.T, name, after string) {
		got, fields, err := parseStat([]byte("7 (" + name + ") " + after + "\n"))
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.Greater(t, len(fields), started)
		if !strings.Contains(after, ")") {
			require.Equal(t, name, got)
			require.Equal(t, strings.Fields(after), fields)
		}
	})
}
