package recording

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"socketlab/internal/words"
)

// clean replaces in a line of JSON what [words.Printable] replaces in a text, also where
// it is escaped. A recording is a file from anywhere, and its names go to terminals, pages
// and tables of every form. A line without such is returned as it is.
func clean(line []byte) []byte {
	if plain(line) {
		return line
	}
	out := make([]byte, 0, len(line))
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRune(line[i:])
		switch {
		case bytes.HasPrefix(line[i:], lineEnd): // as in a script that was written on Windows
			i += len(lineEnd)
			out = append(out, `\n`...)
			continue
		case r == '\\' && i+1 < len(line):
			r, size = escaped(line[i:])
		case r < ' ': // it is none of a string's
			r = -1
		}
		if r >= 0 && words.Printable(string(r)) != string(r) {
			out = utf8.AppendRune(out, utf8.RuneError)
		} else {
			out = append(out, line[i:i+size]...)
		}
		i += size
	}
	return out
}

// lineEnd is that of Windows, as JSON escapes it.
var lineEnd = []byte(`\r\n`)

// plain reports whether a line has neither escape sequences nor characters of several
// bytes.
func plain(line []byte) bool {
	for _, c := range line {
		if c == '\\' || c >= del {
			return false
		}
	}
	return true
}

// del is the first character after those that are printed as they are.
const del = 0x7f

// escaped reads the escape sequence that a text begins with: its rune, and -1 for one
// that is no control character or not in the form of JSON.
func escaped(text []byte) (r rune, size int) {
	const letter, hex = 2, 6 // \r, \u001b
	switch text[1] {
	case 'b', 'f', 'r':
		return '\r', letter // whichever: all three are control characters
	case 'u':
		if len(text) < hex {
			break
		}
		if n, err := strconv.ParseUint(string(text[2:hex]), 16, 32); err == nil {
			if r = rune(n); !utf8.ValidRune(r) { // a half of a surrogate pair
				r = -1
			}
			return r, hex
		}
	}
	return -1, letter
}
