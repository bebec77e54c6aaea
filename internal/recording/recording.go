// Package recording writes and reads recordings: what a run or a watch showed, as
// lines of JSON, of which each is written as soon as it is known. A crash loses
// at most the line that was being written.
package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"socketlab/internal/lab"
	"socketlab/internal/observe"
)

// Schema names the form of a recording, in its first line.
const Schema = lab.RecordSchema

// Writer writes a recording. The file is made with the first line: what does
// not begin leaves none. With an empty Path nothing is written. It is for one
// goroutine.
type Writer struct {
	Path string
	file *os.File
	err  error
}

// Check returns an error if the file is there already.
func (w *Writer) Check() error {
	if w.Path == "" {
		return nil
	}
	if _, err := os.Lstat(w.Path); err == nil {
		return fmt.Errorf("%s is there already: remove it, or choose another name", w.Path)
	}
	return nil
}

// Write appends one line. After an error it does nothing; Close returns it.
func (w *Writer) Write(line any) {
	if w.Path == "" || w.err != nil {
		return
	}
	if w.file == nil {
		if w.file, w.err = os.OpenFile(w.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644); w.err != nil {
			return
		}
	}
	w.err = json.NewEncoder(w.file).Encode(line)
}

// Err is the first error so far.
func (w *Writer) Err() error { return w.err }

// Close ends the recording and returns the first error of all.
func (w *Writer) Close() error {
	if w.file != nil {
		w.err = errors.Join(w.err, w.file.Close())
	}
	if w.err != nil {
		return fmt.Errorf("record in %s: %w", w.Path, w.err)
	}
	return nil
}

// Recording is what a file holds: of a run or of a watch.
type Recording struct {
	// Run is nil in a recording of a watch.
	Run *lab.Run
	// Events are those of Run, in their order.
	Events []lab.Event
	// Watch is nil in a recording of a run. History is what it saw.
	Watch   *observe.Begin
	History observe.History
	// Ending is nil if the watch was not ended in order.
	Ending *observe.Ending
	// Ended says that the recording has its last line.
	Ended bool
}

// Gone reports whether the watched processes had ended.
func (r *Recording) Gone() bool { return r.Ending != nil && r.Ending.Gone }

// Error is a recording that cannot be read, or not to its end.
type Error struct {
	Path string
	Line int // from 1
	Why  string
}

// Error says where and why.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Why) }

// Read reads a recording. With an error, the recording is what stands before
// it; nil if that is nothing.
func Read(path string) (*Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read a recording: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("read a recording: %s is a folder", path)
	}
	return read(f, path)
}

// line is any line of any recording: one of its fields is set.
type line struct {
	lab.Event
	Watch    *observe.Begin    `json:"watch"`
	Snapshot *observe.Snapshot `json:"snapshot"`
	WatchEnd *observe.Ending   `json:"watch_end"`
}

// alone reports whether just one field is set.
func (l *line) alone() bool {
	set := 0
	for _, is := range []bool{l.Begin != nil, l.Sample != nil, l.End != nil, l.Watch != nil, l.Snapshot != nil, l.WatchEnd != nil} {
		if is {
			set++
		}
	}
	return set == 1
}

// maxLine bounds what one line may hold: a sample of thousands of processes is
// below a megabyte.
const maxLine = 64 << 20

func read(from io.Reader, path string) (*Recording, error) {
	in := bufio.NewScanner(from)
	in.Buffer(nil, maxLine)
	in.Split(wholeLines)
	var r *Recording
	n := 0
	for in.Scan() {
		n++
		fail := func(format string, args ...any) (*Recording, error) {
			return r, &Error{path, n, fmt.Sprintf(format, args...)}
		}
		text, whole := bytes.CutSuffix(in.Bytes(), []byte("\n"))
		var l line
		err := json.Unmarshal(text, &l)
		if !l.alone() {
			l = line{} // two lines in one are none
		}
		switch {
		case !whole && (err != nil || n == 1):
			return fail("the recording is cut off in the middle of a line: the program that wrote it ended there, or the file was not copied whole")
		case err != nil && n == 1:
			return fail("this is not a recording of sockwatch: its first line is not JSON of one")
		case err != nil:
			return fail("this line is not one of a recording: %v", err)
		case n == 1:
			if r, err = begin(l.Begin, l.Watch); err != nil {
				return fail("%s", err)
			}
		}
		switch {
		case n == 1 && l.Begin != nil:
			r.add(l.Event)
		case n == 1:
		case r.Run != nil && (l.Sample != nil || l.End != nil):
			r.add(l.Event)
			r.Ended = r.Ended || l.End != nil
		case r.Watch != nil && l.Snapshot != nil:
			r.History.Add(*l.Snapshot)
		case r.Watch != nil && l.WatchEnd != nil:
			r.Ending, r.Ended = l.WatchEnd, true
		default:
			return fail("this line is not one of a recording of %s", r.kind())
		}
	}
	if err := in.Err(); err != nil {
		return r, &Error{path, n + 1, err.Error()}
	}
	if n == 0 {
		return nil, &Error{path, 1, "the file is empty: it is no recording"}
	}
	return r, nil
}

// begin looks at the first line.
func begin(run *lab.Begin, seen *observe.Begin) (*Recording, error) {
	r := &Recording{Watch: seen}
	schema := ""
	switch {
	case run != nil:
		r.Run, schema = &lab.Run{}, run.Schema
	case seen != nil:
		schema = seen.Schema
	default:
		return nil, errors.New("this is not a recording of sockwatch: its first line does not say what was played or watched")
	}
	if schema != Schema {
		return nil, fmt.Errorf("this is a recording of the form %q, and this sockwatch reads %q: use the version that wrote it", schema, Schema)
	}
	return r, nil
}

func (r *Recording) add(e lab.Event) {
	r.Run.Add(e)
	r.Events = append(r.Events, e)
}

func (r *Recording) kind() string {
	if r.Run != nil {
		return "a run"
	}
	return "a watch"
}

// wholeLines splits like bufio.ScanLines, but leaves the line ends, so that a
// last line without one can be told.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
