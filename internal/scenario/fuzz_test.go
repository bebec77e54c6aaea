package scenario

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// FuzzParse holds Parse to what its callers rely on, whatever it is given: it
// returns soon, an error is one *Error with a place in the text, and a script
// that is accepted can be played.
func FuzzParse(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxScript {
			t.Skip("Load reads no more than this")
		}
		begin := time.Now()
		s, err := Parse("my.yaml", []byte(text), codes)
		require.Less(t, time.Since(begin), 20*time.Second)
		if err != nil {
			checkError(t, text, err)
			return
		}
		require.LessOrEqual(t, s.requests(), maxRequests)
		require.Positive(t, s.Length())
		require.LessOrEqual(t, s.Length(), maxDuration)
		for _, speed := range []float64{1, s.Speed, 0.01, 1000} {
			scaled := s.AtSpeed(speed)
			due := scaled.Arrivals(1)
			require.NotEmpty(t, due)
			require.LessOrEqual(t, len(due), s.requests())
			require.True(t, slices.IsSorted(due))
			require.LessOrEqual(t, due[len(due)-1], scaled.Length())
		}
	})
}

func checkError(t *testing.T, text string, err error) {
	var bad *Error
	require.ErrorAs(t, err, &bad)
	require.Equal(t, error(bad), err)
	require.NotEmpty(t, bad.Message)
	require.NotContains(t, bad.Message, "\n")
	require.NotContains(t, bad.Message, "goccy")
	require.Less(t, len(bad.Message), 1000)
	require.GreaterOrEqual(t, bad.Line, 0)
	require.LessOrEqual(t, bad.Line, len(linesOf(text)))
	require.Equal(t, bad.Line == 0, bad.Column == 0)
	lines := strings.Split(bad.Error(), "\n")
	require.Contains(t, []int{1, 3}, len(lines))
	for _, line := range lines[1:] {
		require.Less(t, len([]rune(line)), 150, "a terminal cannot show this")
	}
}

// seeds are the catalogue's scripts and the bad ones of the other tests.
func seeds(t testing.TB) []string {
	t.Helper()
	texts := []string{"", good, "\ufeff" + good, strings.ReplaceAll(good, "\n", "\r\n"), head + "server:\n\tdelay: 1s\n"}
	scripts, err := filepath.Glob("../../scenarios/*/scenario.yaml")
	require.NoError(t, err)
	for _, path := range scripts {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		texts = append(texts, strings.ReplaceAll(string(data), "id: "+filepath.Base(filepath.Dir(path)), "id: my-incident"))
	}
	bad, err := filepath.Glob("testdata/bad/*.txtar")
	require.NoError(t, err)
	for _, path := range bad {
		archive, err := txtar.ParseFile(path)
		require.NoError(t, err)
		for i := 0; i < len(archive.Files); i += 2 {
			texts = append(texts, string(archive.Files[i].Data))
		}
	}
	return texts
}
