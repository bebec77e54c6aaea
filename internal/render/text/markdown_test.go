package text

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
)

// A number that stands at a line's beginning by chance begins no item of a list.
func TestANumberWithinAParagraphIsNoList(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"It holds more than\n100. The other side holds\nless than that.": "It holds more than 100. The other side holds less than that.",
		"> It holds more than\n> 100. The other side":                    "> It holds more than 100. The other side",
		"- It holds more than\n100. The other side":                      "- It holds more than 100. The other side",
		"Do this:\n1. watch it,\n2. end it.":                             "Do this:\n1. watch it,\n2. end it.",
		"7. is the\nnumber\n8. is the next":                              "7. is the number\n8. is the next",
		"This is so:\n- one\n- two":                                      "This is so:\n- one\n- two",
	} {
		var out strings.Builder
		doc := &render.Document{Blocks: []render.Block{render.Markdown{Text: in}}}
		require.NoError(t, write(&out, doc, render.Options{Width: 80}))
		require.Equal(t, want, strings.TrimSpace(out.String()), in)
	}
}
