package recording

import (
	"io"
	"os"

	"socketlab/internal/series"
)

// ReadFrom is Read of what is no file.
func ReadFrom(from io.Reader, path string) (*Recording, error) {
	return gather(func(see func(series.Event)) error { return each(from, path, see) })
}

// WriteTo has a writer write to a file that is open already: a device cannot be
// made anew.
func (w *Writer) WriteTo(f *os.File) { w.Path, w.file = f.Name(), f }
