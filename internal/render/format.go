package render

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Format writes documents in one form. Each is registered by its package, and
// nothing else lists them.
type Format struct {
	// Name is what -o calls it.
	Name string
	// Rank is its place in lists of formats.
	Rank int
	// Extensions are the ends of the names of its files, with the point.
	Extensions []string
	// Needs is what a document must have to be written in it.
	Needs Content
	// Render writes the document. With an error, part of it may be written. It is safe
	// for use by several goroutines.
	Render func(io.Writer, *Document, Options) error
}

// Content is what a document has, or a format needs: any of the following.
type Content uint

// The contents.
const (
	HasBlocks  Content = 1 << iota // what people read
	HasData                        // the JSON form
	HasRecords                     // the CSV form
	HasChecks                      // what passed or failed
	HasCharts                      // charts of sockets over time, or a sequence diagram
)

// Options are what the user asked of a format.
type Options struct {
	// Width is the number of columns of the terminal; 0 is 80.
	Width int
	// Colours says that it is shown on a terminal that has them.
	Colours bool
}

// formats are the registered formats, by rank.
var formats []*Format

// Register adds a format. It is called by the initialisation of a package-level
// variable or an init function; a name that is there already panics.
func Register(f Format) struct{} {
	if slices.ContainsFunc(formats, func(other *Format) bool { return other.Name == f.Name }) {
		panic("render: two formats are called " + f.Name)
	}
	formats = append(formats, &f)
	slices.SortStableFunc(formats, func(a, b *Format) int { return a.Rank - b.Rank })
	return struct{}{}
}

// FormatOf returns the format with a name; the error lists those that can show
// what there is.
func FormatOf(name string, has Content) (*Format, error) {
	names := Formats(has)
	if !slices.Contains(names, name) {
		return nil, fmt.Errorf("use one of %s", strings.Join(names, ", "))
	}
	return formats[slices.IndexFunc(formats, func(f *Format) bool { return f.Name == name })], nil
}

// FormatOfFile returns the format of a file, by the end of its name; nil if the name
// has the end of none.
func FormatOfFile(path string) *Format {
	end := strings.ToLower(filepath.Ext(path))
	i := slices.IndexFunc(formats, func(f *Format) bool { return slices.Contains(f.Extensions, end) })
	if i < 0 {
		return nil
	}
	return formats[i]
}

// Formats lists the names of the formats that can write what has so much.
func Formats(has Content) []string {
	var names []string
	for _, f := range formats {
		if f.Needs&^has == 0 {
			names = append(names, f.Name)
		}
	}
	return names
}
