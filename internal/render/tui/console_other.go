//go:build !windows

package tui

import "io"

// enableSequences does nothing: terminals obey control sequences.
func enableSequences(io.Writer) (undo func() error, err error) {
	return func() error { return nil }, nil
}
