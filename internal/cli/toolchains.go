package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"socketlab"
	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/scratch"
)

// goRelease is the name of a release, as go.dev lists it.
var goRelease = regexp.MustCompile(`^1\.\d+(\.\d+|rc\d+)?$`)

// checkReleases checks the value of --go.
func checkReleases(c *cobra.Command, versions []string) error {
	named := map[string]bool{}
	for _, v := range versions {
		if named[v] || !goRelease.MatchString(v) {
			return program.Usagef(c, "--go takes different releases, such as 1.26.9,1.27.4, not %q; go.dev/dl lists them, and the one that built this program is %s",
				strings.Join(versions, ","), strings.TrimPrefix(runtime.Version(), "go"))
		}
		named[v] = true
	}
	return nil
}

// toolchains are several versions of Go, and a folder for what each of them builds.
type toolchains struct {
	dir      *scratch.Folder
	versions []string
	progress io.Writer
}

// fetchToolchains sees to it that all versions are there: those that are not, the go
// command fetches. The caller removes what is built with them.
func fetchToolchains(ctx context.Context, versions []string, progress io.Writer) (*toolchains, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("--go builds programs, and there is no go command: install Go (https://go.dev/dl), which fetches the other versions itself")
	}
	for _, v := range versions {
		out, err := goCommand(ctx, v, "env", "GOVERSION").CombinedOutput()
		if ctx.Err() != nil {
			return nil, interruptedBuild
		}
		if err != nil {
			return nil, fmt.Errorf("go%s is not here, and the go command cannot fetch it: %s; go.dev/dl lists the releases, and `go version` says which one is here", v, firstError(out))
		}
		if got := string(bytes.TrimSpace(out)); got != "go"+v {
			return nil, fmt.Errorf("the go command is %s, and does not fetch Go %s: it needs Go 1.21 or newer", got, v)
		}
	}
	dir, err := scratch.New("go")
	if err != nil {
		return nil, err
	}
	return &toolchains{dir: dir, versions: versions, progress: progress}, nil
}

// goCommand is a call of a version of Go; "" is the one that the user's settings choose.
func goCommand(ctx context.Context, version string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	if version != "" {
		cmd.Env = append(os.Environ(), "GOTOOLCHAIN=go"+version)
	}
	return cmd
}

// firstError is the first line with an error of what the go command said: neither the
// name of a package, nor what it downloads.
func firstError(said []byte) string {
	for line := range strings.Lines(string(said)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "go: downloading ") {
			return line
		}
	}
	return "it does not say why"
}

// interruptedBuild is the error of a build that a signal ended.
var interruptedBuild = &program.CodeError{Code: program.ExitInterrupted, Err: lab.ErrInterrupted}

// each builds something with each version; what names it in the error.
func (t *toolchains) each(ctx context.Context, what string, build func(version string) *exec.Cmd) error {
	for _, v := range t.versions {
		program.Say(t.progress, "sockwatch: building %s with Go %s\n", what, v)
		out, err := build(v).CombinedOutput()
		if ctx.Err() != nil {
			return interruptedBuild
		}
		if err != nil {
			return fmt.Errorf("%s does not build with Go %s: %s", what, v, firstError(out))
		}
	}
	return nil
}

func (t *toolchains) of(version string) string { return filepath.Join(t.dir.Path, "go"+version) }

func (t *toolchains) remove() { _ = t.dir.Remove() }

// buildPrograms builds the programs of the lab with each version, from the sources that
// sockwatch itself was built of. The caller removes them.
func buildPrograms(ctx context.Context, versions []string, progress io.Writer) (*toolchains, error) {
	t, err := fetchToolchains(ctx, versions, progress)
	if err != nil {
		return nil, err
	}
	if err := t.lab(ctx); err != nil {
		t.remove()
		return nil, err
	}
	return t, nil
}

// lab builds the programs of the lab.
func (t *toolchains) lab(ctx context.Context) error {
	source := filepath.Join(t.dir.Path, "source")
	if err := os.CopyFS(source, socketlab.Sources); err != nil {
		return err
	}
	return t.each(ctx, "the lab", func(version string) *exec.Cmd {
		// Without its path, what was built before is found again in another folder.
		cmd := goCommand(ctx, version, append([]string{
			"build", "-trimpath", "-buildvcs=false", "-o", t.of(version) + string(filepath.Separator),
		}, socketlab.Programs()...)...)
		cmd.Dir, cmd.Env = source, append(cmd.Env, "GOWORK=off")
		return cmd
	})
}

// sides are both codes as each version built them: the versions of one code are beside
// each other.
func (t *toolchains) sides() (sides []lab.Side) {
	for _, half := range scenario.Sides() {
		for _, v := range t.versions {
			sides = append(sides, lab.Side{ID: fmt.Sprintf("%s go%s", half, v), Code: half, Half: half, Dir: t.of(v)})
		}
	}
	return sides
}

// buildClients builds main packages of the user's with each version. Each client is a
// package and, after a space, its arguments for the shell. The sides are those of a
// comparison: one package is on no side of a pair. The caller removes what was built.
func buildClients(ctx context.Context, versions, clients []string, progress io.Writer) (*toolchains, []lab.Side, error) {
	t, err := fetchToolchains(ctx, versions, progress)
	if err != nil {
		return nil, nil, err
	}
	var sides []lab.Side
	for i, client := range clients {
		built, err := t.client(ctx, scenario.Sides()[i], client)
		if err != nil {
			t.remove()
			return nil, nil, err
		}
		sides = append(sides, built...)
	}
	for i := range sides {
		if len(clients) > 1 {
			sides[i].ID, sides[i].Half = fmt.Sprintf("%s %s", sides[i].Code, sides[i].ID), sides[i].Code
		}
	}
	return t, sides, nil
}

// client builds a client of [buildClients]: a side for each version.
func (t *toolchains) client(ctx context.Context, code scenario.Side, client string) (sides []lab.Side, err error) {
	pkg, args, _ := strings.Cut(client, " ")
	out, err := goCommand(ctx, t.versions[len(t.versions)-1], "list", "-f", "{{.Name}}", pkg).CombinedOutput()
	if ctx.Err() != nil {
		return nil, interruptedBuild
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", pkg, firstError(out))
	}
	if name := string(bytes.TrimSpace(out)); name != "main" {
		return nil, fmt.Errorf("%s is package %s: give a main package, which is a program", pkg, name)
	}
	file := func(version string) string {
		name := filepath.Join(t.of(version), string(code))
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		return name
	}
	for _, v := range t.versions {
		sides = append(sides, lab.Side{ID: "go" + v, Code: code, GoVersion: "go" + v, Command: `"` + file(v) + `" ` + args})
	}
	return sides, t.each(ctx, pkg, func(version string) *exec.Cmd {
		return goCommand(ctx, version, "build", "-o", file(version), pkg)
	})
}
