package internal_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/api.txt anew")

// public are the packages that programs of others import.
var public = []string{"sockettest", "httppool", "httppool/otelpool", "httppool/prompool"}

// What is exported by a public package is listed in testdata/api.txt, for all systems
// together. A line that goes breaks somebody's program: it goes with a line in CHANGELOG.md.
func TestNothingThatIsExportedVanishesUnseen(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, name := range public {
		fmt.Fprintf(&got, "package %s\n%s\n", name, strings.Join(exported(t, name), "\n"))
	}
	const golden = "testdata/api.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String(), "if that is meant: go test ./internal -run Exported -update")
}

// exported is a line for each thing that a package exports: a function, a method, a
// constant, a variable, a type, and each field and method of a type.
func exported(t *testing.T, name string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(name), "*.go"))
	require.NoError(t, err)
	set := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if !strings.HasSuffix(path, "_test.go") {
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			files = append(files, file)
		}
	}
	require.NotEmpty(t, files, name)
	p, err := doc.NewFromFiles(set, files, name)
	require.NoError(t, err)
	var lines []string
	add := func(prefix string, node any) {
		var b bytes.Buffer
		require.NoError(t, printer.Fprint(&b, set, node))
		lines = append(lines, "  "+prefix+regexp.MustCompile(`\s+`).ReplaceAllString(b.String(), " "))
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, spec := range v.Decl.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if name.IsExported() {
						add(v.Decl.Tok.String()+" ", name)
					}
				}
			}
		}
	}
	funcs := func(list []*doc.Func) {
		for _, f := range list {
			f.Decl.Doc, f.Decl.Body = nil, nil
			add("", f.Decl)
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs)
	for _, of := range p.Types {
		values(of.Consts)
		values(of.Vars)
		funcs(of.Funcs)
		funcs(of.Methods)
		for _, spec := range of.Decl.Specs {
			spec := spec.(*ast.TypeSpec)
			var parts *ast.FieldList
			switch is := spec.Type.(type) {
			case *ast.StructType:
				parts, is.Fields = is.Fields, &ast.FieldList{}
			case *ast.InterfaceType:
				parts, is.Methods = is.Methods, &ast.FieldList{}
			}
			spec.Doc, spec.Comment = nil, nil
			add("type ", spec)
			if parts == nil {
				continue
			}
			for _, part := range parts.List {
				if len(part.Names) == 0 { // embedded
					add("type "+spec.Name.Name+": ", part.Type)
				}
				for _, name := range part.Names {
					add("type "+spec.Name.Name+": "+name.Name+" ", part.Type)
				}
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
