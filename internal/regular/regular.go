// Package regular reads files that somebody else names or writes: regular ones alone, and
// no more of one than its reader wants.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// What is wrong with what is no file to be read. [Open] and [Read] return it in a
// [fs.PathError].
var (
	ErrFolder     = errors.New("is a folder")
	ErrNotRegular = errors.New("is not a regular file")
)

// TooLarge is the error of a file of more bytes than its reader wants.
type TooLarge struct{ Size, Most int64 }

func (e TooLarge) Error() string {
	return fmt.Sprintf("is too large: %d bytes, the limit is %d", e.Size, e.Most)
}

// Open opens a regular file of at most so many bytes, and never waits: to open a pipe waits
// for one who writes, and a device has no end. The caller closes it.
func Open(path string, most int64) (*os.File, error) {
	// Before it is opened, as opening a device may do something: a watchdog starts.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := check(path, info, most); err != nil {
		return nil, err
	}
	// It may be another file by now.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = check(path, info, most)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func check(path string, info fs.FileInfo, most int64) error {
	var wrong error
	switch {
	case info.IsDir():
		wrong = ErrFolder
	case !info.Mode().IsRegular():
		wrong = ErrNotRegular
	case info.Size() > most:
		wrong = TooLarge{Size: info.Size(), Most: most}
	default:
		return nil
	}
	return &fs.PathError{Op: "read", Path: path, Err: wrong}
}

// Read reads a regular file of at most so many bytes.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path, most)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1)) // it may grow, and /proc says 0
	if err != nil {
		return nil, err
	}
	if size := int64(len(data)); size > most {
		return nil, &fs.PathError{Op: "read", Path: path, Err: TooLarge{Size: size, Most: most}}
	}
	return data, nil
}
