package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// style is a page's style sheet: the file, and the colours of what is drawn on
// a dark ground. On a light one, and on paper, the attributes of the drawing
// hold.
func style() template.CSS {
	data, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		panic(err) // it is embedded
	}
	var dark strings.Builder
	dark.WriteString("@media screen and (prefers-color-scheme: dark) {\n")
	fmt.Fprintf(&dark, "  .chart .ink { fill: %s }\n  .chart .faint { fill: %s }\n", inkDark, faintDark)
	fmt.Fprintf(&dark, "  .chart .grid { stroke: %s }\n  .chart .top { stroke: %s }\n  .hatch { stroke: %s }\n", gridDark, inkDark, darkness)
	var names []string
	for name := range theme {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&dark, "  .fill-%s { fill: %s }\n", name, theme[name].dark)
	}
	dark.WriteString("}\n")
	return template.CSS(string(data) + dark.String())
}
