package recording_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/recording"
	"socketlab/internal/series"
	// The protocols that a script may name register themselves.
	_ "socketlab/internal/server"
)

func TestACompressedFileIsCalledOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl.gz")
	var packed bytes.Buffer
	to := gzip.NewWriter(&packed)
	_, err := to.Write([]byte("{}\n"))
	require.NoError(t, errors.Join(err, to.Close()))
	require.NoError(t, os.WriteFile(path, packed.Bytes(), 0o600))
	_, err = recording.Read(t.Context(), path)
	require.ErrorContains(t, err, "run.jsonl.gz:1: this file is compressed: unpack it first")
}

func TestWriteErrorsAreKeptAndReturned(t *testing.T) {
	t.Parallel()
	w := recording.Writer{Path: filepath.Join(t.TempDir(), "no", "such", "folder.jsonl")}
	require.ErrorIs(t, w.Check(), fs.ErrNotExist)
	w.Write(aWatch(0)[0])
	require.ErrorIs(t, w.Err(), fs.ErrNotExist)
	require.ErrorIs(t, w.Close(), fs.ErrNotExist)

	// What cannot be JSON is an error, too, and nothing is written after it.
	path := filepath.Join(t.TempDir(), "it.jsonl")
	w = recording.Writer{Path: path}
	w.Write(aWatch(0)[0])
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	w.Write(series.Event{Moment: &series.Moment{Clock: started.AddDate(10_000, 0, 0)}})
	require.Error(t, w.Err())
	w.Write(aWatch(0)[1])
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Error(t, w.Close())
}

func TestALineThatIsTooLongIsNamedWithWhatToDo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "it.jsonl")
	w := recording.Writer{Path: path}
	for _, e := range aWatch(0)[:2] {
		w.Write(e)
	}
	require.NoError(t, w.Close())
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	require.NoError(t, f.Truncate(info.Size()+65<<20)) // zeros, which take no room on a disk
	require.NoError(t, f.Close())
	r, err := recording.Read(t.Context(), path)
	require.ErrorContains(t, err, "it.jsonl:3: this line is longer than 64 MB")
	require.ErrorContains(t, err, "record again, or cut it off before this line")
	require.Len(t, r.Events, 2, "what stands before it is read")
}

func TestAFullDiskIsAnError(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	var w recording.Writer
	w.WriteTo(full)
	w.Write(aWatch(0)[0])
	require.ErrorContains(t, w.Err(), "no space left")
	err = w.Close()
	require.ErrorIs(t, err, w.Err())
	require.ErrorContains(t, err, "record in /dev/full")
	require.ErrorContains(t, err, "(0 lines written, 1 lost)")
	require.ErrorIs(t, full.Close(), fs.ErrClosed)
	_, err = os.Stat("/dev/full")
	require.NoError(t, err, "what was there before stays there")
}

func TestNoFileIsMadeWithoutAFirstLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "it.jsonl")
	w := recording.Writer{Path: path}
	require.NoError(t, w.Check())
	require.NoFileExists(t, path)
	require.NoError(t, w.Close())
	require.NoFileExists(t, path)

	var none recording.Writer
	require.NoError(t, none.Check())
	none.Write(aWatch(0)[0])
	require.NoError(t, none.Err())
	require.NoError(t, none.Close())
}

// lines is how many lines of its file a recording holds.
func lines(r *recording.Recording) int {
	if r == nil {
		return 0
	}
	return len(r.Events)
}

func TestARecordingCutAnywhereKeepsItsWholeLines(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]series.Event{"run": aRun(2), "watch": aWatch(2)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := []byte(text(t, events))
			for n := range len(data) + 1 {
				cut := data[:n]
				got, err := recording.ReadFrom(bytes.NewReader(cut), "cut.jsonl")
				whole := bytes.Count(cut, []byte("\n"))
				atEnd := n > 0 && data[n-1] == '\n'
				// But for its end this line is whole; alone it is not trusted.
				withoutEnd := n < len(data) && data[n] == '\n' && whole > 0
				if withoutEnd {
					whole++
				}
				require.Equal(t, whole, lines(got), "cut at %d", n)
				if atEnd || withoutEnd {
					require.NoError(t, err, "cut at %d", n)
					require.Equal(t, whole == len(events), got.Observation.Over)
				} else {
					var cutOff *recording.Error
					require.ErrorAs(t, err, &cutOff, "cut at %d", n)
					require.Equal(t, whole+1, cutOff.Line, "cut at %d", n)
					require.Equal(t, "cut.jsonl", cutOff.Path)
				}
			}
		})
	}
}

