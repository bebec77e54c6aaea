//go:build linux

// Command where plays the scenarios whose fault is in a client's Go code, has
// sockwatch diagnose --where look at both clients while they play, and compares the lines
// that it names with the code of the pair. scripts/where --scenarios runs it. It needs
// root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	right, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "where:", err)
	}
	if err != nil || !right {
		stop()
		os.Exit(1)
	}
}

// run reports whether every line was right.
func run(ctx context.Context) (bool, error) {
	versions := flag.String("go", "local", "versions of Go that build the clients, such as go1.26.9,go1.27.4; local is the one that is installed")
	strip := flag.String("strip", "yes", "yes, no, or both: build the clients without symbols")
	jobs := flag.Int("j", 3, "scenarios that are played at a time: the kernel attaches probes one after the other, so with some twenty clients one is held for longer than its run waits")
	flag.Parse()
	if os.Geteuid() != 0 {
		return false, errors.New("looking into running programs needs root")
	}
	ids := flag.Args()
	if len(ids) == 0 {
		ids = inClients()
	}
	for _, id := range ids {
		if !slices.Contains(inClients(), id) {
			return false, fmt.Errorf("%s: no scenario with code of a client in Go", id)
		}
	}
	dir, err := os.MkdirTemp("", "where-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	right := true
	for _, version := range strings.Split(*versions, ",") {
		for _, stripped := range map[string][]bool{"yes": {true}, "no": {false}, "both": {true, false}}[*strip] {
			build := program{dir: filepath.Join(dir, fmt.Sprint(version, stripped)), version: version, stripped: stripped}
			missing, err := build.make(ctx, ids)
			if err != nil {
				return false, err
			}
			fmt.Printf("%s, %s\n", build.version, map[bool]string{true: "stripped", false: "with symbols"}[stripped])
			for _, id := range ids {
				if missing[id] != "" {
					fmt.Printf("%-30s not built: %s\n", id, missing[id])
				}
			}
			built := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return missing[id] != "" })
			right = playAll(ctx, build, built, *jobs) && right
		}
	}
	return right, ctx.Err()
}

// inClients are the scenarios whose pair is code of a client.
func inClients() []string {
	return slices.DeleteFunc(scenarios.IDs(), func(id string) bool {
		return !strings.Contains(scenarios.Code(id, scenario.Faulty), "func NewFaulty(") || scenarios.Relays(id)
	})
}

// program is the programs of a run, as one version of Go builds them.
type program struct {
	dir      string
	version  string
	stripped bool
}

// make builds the programs. A client has a script in its place, which says its process
// before it becomes the client. It returns for each scenario whose pair this version of Go
// does not build why not.
func (p *program) make(ctx context.Context, ids []string) (missing map[string]string, err error) {
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return nil, err
	}
	if isOld(p.version) {
		if missing, err = p.makeStandalone(ctx, ids); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"sockwatch", "slowserver", "client-faulty", "client-fixed"} {
		c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(p.dir, name), "./cmd/"+name)
		if strings.HasPrefix(name, "client-") {
			if p.stripped {
				c.Args = slices.Insert(c.Args, 2, "-ldflags=-s -w")
			}
			c.Args[slices.Index(c.Args, "-o")+1] += ".real"
			if p.version != "local" {
				c.Env = append(os.Environ(), "GOTOOLCHAIN="+p.version)
			}
			text := fmt.Sprintf("#!/bin/sh\nmkdir -p \"$WHERE_PIDS\"\necho $$ > \"$WHERE_PIDS/%[1]s.new\"\nmv \"$WHERE_PIDS/%[1]s.new\" \"$WHERE_PIDS/%[1]s\"\nexec \"%[2]s.real\" \"$@\"\n", name, filepath.Join(p.dir, name))
			if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o700); err != nil { //nolint:gosec // it is run
				return nil, err
			}
			if isOld(p.version) {
				continue
			}
		}
		if out, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s with %s: %w\n%s", name, p.version, err, out)
		}
	}
	return missing, nil
}

// playAll prints a row for each scenario, and reports whether every line was right.
func playAll(ctx context.Context, build program, ids []string, jobs int) bool {
	var (
		mu          sync.Mutex // guards what follows
		rows, right int
		held, known int
		group       sync.WaitGroup
	)
	room := make(chan struct{}, jobs)
	for _, id := range ids {
		room <- struct{}{}
		group.Go(func() {
			defer func() { <-room }()
			row := play(ctx, build, id)
			mu.Lock()
			defer mu.Unlock()
			fmt.Println(row)
			if rows++; row.right() {
				right++
			}
			if row.err == nil {
				held, known = held+row.sides[scenario.Faulty].held, known+row.sides[scenario.Faulty].known
			}
		})
	}
	group.Wait()
	fmt.Printf("%d of %d scenarios are right; a line for %d of %d connections of the faulty clients\n", right, rows, known, held)
	return right == rows
}
