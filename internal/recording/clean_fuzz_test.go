package recording

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/words"
)

// Whatever a line of JSON has in its texts, once it is cleaned they can be printed, and nothing
// else of it has changed.
func FuzzClean(f *testing.F) {
	for _, line := range []string{`{"a":"\u001b[31m \u202e\ud83d\ude00"}`, `["\\\u009b\r\n\\r\n","` + "\u202e\xff\x7f" + `"]`, `{"\u0085":1e3,"b":[null]}`, `"\`, `"\u00`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		cleaned := clean([]byte(line))
		require.LessOrEqual(t, len(cleaned), 3*len(line))
		var before, after any
		if json.Unmarshal([]byte(line), &before) != nil {
			return
		}
		require.NoError(t, json.Unmarshal(cleaned, &after))
		checkTexts(t, before, after)
	})
}

// checkTexts holds a value that was cleaned against what it was.
func checkTexts(t *testing.T, before, after any) {
	t.Helper()
	switch before := before.(type) {
	case string:
		require.Equal(t, words.Printable(strings.ReplaceAll(before, "\r\n", "\n")), after)
	case []any:
		require.Len(t, after, len(before))
		for i := range before {
			checkTexts(t, before[i], after.([]any)[i])
		}
	case map[string]any:
		for key := range before {
			if words.Printable(key) == key {
				require.Contains(t, after, key)
			}
		}
	default:
		require.Equal(t, before, after)
	}
}
