package markup_test

import (
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"socketlab/internal/render/markup"
)

// Whatever a text is, a strict reader of XML, and one of HTML, reads it again.
func FuzzTextIsOnlyText(f *testing.F) {
	for _, s := range []string{
		"", `"'></a><script>alert(1)</script>]]>&amp;<!--`, "a\tb\nc\r\nd", "\x00\x1b\x0b\u202e\ufffe\uffff", "\xff\xfe", "é😀",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w := &markup.Writer{}
		w.Open("a", "title", s)
		w.Element("b", s)
		w.Empty("c", "title", s)
		w.Close()
		require.Empty(t, w.Opened())
		want := markupOf(s)
		var read struct {
			XMLName xml.Name `xml:"a"`
			Title   string   `xml:"title,attr"`
			B       string   `xml:"b"`
			C       struct {
				Title string `xml:"title,attr"`
			} `xml:"c"`
		}
		require.NoError(t, xml.Unmarshal([]byte(w.String()), &read), w.String())
		require.Equal(t, []string{want, want, want}, []string{read.Title, read.B, read.C.Title})
		in := html.NewTokenizer(strings.NewReader(w.String()))
		var names []string
		for in.Next() != html.ErrorToken {
			if name, _ := in.TagName(); len(name) > 0 {
				names = append(names, string(name))
			}
		}
		require.Equal(t, []string{"a", "b", "b", "c", "a"}, names)
	})
}

// markupOf is what is read of a text: what cannot be written is replaced.
func markupOf(s string) string {
	var out []rune
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 { // a row of bytes that are no text is one character
			for i < len(s) {
				if r, size := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size != 1 {
					break
				}
				i++
			}
			out = append(out, utf8.RuneError)
			continue
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			r = utf8.RuneError
		}
		out = append(out, r)
		i += size
	}
	return string(out)
}
