// Package recording writes and reads recordings: an observation as lines of JSON, one
// for each event, written as soon as it is known. A crash loses at most the line
// that was being written. docs/recording.schema.json is the form of a line.
package recording

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"socketlab/internal/regular"
	"socketlab/internal/series"
	"socketlab/internal/words"
)

// Writer writes a recording. The file is made with the first line: what does
// not begin leaves none. With an empty Path nothing is written. It is for one
// goroutine.
type Writer struct {
	Path string
	file *os.File
	made bool // the file was made here, and is not one that was there
	err  error
	// written are the events that are in the file, and lost those that are not, or not
	// whole, since the first that could not be written.
	written, lost int
}

// Check returns an error if the file is there already, or cannot be made. It leaves
// none.
func (w *Writer) Check() error {
	if w.Path == "" {
		return nil
	}
	f, err := w.open()
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: remove it, or choose another name", w.Path)
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(w.Path))
}

func (w *Writer) open() (*os.File, error) {
	return os.OpenFile(w.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
}

// Write appends one event. After an error it does nothing; Close returns it.
func (w *Writer) Write(e series.Event) {
	if w.Path == "" {
		return
	}
	if w.file == nil && w.err == nil {
		w.file, w.err = w.open()
		w.made = w.err == nil
	}
	w.look()
	if w.err == nil {
		w.err = json.NewEncoder(w.file).Encode(e)
	}
	if w.err == nil {
		w.written++
	} else {
		w.lost++
	}
}

// look finds out whether what was written is still there.
func (w *Writer) look() {
	if w.file == nil || w.err != nil {
		return
	}
	info, err := w.file.Stat()
	at, seekErr := w.file.Seek(0, io.SeekCurrent)
	switch {
	case err != nil:
		return
	case removed(info):
		w.err = errors.New("the file was removed while it was written")
	case seekErr == nil && info.Mode().IsRegular() && info.Size() < at:
		w.err = errors.New("the file was cut short by something else while it was written")
	default:
		return
	}
	w.written, w.lost = 0, w.written
}

// Err is the first error so far.
func (w *Writer) Err() error { return w.err }

// Close ends the recording and returns the first error of all. A file of which not even the first
// line could be written is removed: it cannot be read.
func (w *Writer) Close() error {
	w.look()
	if w.file != nil {
		own, statErr := w.file.Stat()
		w.err = errors.Join(w.err, w.file.Close())
		if w.err != nil && w.written == 0 && statErr == nil && w.made {
			// Another file may have its name by now.
			if there, err := os.Lstat(w.Path); err == nil && os.SameFile(own, there) {
				_ = os.Remove(w.Path)
			}
		}
	}
	if w.err != nil {
		return fmt.Errorf("record in %s: %w (%s written, %d lost)", w.Path, w.err, words.Plural(w.written, "line"), w.lost)
	}
	return nil
}

// ErrNoSample is the error of a recording at path that says nothing of its processes.
func ErrNoSample(path string) error {
	if path == "-" {
		path = input
	}
	return fmt.Errorf("%s has no sample", path)
}

// input is what the standard input is called.
const input = "standard input"

// Recording is what a file holds.
type Recording struct {
	// Path is where it was read, or "-".
	Path string
	// Events are in their order; the first is the header.
	Events []series.Event
	// Observation is the sum of the events. It is over if the file has its last line.
	Observation *series.Observation
}

// Error is a recording that cannot be read, or not to its end.
type Error struct {
	Path string
	Line int // from 1
	Why  string
}

// Error says where and why.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Why) }

// Read reads a recording, from standard input if the path is "-". With an error, the
// recording is what stands before it; nil if that is nothing.
func Read(ctx context.Context, path string) (*Recording, error) {
	r, err := gather(func(see func(series.Event)) error { return Each(ctx, path, see) })
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	if r != nil {
		r.Path = path
	}
	return r, err
}

func gather(each func(see func(series.Event)) error) (r *Recording, err error) {
	err = each(func(e series.Event) {
		if r == nil {
			r = &Recording{Observation: &series.Observation{}}
		}
		r.Events = append(r.Events, e)
		r.Observation.Add(e)
	})
	return r, err
}

// Each hands over the events of a recording in their order, and keeps none. With an
// error, those that stand before it were handed over; none after Each has returned.
func Each(ctx context.Context, path string, see func(series.Event)) error {
	if path == "-" {
		return eachUntil(ctx, os.Stdin, input, see)
	}
	f, err := regular.Open(path, math.MaxInt64) // it is read line by line
	if errors.Is(err, regular.ErrNotRegular) {
		return fmt.Errorf("read a recording: %s is not a regular file: give - for the file, and <%[1]s", path)
	}
	if err != nil {
		return fmt.Errorf("read a recording: %w", err)
	}
	return eachUntil(ctx, f, path, see)
}

// eachUntil reads until ctx is done, and then closes what it reads, unless that is the standard
// input: what somebody else writes may never end, and a line may take seconds. The goroutine that
// reads ends after that, with the input, or with the process.
func eachUntil(ctx context.Context, from io.ReadCloser, path string, see func(series.Event)) error {
	events, done := make(chan series.Event), make(chan error, 1)
	go func() {
		err := each(whileWanted{ctx, from}, path, func(e series.Event) {
			select {
			case events <- e:
			case <-ctx.Done():
			}
		})
		if path != input {
			_ = from.Close() // it was only read
		}
		done <- err
	}()
	for {
		select {
		case e := <-events:
			see(e)
		case err := <-done:
			if ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return fmt.Errorf("read a recording from %s: %w", path, ctx.Err())
		}
	}
}

// whileWanted reads until ctx is done.
type whileWanted struct {
	ctx  context.Context
	from io.Reader
}

// Read implements io.Reader.
func (w whileWanted) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.from.Read(p)
}

