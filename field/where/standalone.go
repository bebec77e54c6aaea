//go:build linux

package main

import (
	"context"
	_ "embed"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"socketlab/internal/callsite"
	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// oldest is the minor version of Go that builds the project. Older ones build a program of
// its pairs alone.
const oldest = 26

//go:embed testdata/standalone/main.go
var standaloneMain []byte

//go:embed testdata/standalone/loadgen.go
var standaloneLoadgen []byte

// isOld reports whether a version of Go does not build the project.
func isOld(version string) bool { return version != "local" && !callsite.AtLeast(version, oldest) }

// makeStandalone builds a client of the pairs that an old version of Go compiles, and
// returns for each other one why not.
func (p *program) makeStandalone(ctx context.Context, ids []string) (missing map[string]string, err error) {
	module := filepath.Join(p.dir, "socketlab")
	write := func(name string, text []byte) error {
		path := filepath.Join(module, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		return os.WriteFile(path, text, 0o600)
	}
	build := func(arguments ...string) ([]byte, error) {
		c := exec.CommandContext(ctx, "go", append([]string{"build"}, arguments...)...)
		c.Dir, c.Env = module, append(os.Environ(), "GOTOOLCHAIN="+p.version, "GOFLAGS=", "GOWORK=off")
		return c.CombinedOutput()
	}
	for name, text := range map[string][]byte{
		"go.mod": []byte("module socketlab\n\ngo 1.22\n"), "main.go": standaloneMain, "internal/loadgen/loadgen.go": standaloneLoadgen,
	} {
		if err := write(name, text); err != nil {
			return nil, err
		}
	}
	missing = map[string]string{}
	for _, id := range ids {
		if missing[id] = needs(id); missing[id] != "" {
			continue
		}
		for _, side := range scenario.Sides() {
			if err := write(fmt.Sprintf("scenarios/%s/%s.go", id, side), []byte(scenarios.Code(id, side))); err != nil {
				return nil, err
			}
		}
	}
	// What does not compile is said package by package.
	out, err := build("./scenarios/...")
	for _, of := range regexp.MustCompile(`(?m)^# socketlab/scenarios/(.*)\n(.*)$`).FindAllSubmatch(out, -1) {
		missing[string(of[1])] = string(of[2])
	}
	if err != nil && len(out) == 0 {
		return nil, err
	}
	imports, pairs := "", ""
	for i, id := range ids {
		if missing[id] == "" {
			imports += fmt.Sprintf("\tp%d \"socketlab/scenarios/%s\"\n", i, id)
			pairs += fmt.Sprintf("\t%q: {\"faulty\": p%d.NewFaulty, \"fixed\": p%[2]d.NewFixed},\n", id, i)
		}
	}
	list := "package main\n\nimport (\n\t\"socketlab/internal/loadgen\"\n\n" + imports + ")\n\nvar pairs = map[string]map[string]func(loadgen.Target) loadgen.Caller{\n" + pairs + "}\n"
	if err := write("pairs.go", []byte(list)); err != nil {
		return nil, err
	}
	for _, side := range scenario.Sides() {
		arguments := []string{"-o", filepath.Join(p.dir, "client-"+string(side)+".real"), "."}
		if p.stripped {
			arguments = slices.Insert(arguments, 0, "-ldflags=-s -w")
		}
		if out, err := build(arguments...); err != nil {
			return nil, fmt.Errorf("build the pairs with %s: %w\n%s", p.version, err, out)
		}
	}
	return missing, nil
}

// needs is why a pair needs more of the project than the standalone client has; "" if it
// does not.
func needs(id string) string {
	for _, side := range scenario.Sides() {
		file, err := parser.ParseFile(token.NewFileSet(), "", scenarios.Code(id, side), parser.ImportsOnly)
		if err != nil {
			return err.Error()
		}
		for _, i := range file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if first, _, _ := strings.Cut(path, "/"); path != "socketlab/internal/loadgen" && (first == "socketlab" || strings.Contains(first, ".")) {
				return "it imports " + path
			}
		}
	}
	return ""
}
