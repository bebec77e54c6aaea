package goroutines

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a program gives as its profile, it is read or refused.
func FuzzProfile(f *testing.F) {
	f.Add("goroutine profile: total 1\n1 @ 0x1\n#\t0x1\tnet/http.(*Transport).getConn+0x2\t/a.go:1\n")
	f.Add("goroutine profile: total 99999999999999999999\n99999999999999999999 @ 0x1\n#\t0x1\tf+0x1\t/a:99999999999999999999\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parse(strings.NewReader(text))
		for _, s := range all {
			require.True(t, err != nil || s.count >= 0)
		}
	})
}