func TestWhatIsNoRecordingIsSaidWithItsLine(t *testing.T) {
	t.Parallel()
	run, seen := text(t, aRun(2)), text(t, aWatch(2))
	first, rest, _ := strings.Cut(seen, "\n")
	second, third, _ := strings.Cut(rest, "\n")
	third, _, _ = strings.Cut(third, "\n")
	_, runRest, _ := strings.Cut(run, "\n")
	both := func(a, b string) string { return strings.TrimSuffix(a, "}") + "," + strings.TrimPrefix(b, "{") }
	for _, test := range []struct {
		name, text string
		line, kept int
		why        string
	}{
		{"empty", "", 1, 0, "the file is empty"},
		{"an empty line", "\n", 1, 0, "its first line is not JSON"},
		{"text", "hello\n", 1, 0, "its first line is not JSON"},
		{"text without a line end", "hello", 1, 0, "cut off"},
		{"binary", "\x7fELF\x00\x01\n\n", 1, 0, "its first line is not JSON"},
		{"other JSON", "{}\n", 1, 0, "its first line does not say what was observed"},
		{"null", "null\n", 1, 0, "its first line does not say what was observed"},
		{"a list", "[]\n", 1, 0, "its first line is not JSON of one"},
		{"a number in place of a header", "{\"header\":3}\n", 1, 0, "its first line is not JSON of one"},
		{"no first line", rest, 1, 0, "its first line does not say what was observed"},
		{"a run without its first line", runRest, 1, 0, "its first line does not say what was observed"},
		{"both in one", both(first, second) + "\n", 1, 0, "does not say what was observed"},
		{"of nothing", `{"header":{"schema":"` + series.Schema + `"}}` + "\n", 1, 0, "does not say what was observed"},
		{"of two", strings.Replace(first, `"target"`, `"commands":{"faulty":"a","fixed":"b"},"target"`, 1) + "\n", 1, 0, "does not say what was observed"},
		{
			"newer", strings.Replace(seen, series.Schema, "sockwatch.recording/v9", 1), 1, 0,
			`the form "sockwatch.recording/v9" and was written by sockwatch v1.2.3, go1.26, and this version reads "sockwatch.recording/v2"`,
		},
		{"newer, without a version", `{"header":{"schema":"sockwatch.recording/v9"}}` + "\n", 1, 0, "written by another version of sockwatch"},
		{"no schema", strings.Replace(seen, series.Schema, "", 1), 1, 0, "its first line names no schema"},
		{"garbage in the middle", first + "\n" + second + "\noops\n" + rest, 3, 2, "this line is not one of a recording"},
		{"an empty line in the middle", first + "\n\n" + rest, 2, 1, "this line is not one of a recording"},
		{"zeros after a crash", first + "\n" + second + "\n\x00\x00\x00\n", 3, 2, "this line is not one of a recording"},
		{"other JSON in the middle", first + "\n{\"other\":{}}\n" + rest, 2, 1, "this line is not one of a recording"},
		{"a state that is none", first + "\n" + strings.ReplaceAll(second, `"total"`, `"WAITING"`) + "\n", 2, 1, `unknown TCP state "WAITING"`},
		{"two lines in one", first + "\n" + both(second, `{"end":{"duration_ns":1}}`) + "\n", 2, 1, "this line is not one of a recording"},
		{"one after another", seen + seen, 5, 4, "a second recording begins here"},
		{"a run after another", run + run, 5, 4, "a second recording begins here"},
		{"a sample that begins again", first + "\n" + both(first, second) + "\n", 2, 1, "this line is not one of a recording"},
		{"two samples that changed places", first + "\n" + third + "\n" + second + "\n", 3, 2, "samples are in the order of their time"},
		{"a sample twice", first + "\n" + second + "\n" + second + "\n", 3, 2, "samples are in the order of their time"},
		{"a time before the beginning", first + "\n" + `{"moment":{"at_ns":-5,"subjects":[]}}` + "\n", 2, 1, "moment.at_ns is -5, below 0"},
		{"a time beyond a life", first + "\n" + `{"moment":{"at_ns":9223372036854775807,"subjects":[]}}` + "\n", 2, 1, "moment.at_ns is 2562047h47m16.854775807s: the limit is 100 years"},
		{"an end beyond a life", first + "\n" + second + "\n" + `{"end":{"duration_ns":9223372036854775807}}` + "\n", 3, 2, "end.duration_ns is 2562047h47m16.854775807s"},
		{"a count below 0", first + "\n" + strings.ReplaceAll(second, `"total":`, `"total":-`) + "\n", 2, 1, "below 0"},
		{"more in TIME_WAIT than there are", first + "\n" + strings.ReplaceAll(second, `"total":`, `"TIME_WAIT":70,"total":`) + "\n", 2, 1, "sockets in total, fewer than in TIME_WAIT"},
		{"a subject twice", first + "\n" + `{"moment":{"at_ns":5,"subjects":[{"id":"a"},{"id":"a"}]}}` + "\n", 2, 1, `this sample has "a" twice`},
		{"a long text", first + "\n" + `{"moment":{"at_ns":5,"subjects":[{"id":"` + strings.Repeat("x", 5<<20) + `"}]}}` + "\n", 2, 1, "moment.subjects.id has 5242880 bytes: the limit is 4194304"},
		{"a sample after the end", seen + second + "\n", 5, 4, "after the last one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "it.jsonl")
			require.NoError(t, os.WriteFile(path, []byte(test.text), 0o644))
			got, err := recording.Read(t.Context(), path)
			var wrong *recording.Error
			require.ErrorAs(t, err, &wrong)
			require.Equal(t, path, wrong.Path)
			require.Equal(t, test.line, wrong.Line)
			require.Contains(t, wrong.Why, test.why)
			require.Equal(t, test.kept, lines(got))
		})
	}
}
