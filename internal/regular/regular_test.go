package regular_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/regular"
)

func TestReadsNoMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(path, []byte("12345"), 0o600))
	data, err := regular.Read(path, 5)
	require.NoError(t, err)
	require.Equal(t, "12345", string(data))
	_, err = regular.Read(path, 4)
	require.EqualError(t, err, "read "+path+": is too large: 5 bytes, the limit is 4")
	_, err = regular.Open(path, 4)
	require.ErrorIs(t, err, regular.TooLarge{Size: 5, Most: 4})
	_, err = regular.Read(dir, 5)
	require.ErrorIs(t, err, regular.ErrFolder)
	_, err = regular.Read(path+".not", 5)
	require.ErrorIs(t, err, fs.ErrNotExist)
}
