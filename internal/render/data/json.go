// Package data writes answers for programs, and for places that take text from
// them: JSON, CSV, Markdown and the XML of JUnit.
package data

import (
	"encoding/csv"
	"encoding/json"
	"io"

	"socketlab/internal/render"
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
			return csv.NewWriter(w).WriteAll(d.Records)
		},
	})
)
