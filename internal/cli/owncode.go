package cli

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"socketlab/internal/cli/program"
	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/scratch"
)

// ownCode has the programs of scripts whose code is a folder of the user's.
type ownCode struct {
	dir *scratch.Folder // of what was built; "" where nothing was
	// sides have their Command, and GoVersion where Go built it, by the side's folder.
	sides map[string]lab.Side
}

// prepareOwnCode builds the own code of all scripts, but not of a side that has a program
// already. The caller removes what was built.
func prepareOwnCode(ctx context.Context, scripts []scenario.Script, sides []lab.Side, progress io.Writer) (_ *ownCode, err error) {
	own := &ownCode{sides: map[string]lab.Side{}}
	defer func() {
		if err != nil {
			own.remove()
		}
	}()
	for _, script := range scripts {
		for _, side := range sides {
			if script.Folder == "" || side.Command != "" {
				continue
			}
			code, err := script.OwnCode(side.Code)
			if err != nil {
				return nil, err
			}
			if _, done := own.sides[code.Dir]; done {
				continue
			}
			if own.sides[code.Dir], err = own.prepare(ctx, code, side.Code, progress); err != nil {
				return nil, err
			}
		}
	}
	return own, nil
}

// sayUnused says which settings of the scripts do not reach programs that were named in
// place of their code. A script with a folder of code has none.
func sayUnused(scripts []scenario.Script, sides []lab.Side, progress io.Writer) {
	for _, script := range scripts {
		for _, side := range sides {
			if keys := script.Client.Keys(); side.Command != "" && len(keys) > 0 {
				program.Say(progress, "sockwatch: %s: the script's client settings (%s) do not reach the program of the %s side\n",
					script.ID, strings.Join(keys, ", "), side.ID)
			}
		}
	}
}

// prepare returns the program of one side, built if need be.
func (own *ownCode) prepare(ctx context.Context, code scenario.OwnCode, name scenario.Side, progress io.Writer) (lab.Side, error) {
	if code.Run != "" {
		path, err := filepath.Abs(code.Run)
		return lab.Side{Command: quotedPath(path)}, err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return lab.Side{}, fmt.Errorf("%s is built by Go, and there is no go command: install Go (https://go.dev/dl), or put it on PATH", code.Dir)
	}
	if own.dir == nil {
		dir, err := scratch.New("own")
		if err != nil {
			return lab.Side{}, err
		}
		own.dir = dir
	}
	program.Say(progress, "sockwatch: building %s\n", code.Dir)
	file := filepath.Join(own.dir.Path, fmt.Sprint(len(own.sides)), string(name))
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	list, err := own.goIn(ctx, code.Dir, "list", "-f", "{{.Name}}", ".")
	if err != nil {
		return lab.Side{}, err
	}
	if list = strings.TrimSpace(list); list != "main" {
		return lab.Side{}, fmt.Errorf("%s is package %s: a side is a main package, which is a program", code.Dir, list)
	}
	if _, err := own.goIn(ctx, code.Dir, "build", "-o", file, "."); err != nil {
		return lab.Side{}, err
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return lab.Side{}, err
	}
	return lab.Side{Command: quotedPath(file), GoVersion: info.GoVersion}, nil
}

// goIn calls the go command in a folder, and returns its output. What the command leaves
// behind when ctx ends it is removed with what was built. The error has the
// first line that says what is wrong, with the place as a path from where we run.
func (own *ownCode) goIn(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := goCommand(ctx, "", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOTMPDIR="+own.dir.Path)
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", lab.ErrInterrupted
	}
	var ended *exec.ExitError
	switch {
	case err == nil:
		return string(out), nil
	case !errors.As(err, &ended):
		return "", err
	}
	said := firstError(ended.Stderr)
	if file, rest, ok := strings.Cut(said, ":"); ok && filepath.Ext(file) == ".go" && !filepath.IsAbs(file) {
		said = filepath.Join(dir, file) + ":" + rest
	}
	return "", fmt.Errorf("%s does not build: %s", dir, said)
}

// quotedPath is a path for the system's shell.
func quotedPath(path string) string {
	if runtime.GOOS == "windows" {
		return `"` + path + `"`
	}
	return quoted(path)
}

// of returns the sides of a run of the script.
func (own *ownCode) of(script scenario.Script, sides []lab.Side) []lab.Side {
	if script.Folder == "" {
		return sides
	}
	sides = slices.Clone(sides)
	for i, s := range sides {
		if s.Command != "" {
			continue
		}
		program := own.sides[filepath.Join(script.Folder, string(s.Code))]
		sides[i].Command, sides[i].GoVersion = program.Command, cmp.Or(s.GoVersion, program.GoVersion)
	}
	return sides
}

func (own *ownCode) remove() {
	if own.dir != nil {
		_ = own.dir.Remove()
	}
}
