package cli_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const pictures = "../../docs/pictures"

// namedPictures are the files of docs/pictures that README.md and docs/ name.
func namedPictures(t *testing.T) map[string]bool {
	t.Helper()
	docs, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	named := map[string]bool{}
	for _, file := range append(docs, "../../README.md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`\bpictures/([\w-]+\.[a-z]+)`).FindAllStringSubmatch(string(text), -1) {
			require.FileExists(t, filepath.Join(pictures, m[1]), "named in %s", file)
			named[m[1]] = true
		}
	}
	return named
}

func TestPicturesAreThereAndAreShown(t *testing.T) {
	t.Parallel()
	named := namedPictures(t)
	require.NotEmpty(t, named)
	files, err := os.ReadDir(pictures)
	require.NoError(t, err)
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		require.True(t, named[f.Name()], "%s is shown nowhere", f.Name())
		info, err := f.Info()
		require.NoError(t, err)
		most := map[string]int64{".png": 250_000, ".gif": 1_500_000, ".cast": 600_000, ".html": 1_000_000, ".svg": 100_000}[filepath.Ext(f.Name())]
		require.LessOrEqual(t, info.Size(), most, f.Name())
	}
}

// ansi is what moves the cursor and sets colours.
var ansi = regexp.MustCompile(`\x1b(\[[0-9;:?>=<]*[a-zA-Z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>78])`)

func TestRecordingIsOfAWholeDemo(t *testing.T) {
	t.Parallel()
	file, err := os.Open(filepath.Join(pictures, "demo.cast"))
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	require.True(t, lines.Scan())
	var header struct{ Version, Width, Height int }
	require.NoError(t, json.Unmarshal(lines.Bytes(), &header))
	require.Equal(t, 2, header.Version)
	require.Equal(t, [2]int{120, 34}, [2]int{header.Width, header.Height})
	var last float64
	var shown, typed strings.Builder
	for lines.Scan() {
		var at float64
		var kind, data string
		require.NoError(t, json.Unmarshal(lines.Bytes(), &[]any{&at, &kind, &data}))
		require.GreaterOrEqual(t, at, last)
		last = at
		switch kind {
		case "o":
			shown.WriteString(data)
		case "i":
			typed.WriteString(data)
		default:
			t.Fatalf("an event of kind %q", kind)
		}
	}
	require.NoError(t, lines.Err())
	require.Equal(t, "sockwatch demo\r\t\t?d\x1b\r", typed.String(), "the last picture stays until Enter")
	require.Less(t, last, 25.0, "seconds")
	text := ansi.ReplaceAllString(shown.String(), "")
	for _, part := range []string{"✗ FAULTY", "✓ FIXED", "│ sockets: peak / final", "│ verdict "} {
		require.Contains(t, text, part)
	}
	require.Regexp(t, `(\d+) of (\d+) expectations met\s*$`, text, "it was played to its end")
}

// The page has the recording in itself, since a page of a file may not fetch.
func TestPageOfTheRecordingPlaysTheRecording(t *testing.T) {
	t.Parallel()
	cast, err := os.ReadFile(filepath.Join(pictures, "demo.cast"))
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(pictures, "demo.html"))
	require.NoError(t, err)
	m := regexp.MustCompile(`create\(\{data: (".*")\}, document`).FindSubmatch(page)
	require.NotNil(t, m)
	var data string
	require.NoError(t, json.Unmarshal(m[1], &data))
	require.True(t, string(cast) == data, "demo.html plays another recording") // not Equal: it would print both
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllSubmatch(page, -1) {
		require.FileExists(t, filepath.Join(pictures, string(m[1])))
	}
}
