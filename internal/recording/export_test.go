package recording

import "os"

// ReadFrom is Read of what is no file.
var ReadFrom = read

// WriteTo has a writer write to a file that is open already: a device cannot be
// made anew.
func (w *Writer) WriteTo(f *os.File) { w.Path, w.file = f.Name(), f }
