//go:build unix

package recording

import (
	"os"
	"syscall"
)

// removed says that a file has no name any more: what is written into it is lost when
// it is closed. One that was renamed still has one.
func removed(info os.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return known && info.Mode().IsRegular() && stat.Nlink == 0
}
