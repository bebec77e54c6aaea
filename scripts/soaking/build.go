//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// hook is added to a main package: it makes the program say how many goroutines it has.
const hook = `package main

import (
	"time"

	"socketlab/scripts/soaking/inside"
)

func init() { inside.Serve(func(by func() int64) { time.SoakShift = by }) }
`

// build builds the programs as they are, but for two things that an overlay adds: the hook,
// and a clock that can be set. time.Now then gives another time of day, as it does when the
// clock of a machine is set, while time that is measured goes on as before.
func (s *soak) build(ctx context.Context) error {
	root, err := s.goRoot(ctx)
	if err != nil {
		return err
	}
	clock := filepath.Join(root, "src/time/time.go")
	source, err := os.ReadFile(clock)
	if err != nil {
		return err
	}
	const now = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	set := bytes.Replace(source, []byte(now), []byte("// SoakShift is by how many seconds the clock was set.\nvar SoakShift func() int64\n\n"+
		now+"\tif SoakShift != nil {\n\t\tsec += SoakShift()\n\t}\n"), 1)
	if bytes.Equal(set, source) {
		return errors.New("time.Now of this version of Go is not the one that is known here: no clock can be set")
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	// The same places each time: what is built is then in the go command's cache.
	replace := map[string]string{clock: s.file("time.go")}
	for _, program := range []string{"sockwatch", "slowserver"} {
		replace[filepath.Join(here, "cmd", program, "soak_hook.go")] = s.file("hook.go")
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	file := s.file("overlay.json")
	if err := errors.Join(os.WriteFile(s.file("time.go"), set, 0o600),
		os.WriteFile(s.file("hook.go"), []byte(hook), 0o600), os.WriteFile(file, overlay, 0o600)); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, filepath.Join(root, "bin/go"), "build", "-overlay", file, "-o", s.bin+"/", "./cmd/sockwatch", "./cmd/slowserver")
	build.Env = append(os.Environ(), "GOROOT="+root, "GOTOOLCHAIN=local")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the programs: %w", err)
	}
	return nil
}

// goRoot is Go's own folder, by a name outside the module cache: a toolchain that the go
// command downloaded lies there, and no overlay may replace a file in the cache.
func (s *soak) goRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	link := s.file("goroot")
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return link, os.Symlink(strings.TrimSpace(string(out)), link)
}
