// Package scratch makes folders for temporary files, and removes those that a process left
// because it was killed.
package scratch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Folder is a folder that belongs to this process. Its lock, on the folder itself, ends with
// the process whatever ends that: a folder without a lock is a leftover.
type Folder struct {
	Path string
	lock *os.File // nil where there are no locks
}

// New makes an empty folder in the system's folder for temporary files, named after what it
// is for, and removes leftovers there. The caller removes it.
func New(purpose string) (*Folder, error) {
	removeLeftovers()
	for {
		path, err := os.MkdirTemp("", "sockwatch-"+purpose+"-*.tmp")
		if err != nil {
			return nil, fmt.Errorf("make a folder for temporary files (TMPDIR says where): %w", err)
		}
		lock, err := acquire(path)
		switch {
		case err == nil:
			return &Folder{path, lock}, nil
		case errors.Is(err, os.ErrNotExist) || errors.Is(err, errTaken):
			// Another process took it for a leftover before it had its lock.
		default:
			return nil, errors.Join(err, os.RemoveAll(path))
		}
	}
}

// Remove removes the folder and all in it. It may be called twice.
func (f *Folder) Remove() error {
	err := os.RemoveAll(f.Path)
	if f.lock != nil {
		_ = f.lock.Close()
	}
	return err
}

// errTaken says that another process has the lock.
var errTaken = errors.New("another process has the folder")

// removeLeftovers removes what it can. That others' folders stay is no error.
func removeLeftovers() {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), "sockwatch-*.tmp"))
	for _, path := range found {
		if lock, err := acquire(path); err == nil && lock != nil {
			_ = os.RemoveAll(path)
			_ = lock.Close()
		}
	}
}
