// Mutation flips each comparison with a threshold in the rules of a package, one at a
// time, and lists those that no test of the package notices. See scripts/mutate.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// helper is added to the package: the mutant that the environment names is the other way.
const helper = `package %s

import (
	"os"
	"strconv"
)

var mutantFlipped = func() int { n, _ := strconv.Atoi(os.Getenv("MUTANT")); return n }()

func mutant(n int, is bool) bool { return is != (n == mutantFlipped) }
`

// flip is one comparison.
type flip struct{ place, text string }

func main() {
	limit := flag.Duration("for", 10*time.Minute, "begin no mutant after this time")
	each := flag.Duration("timeout", time.Minute, "a mutant whose tests take longer is found")
	folder := flag.String("package", "internal/verdict", "the folder of the package")
	slow := flag.String("slow", "TestGrowthIsNotMistaken|TestSlowLeakAmongManyBusyConnections", "tests that are run last")
	flag.Parse()
	survivors, tried, all, err := mutate(context.Background(), *folder, *slow, *limit, *each)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
	for _, s := range survivors {
		fmt.Printf("%s: no test notices that %s is the other way\n", s.place, s.text)
	}
	fmt.Printf("%d of %d comparisons flipped, %d noticed\n", tried, all, tried-len(survivors))
	if len(survivors) > 0 {
		os.Exit(3)
	}
}

func mutate(ctx context.Context, folder, slow string, limit, each time.Duration) (survivors []flip, tried, all int, err error) {
	temp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, 0, 0, err
	}
	defer os.RemoveAll(temp)
	flips, err := rewrite(folder, temp)
	if err != nil {
		return nil, 0, 0, err
	}
	binary := filepath.Join(temp, "tests")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", filepath.Join(temp, "overlay.json"), "-o", binary, "./"+folder)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, 0, 0, fmt.Errorf("build the tests: %w", err)
	}
	run := func(n int, args ...string) error {
		ctx, cancel := context.WithTimeout(ctx, each)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, append(args, "-test.failfast", "-test.short")...)
		cmd.Dir, cmd.Env = folder, append(os.Environ(), "MUTANT="+strconv.Itoa(n))
		return cmd.Run()
	}
	test := func(n int) error { // the slow ones only where the others notice nothing
		if err := run(n, "-test.skip", slow); err != nil {
			return err
		}
		return run(n, "-test.run", slow)
	}
	if err := test(0); err != nil {
		return nil, 0, 0, fmt.Errorf("the tests fail before anything is flipped: %w", err)
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	next, end := 0, time.Now().Add(limit)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for {
				mu.Lock()
				next++
				n := next
				if n > len(flips) || time.Now().After(end) {
					mu.Unlock()
					return
				}
				tried++
				mu.Unlock()
				if test(n) == nil {
					mu.Lock()
					survivors = append(survivors, flips[n-1])
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	slices.SortFunc(survivors, func(a, b flip) int { return strings.Compare(a.place, b.place) })
	return survivors, tried, len(flips), nil
}

// rewrite writes the package into temp with each comparison in a call of mutant, and an
// overlay for the go command.
func rewrite(folder, temp string) ([]flip, error) {
	root, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil {
		return nil, err
	}
	var flips []flip
	replace := map[string]string{}
	name := ""
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		name = file.Name.Name
		type insert struct {
			at   int
			text string
		}
		var inserts []insert
		ast.Inspect(file, func(n ast.Node) bool {
			c, ok := n.(*ast.BinaryExpr)
			if !ok || !slices.Contains([]token.Token{token.LSS, token.LEQ, token.GTR, token.GEQ}, c.Op) {
				return true
			}
			from, to := set.Position(c.Pos()), set.Position(c.End())
			flips = append(flips, flip{fmt.Sprintf("%s/%s:%d", folder, filepath.Base(path), from.Line), string(source[from.Offset:to.Offset])})
			inserts = append(inserts, insert{from.Offset, fmt.Sprintf("mutant(%d, ", len(flips))}, insert{to.Offset, ")"})
			return true
		})
		slices.SortStableFunc(inserts, func(a, b insert) int { return b.at - a.at })
		for _, i := range inserts {
			source = slices.Concat(source[:i.at], []byte(i.text), source[i.at:])
		}
		replace[path] = filepath.Join(temp, filepath.Base(path))
		if err := os.WriteFile(replace[path], source, 0o600); err != nil {
			return nil, err
		}
	}
	added := filepath.Join(temp, "mutant.go")
	replace[filepath.Join(root, "mutant.go")] = added
	if err := os.WriteFile(added, fmt.Appendf(nil, helper, name), 0o600); err != nil {
		return nil, err
	}
	var overlay bytes.Buffer
	if err := json.NewEncoder(&overlay).Encode(map[string]any{"Replace": replace}); err != nil {
		return nil, err
	}
	return flips, os.WriteFile(filepath.Join(temp, "overlay.json"), overlay.Bytes(), 0o600)
}
