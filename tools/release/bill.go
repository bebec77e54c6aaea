package main

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

// bill writes which modules are in a platform's programs, as the programs themselves
// say: a CycloneDX bill of materials.
func (r *release) bill(p platform, programs []file) error {
	modules := map[string]cyclonedx.Component{}
	for _, f := range programs {
		info, err := buildinfo.ReadFile(f.path)
		if err != nil {
			return fmt.Errorf("read what is in %s: %w", f.path, err)
		}
		goVersion := strings.TrimPrefix(info.GoVersion, "go")
		modules["std"] = library("std", goVersion, "")
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			modules[m.Path] = library(m.Path, m.Version, m.Sum)
		}
	}
	var components []cyclonedx.Component
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		components = append(components, modules[path])
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: r.date.Format("2006-01-02T15:04:05Z"),
		Component: &cyclonedx.Component{
			Type: cyclonedx.ComponentTypeApplication, BOMRef: "socketlab", Name: "socketlab", Version: r.version,
			Licenses: &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "MIT"}}},
		},
	}
	bom.Components = &components
	return r.write(r.base(p)+".cdx.json", func(w io.Writer) error {
		return cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	})
}

// library is a Go module. The sum is go.sum's, of its whole tree, which no other tool
// computes: it is a property and not a hash.
func library(path, version, sum string) cyclonedx.Component {
	purl := "pkg:golang/" + path + "@" + version
	c := cyclonedx.Component{Type: cyclonedx.ComponentTypeLibrary, BOMRef: purl, Name: path, Version: version, PackageURL: purl}
	if sum != "" {
		c.Properties = &[]cyclonedx.Property{{Name: "go:sum", Value: sum}}
	}
	return c
}
