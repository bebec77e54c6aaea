package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// measureStart measures what `go run ./cmd/sockwatch demo` takes from empty caches: the
// build, and the time to the first sample of what it built.
func measureStart(ctx context.Context, o options, n *neighbours) (table, error) {
	t := table{title: "Starting from nothing", how: startHow(), columns: []string{"sockwatch", "the old build"}}
	if o.history == "" {
		t.limits = []string{noOldBuild}
		return t, nil
	}
	root, err := filepath.Abs("../..") // a test is run in the folder of its package
	if err != nil {
		return t, err
	}
	var wall, cpu [2]figures
	for _, i := range order(2, 0) { // once: it takes minutes
		source := []string{root, o.history}[i]
		fmt.Fprintf(n.progress, "bench: build %s from empty caches\n", source)
		took, used, err := startFromNothing(ctx, source)
		if err != nil {
			return t, err
		}
		wall[i], cpu[i] = figures{took.Seconds()}, figures{used.Seconds()}
	}
	ratio := wall[0].over(wall[1])
	t.rows = []row{
		{"`go run ./cmd/sockwatch demo` to the first sample, s", 1, wall[:], nil},
		{"the same against the old build", 2, []figures{ratio, nil}, atMost(0.7, ratio.median())},
		{"processor time of it, s", 1, cpu[:], nil},
		{"the same against the old build", 2, []figures{cpu[0].over(cpu[1]), nil}, nil},
	}
	return t, nil
}

// startFromNothing builds sockwatch of a source with an empty cache of builds, and has it
// take its first sample.
func startFromNothing(ctx context.Context, source string) (took, cpu time.Duration, err error) {
	cache, err := os.MkdirTemp("", "bench")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(cache)
	program := filepath.Join(cache, "sockwatch")
	began := time.Now()
	for _, command := range [][]string{
		{"go", "build", "-o", program, "./cmd/sockwatch"},
		{program, "watch", "--port", "9", "--for", "1ms", "-o", "json"},
	} {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Dir, cmd.SysProcAttr = source, diesWithUs()
		cmd.Env = append(os.Environ(), "GOCACHE="+filepath.Join(cache, "cache"), "GOFLAGS=-buildvcs=false")
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, 0, fmt.Errorf("%v: %w: %s", command, err, out)
		}
		cpu += count(cmd.ProcessState)
	}
	return time.Since(began), cpu, nil
}

func startHow() string {
	return `A build with an empty cache of builds and a full one of modules, and one sample of what was built,
once each.`
}
