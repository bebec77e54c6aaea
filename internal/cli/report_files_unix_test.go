//go:build unix

package cli

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/cli/program"
)

// saying writes a text.
func saying(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestWhatALinkPointsToIsWrittenAndTheLinkStays(t *testing.T) {
	t.Parallel()
	for name, makeTarget := range map[string]func(path string) error{
		"a file":  func(path string) error { return os.WriteFile(path, []byte("old and longer"), 0o600) },
		"nothing": func(string) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755))
			require.NoError(t, os.Mkdir(filepath.Join(dir, "links"), 0o755))
			target := filepath.Join(dir, "a", "target")
			require.NoError(t, makeTarget(target))
			// Through a second link, and a link to a folder, of which ".." leads to the folder a.
			links := map[string]string{"links/first": "second", "links/second": "folder/../target", "links/folder": "../a/b"}
			for link, to := range links {
				require.NoError(t, os.Symlink(to, filepath.Join(dir, link)))
			}
			path := filepath.Join(dir, "links", "first")
			require.NoError(t, checkNew(path, true, false))
			require.NoError(t, writeNew(path, true, saying("new")))
			for link, to := range links {
				got, err := os.Readlink(filepath.Join(dir, link))
				require.NoError(t, err, "the link stays")
				require.Equal(t, to, got)
			}
			text, err := os.ReadFile(target)
			require.NoError(t, err)
			require.Equal(t, "new", string(text))
			for folder, files := range map[string]int{"links": 3, "a": 2} {
				entries, err := os.ReadDir(filepath.Join(dir, folder))
				require.NoError(t, err)
				require.Len(t, entries, files, "nothing else is left in %s", folder)
			}
		})
	}
}

func TestAFolderIsWrittenThroughItsLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "target"), 0o755))
	for link, to := range map[string]string{"link": "target", "dangling": "new"} {
		path := filepath.Join(dir, link)
		require.NoError(t, os.Symlink(to, path))
		require.NoError(t, checkNew(path+"/", true, true))
		require.NoError(t, writeFolder(path+"/", true, []namedFile{{"index.html", saying("new")}}))
		require.FileExists(t, filepath.Join(dir, to, "index.html"))
		_, err := os.Readlink(path)
		require.NoError(t, err)
	}
}

func TestLinksThatLeadNowhereAreAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "loop")
	require.NoError(t, os.Symlink("loop", path))
	_, err := destinationOf(path)
	require.ErrorContains(t, err, "leads through more than 40 links: give the name of the file")
	require.Error(t, checkNew(path, true, false))
	require.Error(t, writeNew(path, true, saying("new")))
}

// A stream such as /dev/stdout is written at its place, whether or not it is a file, and
// its names stay. The link has the form of /dev/stdout and is none of the machine's.
func TestAStreamIsWrittenAtItsPlaceAndItsNamesStay(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("/proc is known on Linux only")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "output")
	stream, err := os.Create(file)
	require.NoError(t, err)
	defer stream.Close()
	number := strconv.Itoa(int(stream.Fd()))
	link := filepath.Join(dir, "stdout")
	require.NoError(t, os.Symlink("/proc/self/fd/"+number, link))
	want := ""
	for _, path := range []string{link, "/proc/self/fd/" + number, "/proc/thread-self/fd/" + number, "/dev/fd/" + number} {
		_, err = stream.WriteString("before ")
		require.NoError(t, err)
		require.NoError(t, checkNew(path, true, false))
		require.NoError(t, writeNew(path, true, saying(path+" ")))
		_, err = stream.WriteString("after\n")
		require.NoError(t, err)
		want += "before " + path + " after\n"
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(text))
	to, err := os.Readlink(link)
	require.NoError(t, err)
	require.Equal(t, "/proc/self/fd/"+number, to)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2)
}

func TestNoOutputIsAnInputThroughALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, link := filepath.Join(dir, "run.jsonl"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(input, []byte("kept"), 0o600))
	require.NoError(t, os.Symlink("run.jsonl", link))
	c := reportCommand(program.Streams{})
	for _, args := range [][2]string{{input, link}, {link, input}} {
		require.NoError(t, c.ParseFlags([]string{args[0]}))
		require.ErrorContains(t, checkOutput(c, args[1], true, false), "is what this command reads")
	}
}
