package tui

import (
	"bytes"
	"unicode/utf8"
)

// keyPress is a key as the model knows it: a character, or a name.
type keyPress string

// named are keys by what terminals send for them: after CSI and SS3 as xterm does
// (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html), and with the numbers of the
// Linux console and rxvt.
var named = map[string]keyPress{
	"\x03": "ctrl+c", "\t": "tab", " ": "space", "\x1b": "esc",
	"\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down",
	"\x1b[5~": "pgup", "\x1b[6~": "pgdown",
	"\x1b[H": "home", "\x1bOH": "home", "\x1b[1~": "home", "\x1b[7~": "home",
	"\x1b[F": "end", "\x1bOF": "end", "\x1b[4~": "end", "\x1b[8~": "end",
}

// nextKey returns the first key in what was typed, and the rest. The key is "" if it is
// none that is known. ok is false where the key may have more bytes to come, unless what
// was typed is all.
func nextKey(typed []byte, all bool) (key keyPress, rest []byte, ok bool) {
	length := keyLength(typed)
	if length == 0 {
		if !all {
			return "", typed, false
		}
		length = len(typed)
	}
	text := string(typed[:length])
	key, isNamed := named[text]
	if !isNamed && text[0] > ' ' {
		key = keyPress(text)
	}
	return key, typed[length:], true
}

// keyLength is the number of bytes of the first key, 0 where its end is still to come.
func keyLength(typed []byte) int {
	switch {
	case typed[0] != '\x1b':
		if !utf8.FullRune(typed) {
			return 0
		}
		_, n := utf8.DecodeRune(typed)
		return n
	case len(typed) == 1:
		return 0
	case typed[1] == '[': // the parameters end with a letter or ~ (ECMA-48, section 5.4)
		if end := bytes.IndexFunc(typed[2:], func(r rune) bool { return r >= '@' }); end >= 0 {
			return 2 + end + 1
		}
		return 0
	case typed[1] == 'O' && len(typed) < 3:
		return 0
	case typed[1] == 'O':
		return 3
	default: // a key with Alt
		return 2
	}
}
