//go:build !linux

package cli

import "os"

// openStream opens what is at a path to write to it as it is, and truncates nothing. To open
// /dev/fd/1 duplicates the descriptor, where there is such a name.
func openStream(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
}
