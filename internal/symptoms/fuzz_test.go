package symptoms_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/symptoms"
)

// Whatever line is pasted, what is found of it is found, too, where it stands in a log.
func FuzzFind(f *testing.F) {
	f.Add("Error: socket hang up\n    at connResetException (node:internal/errors:720:14)")
	f.Add("tcp        1      0 10.0.0.5:41234   10.0.0.9:443   CLOSE_WAIT  4242/node")
	f.Add("FTP")
	f.Add("\xff\u0130STANBUL \u202e econnreset")
	f.Fuzz(func(t *testing.T, line string) {
		within := map[string]bool{}
		for _, m := range symptoms.Find("[info] " + line + "\nthe end") {
			within[m.Phrase] = true
		}
		found := symptoms.Find(line)
		for i, m := range found {
			require.Contains(t, m.Phrases, m.Phrase)
			require.True(t, i == 0 || len(m.Phrase) <= len(found[i-1].Phrase), "the longest is first")
			require.True(t, m.Alone || within[m.Phrase], m.Phrase)
		}
	})
}
