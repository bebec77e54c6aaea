package fixes_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// imports are the packages of the code in Go, by the name that the code uses. Those
// with a point in the first part are not the standard library's.
var imports = map[string]string{
	"context": "context", "errors": "errors", "http": "net/http", "io": "io", "net": "net", "os": "os", "rand": "math/rand/v2",
	"signal": "os/signal", "sql": "database/sql", "syscall": "syscall", "time": "time",
	"ldap": "github.com/go-ldap/ldap/v3", "rate": "golang.org/x/time/rate",
}

// code is the different code of a runtime.
func code(runtime string) []string {
	var all []string
	for _, r := range rows() {
		if r.Runtime == runtime && r.Code != "" {
			all = append(all, r.Code)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestCodeInGoIsVetted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module code\n\ngo 1.26\n"), 0o600))
	for i, text := range code("go") {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package code\n"+text, parser.SkipObjectResolution)
		require.NoError(t, err, text)
		used := map[string]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && imports[x.Name] != "" {
					used[imports[x.Name]] = true
				}
			}
			return true
		})
		var head strings.Builder
		foreign := false
		for path := range used {
			first, _, _ := strings.Cut(path, "/")
			foreign = foreign || strings.Contains(first, ".")
			fmt.Fprintf(&head, "import %q\n", path)
		}
		if foreign {
			continue // it was parsed
		}
		folder := filepath.Join(dir, fmt.Sprintf("code%d", i))
		require.NoError(t, os.Mkdir(folder, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "code.go"), []byte("package code\n"+head.String()+text+"\n"), 0o600))
	}
	run(t, dir, "go", "vet", "./...")
}

// run runs a command, or skips the test where the command is not installed.
func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(err)
	}
	c := exec.Command(path, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestCodeIsReadByItsLanguage(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		runtime, file, before, after string
		check                        []string // a command that takes the files, all or one
		each                         bool
	}{
		{runtime: "python", file: "code.py", check: []string{"python3", "-m", "py_compile"}},
		{runtime: "node", file: "code.mjs", check: []string{"node", "--check"}, each: true},
		{runtime: "ruby", file: "code.rb", check: []string{"ruby", "-c"}, each: true},
		{runtime: "php", file: "code.php", check: []string{"php", "-l"}, each: true},
		{runtime: "nginx", file: "code.conf", before: "pid nginx.pid; error_log stderr; events {}\nhttp { access_log off;\n", after: "\n}", check: []string{"nginx", "-p", ".", "-t", "-c"}, each: true},
		{runtime: "java", file: "Code.java", before: javaImports + "class Code# {\n", after: "\n}", check: []string{"javac"}},
	} {
		t.Run(of.runtime, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var files []string
			for i, text := range code(of.runtime) {
				folder := filepath.Join(dir, fmt.Sprint(i))
				require.NoError(t, os.Mkdir(folder, 0o700))
				files = append(files, filepath.Join(folder, of.file))
				require.NoError(t, os.WriteFile(files[i], []byte(strings.ReplaceAll(of.before, "#", fmt.Sprint(i))+text+of.after+"\n"), 0o600))
			}
			require.NotEmpty(t, files)
			if !of.each {
				run(t, dir, of.check[0], append(of.check[1:], files...)...)
				return
			}
			for _, file := range files {
				run(t, filepath.Dir(file), of.check[0], append(of.check[1:], file)...)
			}
		})
	}
}

const javaImports = `import java.io.*;
import java.net.*;
import java.net.http.*;
import java.sql.*;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
`

func TestRowsWithCodeSayWhere(t *testing.T) {
	t.Parallel()
	for _, r := range rows() {
		if r.Code != "" {
			require.NotEmpty(t, r.Runtime, r.Fix)
			require.Regexp(t, `^(https://|[a-z0-9_.-]+\(\d\)|RFC |MQTT )`, cmp.Or(r.Source, "-"))
		}
	}
}
