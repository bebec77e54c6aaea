package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/render/report"
)

func picture(t *testing.T, e report.Entry) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.SVG(&out, e.Run))
	return out.String()
}

// wellFormed reads an SVG as strictly as XML is read, and returns its text.
func wellFormed(t *testing.T, svg string) string {
	t.Helper()
	named, asked := map[string]bool{}, map[string]bool{}
	var text strings.Builder
	in := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			require.NotContains(t, []string{"script", "style", "image", "use", "a", "foreignObject"}, token.Name.Local)
			for _, a := range token.Attr {
				switch a.Name.Local {
				case "id":
					named[a.Value] = true
				case "fill", "stroke":
					if id, ok := strings.CutPrefix(a.Value, "url(#"); ok {
						asked[strings.TrimSuffix(id, ")")] = true
						continue
					}
					require.Regexp(t, `^(none|#[0-9a-f]{6})$`, a.Value)
				case "xmlns":
				default:
					require.NotContains(t, a.Value, "://")
				}
			}
		}
	}
	for id := range asked {
		require.Contains(t, named, id, "a fill that is not there")
	}
	return text.String()
}

func TestSVGIsWellFormedAndNeedsNothing(t *testing.T) {
	t.Parallel()
	empty := entry(t)
	begin := empty.Run.Begin
	empty.Run = &lab.Run{}
	empty.Run.Add(lab.Event{Begin: &begin})
	for name, e := range map[string]report.Entry{
		"made up": entry(t), "long": long(t, "transport-per-request"), "hostile": hostile(t), "no sample": empty,
	} {
		t.Run(name, func(t *testing.T) {
			svg := picture(t, e)
			text := wellFormed(t, svg)
			require.NotRegexp(t, regexp.MustCompile(`NaN|Inf|var\(`), svg)
			p := report.HeadlineOf(e.Run)
			require.Regexp(t, map[bool]string{true: "0 sockets left open on both sides", false: "against"}[name == "no sample"], text)
			require.Contains(t, text, render.Meaning("ESTABLISHED"))
			if name != "hostile" {
				require.Contains(t, text, p.Now)
			}
			require.Less(t, len(svg), 150_000)
		})
	}
	kept(t, "run.svg", picture(t, entry(t)))
}
