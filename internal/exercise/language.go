package exercise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"socketlab/exercises"
	"socketlab/internal/regular"
	"socketlab/internal/words"
)

// Language is one in which an exercise can be done.
type Language struct {
	// Name is that of the flag and the folders, and Title the usual one.
	Name, Title string
	// File is what the participant changes, in the participant's folder.
	File string
	// pattern matches the files that are the participant's.
	pattern string
	// needs are the programs without which nothing can be built or run.
	needs []string
	// install ends the task of those who may have a library to install; "" if none has.
	install string
	// extra are files beside the harness.
	extra map[string][]byte
	// build builds, or at least checks, what is in a folder, and returns the command that
	// runs it.
	build func(ctx context.Context, dir string) (command string, err error)
}

// goMod is the module of what is built by Go.
var goMod = []byte("module exercise\n\ngo 1.26\n")

// goEnv keeps what is built apart from the module or the workspace that it is in.
func goEnv() []string { return []string{"GOWORK=off", "GOFLAGS=-mod=mod"} }

var languages = []*Language{
	{
		Name: "go", Title: "Go", File: "client/client.go", pattern: "client/*.go", needs: []string{"go"},
		extra: map[string][]byte{"go.mod": goMod},
		build: buildGo,
	},
	{
		Name: "python", Title: "Python", File: "client.py", pattern: "*.py", needs: []string{python}, build: buildPython,
		install: "\nThe code needs the library requests: `" + python + " -m pip install requests`\n",
	},
	{
		Name: "node", Title: "Node", File: "client.js", pattern: "*.js", needs: []string{"node"}, build: buildNode,
	},
	{
		Name: "java", Title: "Java", File: "Client.java", pattern: "*.java", needs: []string{"javac", "java"}, build: buildJava,
	},
}

// LanguageNames are the names of all languages.
func LanguageNames() []string {
	names := make([]string, len(languages))
	for i, l := range languages {
		names[i] = l.Name
	}
	return names
}

// FindLanguage returns the language with a name.
func FindLanguage(name string) (*Language, error) {
	for _, l := range languages {
		if l.Name == name {
			return l, nil
		}
	}
	return nil, fmt.Errorf("no language %q: use one of %s", name, strings.Join(LanguageNames(), ", "))
}

// Missing is the first program that the language needs and that is not installed; "" if
// all are.
func (l *Language) Missing() string {
	for _, name := range l.needs {
		if _, err := exec.LookPath(name); err != nil {
			return name
		}
	}
	return ""
}

// Advised adds what helps to the failure of a run: that of a participant's program which
// ended by itself begins with EndedEarly. printed is what that program wrote.
func (l *Language) Advised(failure, printed string) string {
	switch {
	case l.install != "" && strings.Contains(failure, "No module named 'requests'"):
		return failure + "\n" + strings.TrimSpace(l.install)
	case !strings.HasPrefix(failure, EndedEarly):
		return failure
	case printed == "":
		return failure + "\nIt printed nothing. Does your code end the process?"
	}
	return failure + "\nLook for the line of " + l.File + " that this text names, or that ends the process."
}

// EndedEarly begins the error of a participant's program that ended by itself.
const EndedEarly = "your program ended"

// read reads the files of a variant as they stand in the participant's folder.
func (l *Language) read(files fs.FS, folder string) (map[string][]byte, error) {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, err
	}
	code := map[string][]byte{}
	for _, entry := range entries {
		if code[path.Join(path.Dir(l.File), entry.Name())], err = fs.ReadFile(files, path.Join(folder, entry.Name())); err != nil {
			return nil, err
		}
	}
	return code, nil
}

// harness is the program around the client. A name may end with .txt, so that it is no
// code of this module.
func (l *Language) harness() (map[string][]byte, error) {
	entries, err := exercises.Files.ReadDir("harness/" + l.Name)
	if err != nil {
		return nil, fmt.Errorf("exercises cannot be done in %s yet", l.Title)
	}
	files := maps.Clone(l.extra)
	if files == nil {
		files = map[string][]byte{}
	}
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".txt")
		if files[name], err = exercises.Files.ReadFile("harness/" + l.Name + "/" + entry.Name()); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// maxSource bounds a file of the participant's that is read, and maxFiles how many are.
const (
	maxSource = 1 << 20
	maxFiles  = 100
)

