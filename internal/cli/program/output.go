package program

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// output is standard output. It remembers the first write that failed, so that no
// program ends with 0 whose answer did not arrive.
type output struct {
	*os.File
	failed func() // called once, at the first error

	mu   sync.Mutex
	err  error
	lost int64
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.File.Write(p)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.lost += int64(len(p) - n)
		if o.err == nil {
			o.err = err
			o.failed()
		}
	}
	return n, err
}

// WriteString implements io.StringWriter.
func (o *output) WriteString(s string) (int, error) { return o.Write([]byte(s)) }

// ReadFrom implements io.ReaderFrom: that of the file would pass by Write.
func (o *output) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{o}, r)
}

// problem is the first error, with how much did not arrive; nil where all did.
func (o *output) problem() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		return nil
	}
	return fmt.Errorf("write the answer: %w (%d bytes did not arrive)", o.err, o.lost)
}
