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
	"strings"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
)

// goRelease is the name of a release, as go.dev lists it.
var goRelease = regexp.MustCompile(`^1\.\d+(\.\d+|rc\d+)?$`)

// toolchains are the programs of the lab as several versions of Go built them: in a
// folder for each version, in the order in which they were named.
type toolchains struct {
	dir      string
	versions []string
}

// thisModule is the path of the module whose programs are built.
const thisModule = "socketlab"

// buildPrograms builds the programs of the clone of this project in which we are. Their
// toolchains are fetched by the go command, if they are not there yet. The caller
// removes what was built.
func buildPrograms(ctx context.Context, versions []string, progress io.Writer) (*toolchains, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("--go builds the programs, and there is no go command: install Go (https://go.dev/dl), which fetches the other versions itself")
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sockwatch-go")
	if err != nil {
		return nil, err
	}
	t := &toolchains{dir: dir, versions: versions}
	for _, v := range versions {
		fmt.Fprintf(progress, "sockwatch: building with Go %s\n", v)
		cmd := exec.CommandContext(ctx, "go", "build", "-o", t.of(v)+string(filepath.Separator), "./cmd/slowserver", "./cmd/client-faulty", "./cmd/client-fixed")
		cmd.Dir, cmd.Env = root, append(os.Environ(), "GOTOOLCHAIN=go"+v, "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.remove()
			return nil, fmt.Errorf("build with Go %s: %w: %s", v, err, bytes.TrimSpace(out))
		}
	}
	return t, nil
}

// moduleRoot is the root of the clone in which we are.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}}\t{{.Dir}}").Output()
	path, dir, _ := strings.Cut(strings.TrimSpace(string(out)), "\t")
	if err != nil || path != thisModule || dir == "" {
		return "", fmt.Errorf("--go builds the programs from their source: call it inside a clone of %s", thisModule)
	}
	return dir, nil
}

func (t *toolchains) of(version string) string { return filepath.Join(t.dir, "go"+version) }

func (t *toolchains) remove() { _ = os.RemoveAll(t.dir) }

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
