package sockettest

import (
	"bytes"
	"runtime"
	"testing"
)

// Whatever the text of the stacks, reading it ends.
func FuzzStacks(f *testing.F) {
	own := make([]byte, 64<<10)
	f.Add(string(own[:runtime.Stack(own, true)]))
	f.Add("goroutine 1 [select]:\n" + readLoop + "(0x1)\n\t/a.go:1\n\ngoroutine 2 [IO wait]:\n" + pollWait + "(0x7f, 0x72)\n")
	f.Add(string(bytes.Repeat([]byte("\n"), 9)))
	f.Fuzz(func(_ *testing.T, text string) { parseStacks(text) })
}
