// Goversions shows what two versions of Go do with the same connections: it builds
// the probe with each, runs it, and writes docs/go-versions.md. scripts/go-versions calls
// it.
//
//	goversions [-update] DOCUMENT VERSION...
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// seen is one line of what the probe prints.
type seen struct{ What, Seen string }

func main() {
	args := os.Args[1:]
	update := len(args) > 0 && args[0] == "-update"
	if update {
		args = args[1:]
	}
	if len(args) < 2 {
		fmt.Fprintln(os.Stderr, "the form is: goversions [-update] DOCUMENT VERSION...")
		os.Exit(2)
	}
	show := func() error {
		text, err := table(args[1:])
		if err != nil {
			return err
		}
		return compare(args[0], text, update)
	}
	// What takes its time may take longer on a busy machine.
	err := show()
	for range 2 {
		if err == nil {
			break
		}
		fmt.Fprintln(os.Stderr, "goversions, and once more:", err)
		err = show()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "goversions:", err)
		os.Exit(1)
	}
}

// table runs the probe with each version, and writes what it saw as Markdown.
func table(versions []string) ([]byte, error) {
	var text bytes.Buffer
	text.WriteString("| what |")
	columns, errs := make([][]seen, len(versions)), make([]error, len(versions))
	var all sync.WaitGroup
	for i, v := range versions {
		fmt.Fprintf(&text, " Go %s |", v)
		all.Go(func() {
			if columns[i], errs[i] = probe(v); errs[i] != nil {
				errs[i] = fmt.Errorf("with Go %s: %w", v, errs[i])
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	text.WriteString("\n|" + strings.Repeat(" --- |", 1+len(versions)) + "\n")
	for i, row := range columns[0] {
		fmt.Fprintf(&text, "| %s |", row.What)
		for _, column := range columns {
			fmt.Fprintf(&text, " %s |", column[i].Seen)
		}
		text.WriteString("\n")
	}
	return text.Bytes(), nil
}

// probe builds the probe with a version of Go, and runs it.
func probe(version string) ([]seen, error) {
	dir, err := os.MkdirTemp("", "goversions")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "probe")
	build := exec.Command("go", "build", "-o", program, "./probe")
	build.Env = append(os.Environ(), "GOTOOLCHAIN=go"+version)
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	run := exec.Command(program)
	run.Stderr = os.Stderr
	out, err := run.Output()
	if err != nil {
		return nil, err
	}
	var column []seen
	return column, json.Unmarshal(out, &column)
}

// The part of the document that is generated stands between these lines.
const begin, end = "<!-- generated: by scripts/go-versions -update -->\n\n", "\n<!-- end -->\n"

// compare holds a table against the document's, or puts it there.
func compare(path string, table []byte, update bool) error {
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(document, []byte(begin))
	was, after, ok2 := bytes.Cut(rest, []byte(end))
	switch {
	case !ok || !ok2:
		return fmt.Errorf("%s has no generated part", path)
	case bytes.Equal(was, table):
		return nil
	case update:
		return os.WriteFile(path, bytes.Join([][]byte{before, []byte(begin), table, []byte(end), after}, nil), 0o644)
	}
	os.Stdout.Write(table)
	return errors.New("the cells above are not those of " + path + "; if that is right: scripts/go-versions -update")
}
