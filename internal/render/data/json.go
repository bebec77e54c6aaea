// Package data writes answers for programs, and for places that take text from
// them: JSON, CSV, Markdown and the XML of JUnit.
package data

import (
	"encoding/csv"
	"encoding/json"
	"io"

	"socketlab/internal/render"
	"socketlab/internal/words"
)

var (
	_ = render.Register(render.Format{
		Name: "json", Rank: 2, Extensions: []string{".json"}, Needs: render.HasData,
		Render: func(w io.Writer, d *render.Document, _ render.Options) error {
			out := json.NewEncoder(w)
			out.SetIndent("", "  ")
			out.SetEscapeHTML(false)
			return out.Encode(d.Data)
		},
	})
	_ = render.Register(render.Format{
		Name: "csv", Rank: 3, Extensions: []string{".csv"}, Needs: render.HasRecords,
		Render: func(w io.Writer, d *render.Document, _ render.Options) error {
			return writeCSV(w, d.Records)
		},
	})
)

// writeCSV writes records. A field may quote what came from outside, and CSV escapes no
// control character: somebody looks at it on a terminal.
func writeCSV(w io.Writer, records [][]string) error {
	out := csv.NewWriter(w)
	for _, record := range records {
		clean := make([]string, len(record))
		for i, field := range record {
			clean[i] = words.Printable(field)
		}
		if err := out.Write(clean); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
