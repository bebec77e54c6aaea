package program

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Width returns the columns to write to w: COLUMNS, or else those of the terminal that w
// is; 0 if neither is known.
func Width(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	width, _ := Size(w)
	return width
}

// Size is the size of the terminal that w is, in columns and lines; 0 if it is none.
func Size(w io.Writer) (width, height int) {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		width, height, _ = term.GetSize(int(f.Fd()))
	}
	return width, height
}

// Colours reports whether what is written to w may have colours: w is a terminal that
// has them, and NO_COLOR is not set.
func Colours(w io.Writer) bool {
	width, _ := Size(w)
	return width > 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
