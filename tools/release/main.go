// Release builds what is published of a version: archives, packages for Linux, images,
// lists of what is inside, and checksums. scripts/release calls it.
//
// Everything in the folder that it writes depends on the sources, the version and the Go
// that builds it alone: no clock, no host name, no path of this machine. A second run
// writes the same bytes.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// programs are what is published, in the order of the lists.
var programs = []string{"sockwatch", "slowserver", "client-faulty", "client-fixed"}

// platforms are what is published for.
var platforms = []platform{
	{"linux", "amd64"},
	{"linux", "arm64"},
	{"darwin", "amd64"},
	{"darwin", "arm64"},
	{"windows", "amd64"},
	{"windows", "arm64"},
}

type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// release is one version in the making.
type release struct {
	source  string    // the folder of the sources
	out     string    // the folder that is written
	work    string    // a folder for what is not published
	version string    // without the v
	date    time.Time // of the commit
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var only string
	r := release{}
	flag.StringVar(&r.source, "source", ".", "the folder of the sources")
	flag.StringVar(&r.version, "version", "", "the version, such as v1.2.3 (default: the tag of the commit)")
	flag.StringVar(&only, "only", "", "these platforms only, such as linux/amd64,windows/arm64")
	flag.Parse()
	if flag.NArg() != 1 {
		return errors.New("name the folder to write, which must be new")
	}
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	if r.source, err = filepath.Abs(r.source); err != nil {
		return err
	}
	if r.out, err = filepath.Abs(flag.Arg(0)); err != nil {
		return err
	}
	if err := r.name(ctx); err != nil {
		return err
	}
	// Nothing half-written: the folder gets its name when it is whole.
	if _, err := os.Lstat(r.out); err == nil {
		return fmt.Errorf("%s is there already", r.out)
	}
	final := r.out
	if r.work, err = os.MkdirTemp(filepath.Dir(final), ".release-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	r.out = filepath.Join(r.work, "out")
	if err := r.make(ctx, chosen); err != nil {
		return err
	}
	return os.Rename(r.out, final)
}

func choose(only string) ([]platform, error) {
	if only == "" {
		return platforms, nil
	}
	var chosen []platform
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("-only %s: it is one of %v", name, platforms)
		}
		chosen = append(chosen, platforms[i])
	}
	return chosen, nil
}

var semver = regexp.MustCompile(`^v(\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?)$`)

// name finds the version and its date.
func (r *release) name(ctx context.Context) error {
	if r.version == "" {
		tag, err := r.output(ctx, "git", "describe", "--tags", "--exact-match")
		if err != nil {
			return fmt.Errorf("this commit has no tag; name a version with -version v0.0.0: %w", err)
		}
		r.version = tag
	}
	m := semver.FindStringSubmatch(r.version)
	if m == nil {
		return fmt.Errorf("version %q: the form is v1.2.3 or v1.2.3-rc.1", r.version)
	}
	r.version = m[1]
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		var err error
		if epoch, err = r.output(ctx, "git", "log", "-1", "--format=%ct"); err != nil {
			return fmt.Errorf("no date: set SOURCE_DATE_EPOCH, or release from a git repository: %w", err)
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("the date %q is no number of seconds: %w", epoch, err)
	}
	r.date = time.Unix(seconds, 0).UTC()
	return nil
}

func (r *release) make(ctx context.Context, chosen []platform) error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	for _, name := range programs {
		if err := r.build(ctx, platform{runtime.GOOS, runtime.GOARCH}, name, r.hosted(name)); err != nil {
			return err
		}
	}
	extra, err := r.texts(ctx)
	if err != nil {
		return err
	}
	for _, p := range chosen {
		fmt.Println(p)
		dir := filepath.Join(r.work, p.os, p.arch)
		var files []file
		for _, name := range programs {
			f := file{name: name + p.ending(), path: filepath.Join(dir, name+p.ending()), mode: 0o755}
			if err := r.build(ctx, p, name, f.path); err != nil {
				return err
			}
			files = append(files, f)
		}
		if err := r.bill(p, files); err != nil {
			return err
		}
		if err := r.archive(p, slices.Concat(files, extra)); err != nil {
			return err
		}
		if p.os == "linux" {
			if err := r.packages(p, files, extra); err != nil {
				return err
			}
			if err := r.images(p, files); err != nil {
				return err
			}
		}
	}
	if err := r.kubernetes(); err != nil {
		return err
	}
	if err := r.manifests(); err != nil {
		return err
	}
	return r.checksums()
}

// hosted is where a program for this machine is, which writes the texts.
func (r *release) hosted(program string) string { return filepath.Join(r.work, "host", program) }

func (p platform) ending() string {
	if p.os == "windows" {
		return ".exe"
	}
	return ""
}

// build builds a program for a platform.
func (r *release) build(ctx context.Context, p platform, name, to string) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X socketlab/internal/cli/program.released=v"+r.version, "-o", to, "./cmd/"+name)
	c.Dir = r.source
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", name, p, err, out)
	}
	return nil
}

// output is what a command in the folder of the sources prints.
func (r *release) output(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = r.source
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", c, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}
