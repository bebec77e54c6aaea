//go:build unix

package loadgen

import "os"

// countDir counts descriptors by listing them, less the one it lists with. It
// returns 0 where there is no such folder.
func countDir(path string) int {
	d, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	return max(len(names)-1, 0)
}