// Sources are the files of a participant's folder that are the participant's own.
func (l *Language) Sources(dir string) (map[string][]byte, error) {
	harness, err := l.harness()
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(globQuoted(dir), filepath.FromSlash(l.pattern)))
	if err != nil {
		return nil, err
	}
	if len(names) > maxFiles {
		return nil, fmt.Errorf("%s has %d files of %s: the limit is %d", dir, len(names), l.Title, maxFiles)
	}
	code := map[string][]byte{}
	for _, name := range names {
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return nil, err
		}
		rel = filepath.ToSlash(rel)
		if harness[rel] != nil {
			continue
		}
		if code[rel], err = regular.Read(name, maxSource); err != nil {
			return nil, err
		}
	}
	if code[l.File] == nil {
		return nil, fmt.Errorf("there is no %s: 'sockwatch exercise reset' puts it back as it was", filepath.Join(dir, filepath.FromSlash(l.File)))
	}
	return code, nil
}

// globQuoted takes the meaning of a pattern from a path.
func globQuoted(dir string) string {
	if runtime.GOOS == "windows" {
		return dir // where no character can be quoted
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// ErrBuild is the error of code that does not build. The text of the error that wraps it
// is what the compiler said.
var ErrBuild = errors.New("it does not build")

// buildError is what a compiler said.
type buildError struct{ said string }

func (e *buildError) Error() string        { return e.said }
func (e *buildError) Is(target error) bool { return target == ErrBuild }

// Build puts code and its harness into a folder, and builds it there. The command runs
// what was built.
func (l *Language) Build(ctx context.Context, dir string, code map[string][]byte) (command string, err error) {
	if missing := l.Missing(); missing != "" {
		return "", fmt.Errorf("%s is not installed, or not on PATH: %s needs it", missing, l.Title)
	}
	files, err := l.harness()
	if err != nil {
		return "", err
	}
	for name, data := range code {
		if files[name] == nil {
			files[name] = data
		}
	}
	if err := writeFiles(dir, files); err != nil {
		return "", err
	}
	return l.build(ctx, dir)
}

// writeFiles writes files into a folder, and makes the folders that they need.
func writeFiles(dir string, files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if info, err := os.Lstat(at); err == nil && !info.Mode().IsRegular() {
			_ = os.Remove(at) // to write to a pipe waits for one who reads, and a link leads to a file of others
		}
		if err := os.WriteFile(at, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compile runs a compiler in a folder.
func compile(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		said := strings.ReplaceAll(strings.TrimRight(ansi.Strip(string(out)), " \r\n"), dir+string(filepath.Separator), "")
		return &buildError{firstLines(said)}
	}
	return err
}

// firstLines are the first lines of what a compiler said: what comes later mostly follows
// from them.
func firstLines(said string) string {
	const most = 30
	lines := strings.Split(said, "\n")
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("... (%s more)", words.Plural(len(lines)-most, "line")))
	}
	return strings.Join(lines, "\n")
}

func buildGo(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "exercise-client")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	// Without its path, what was built before is found again in another folder.
	// What debuggers need would be half of the linker's work.
	err := compile(ctx, dir, goEnv(), "go", "build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", program, ".")
	return quoted(program), err
}

func buildPython(ctx context.Context, dir string) (string, error) {
	const parse = `import sys, traceback
for name in sys.argv[1:]:
    try:
        compile(open(name, encoding="utf-8").read(), name, "exec")
    except SyntaxError as e:
        sys.exit("".join(traceback.format_exception_only(type(e), e)))
    except ValueError as e:
        sys.exit(f"{name}: {e}")
`
	names, err := filepath.Glob(filepath.Join(globQuoted(dir), "*.py"))
	if err != nil {
		return "", err
	}
	for i, name := range names {
		names[i] = filepath.Base(name)
	}
	err = compile(ctx, dir, nil, python, append([]string{"-c", parse}, names...)...)
	return python + " -B " + quoted(filepath.Join(dir, "main.py")), err
}

func buildNode(ctx context.Context, dir string) (string, error) {
	err := compile(ctx, dir, nil, "node", "--check", "client.js")
	return "node " + quoted(filepath.Join(dir, "main.js")), err
}

func buildJava(ctx context.Context, dir string) (string, error) {
	names, err := filepath.Glob(filepath.Join(globQuoted(dir), "*.java"))
	if err != nil {
		return "", err
	}
	for i, name := range names {
		names[i] = filepath.Base(name)
	}
	// Both are to start fast, and do not run long enough to be compiled well.
	err = compile(ctx, dir, nil, "javac", append([]string{
		"-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC", "-proc:none", "-encoding", "UTF-8", "-d", "classes",
	}, names...)...)
	return "java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp " + quoted(filepath.Join(dir, "classes")) + " Warm", err
}

// quoted is a path for the system's shell.
func quoted(name string) string { return `"` + name + `"` }
