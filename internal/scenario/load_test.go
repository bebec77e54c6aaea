package scenario

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func writeScript(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my.yaml")
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return path
}

// loadError loads what must be refused, and returns the error without the path.
func loadError(t testing.TB, path string) string {
	t.Helper()
	_, err := Load(path, codes)
	var bad *Error
	require.ErrorAs(t, err, &bad)
	require.Equal(t, path, bad.File)
	require.Equal(t, path+": "+bad.Message, err.Error())
	return bad.Message
}

func TestLoadGivesWhatParseGives(t *testing.T) {
	s, err := Load(writeScript(t, []byte(good)), codes)
	require.NoError(t, err)
	require.Equal(t, mustParse(t, good), s)
}

func TestLoadNamesTheFileInAnError(t *testing.T) {
	path := writeScript(t, []byte("id: my-incident\ncolour: blue\n"))
	_, err := Load(path, codes)
	require.ErrorContains(t, err, path+":2:1: unknown key \"colour\"")
}

func TestLoadOfAMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing.yaml")
	require.Equal(t, "no such file or directory", loadError(t, path))
	require.Equal(t, "not a directory", loadError(t, filepath.Join(writeScript(t, nil), "my.yaml")))
}

func TestLoadOfADirectory(t *testing.T) {
	require.Equal(t, "is a folder: name the script in it, such as scenario.yaml", loadError(t, t.TempDir()))
}

func TestLoadOfALargeFile(t *testing.T) {
	require.Equal(t, "is too large for a script: 10485760 bytes, the limit is 65536",
		loadError(t, writeScript(t, make([]byte, 10<<20))))
	require.Equal(t, "is too large for a script: 65537 bytes, the limit is 65536",
		loadError(t, writeScript(t, make([]byte, maxScript+1))))
}

func TestLoadOfTheLargestFile(t *testing.T) {
	padded := []byte(good)
	for len(padded) < maxScript {
		padded = append(padded, '\n')
	}
	s, err := Load(writeScript(t, padded), codes)
	require.NoError(t, err)
	require.Len(t, s.Text, maxScript)
	s.Text = good
	require.Equal(t, mustParse(t, good), s)
}