// maxLine bounds what one line may hold: a sample of thousands of processes is
// below a megabyte.
const maxLine = 64 << 20

// gzipped is how a file of gzip begins (RFC 1952, section 2.3.1).
var gzipped = []byte{0x1f, 0x8b}

// parse reads one line, with its end.
func parse(line []byte, first bool) (e series.Event, err error) {
	if first && bytes.HasPrefix(line, gzipped) {
		return e, errors.New("this file is compressed: unpack it first, with gunzip, or a bundle with tar -xzf")
	}
	text, whole := bytes.CutSuffix(line, []byte("\n"))
	text = clean(text)
	err = decode(text, &e)
	switch {
	case !whole && (err != nil || first):
		return e, errors.New("the recording is cut off in the middle of a line: the program that wrote it ended there, or the file was not copied whole")
	case first:
		return e, checkFirst(text, e, err)
	case err != nil:
		return e, fmt.Errorf("this line is not one of a recording: %w", err)
	case !alone(e.Header != nil, e.Moment != nil, e.End != nil):
		return e, errors.New("this line is not one of a recording")
	}
	return e, nil
}

// checkFirst returns an error if the first line is not a header that this version
// reads. err is that of reading the line.
func checkFirst(text []byte, e series.Event, err error) error {
	var old struct{ Begin, Watch *oldHeader }
	h := e.Header
	switch {
	case err == nil && h != nil && h.Schema != series.Schema:
		version := ""
		if h.Provenance != nil {
			version = h.Provenance.Version
		}
		return otherForm(h.Schema, version)
	case h == nil && json.Unmarshal(text, &old) == nil && old.Begin != nil:
		return old.Begin.refused()
	case h == nil && json.Unmarshal(text, &old) == nil && old.Watch != nil:
		return old.Watch.refused()
	case err != nil:
		return errors.New("this is not a recording of sockwatch: its first line is not JSON of one")
	case h == nil || e.Moment != nil || e.End != nil || !alone(h.Scenario != nil, h.Commands != nil, h.Target != nil):
		return errors.New("this is not a recording of sockwatch: its first line does not say what was observed")
	}
	return nil
}

// oldHeader is the first line of a recording of sockwatch.record/v1, as far as it
// says who wrote it.
type oldHeader struct {
	Schema     string
	Origin     struct{ Version string }
	Provenance struct{ Version string }
}

func (h *oldHeader) refused() error {
	return otherForm(h.Schema, h.Origin.Version+h.Provenance.Version)
}

// otherForm refuses a recording of another form.
func otherForm(schema, version string) error {
	if schema == "" {
		return errors.New("this is not a recording of sockwatch: its first line names no schema")
	}
	by := "another version of sockwatch"
	if version != "" {
		by = "sockwatch " + version
	}
	return fmt.Errorf("this recording has the form %q and was written by %s, and this version reads %q: read it with the version that wrote it, or record again",
		schema, by, series.Schema)
}

// alone reports whether just one is set.
func alone(set ...bool) bool {
	n := 0
	for _, is := range set {
		if is {
			n++
		}
	}
	return n == 1
}

// wholeLines splits like bufio.ScanLines, but leaves the line ends, so that a
// last line without one is recognised.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
