package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"socketlab/tools/detectors/leaks"
)

// table writes what was seen as Markdown. A cell that is not the same with all versions
// has what each of them shows.
func table(versions []string, rows map[string]map[string]*row) []byte {
	var text bytes.Buffer
	text.WriteString("| 20 times leaked | goroutine leak profile | goleak | sockettest | bodyclose | ss | descriptors | the verdict |\n")
	text.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, l := range leaks.All {
		fmt.Fprintf(&text, "| %s |", l.What)
		for _, cell := range []func(*row) string{
			func(r *row) string { return fmt.Sprint(r.Profile) },
			func(r *row) string { return fmt.Sprint(r.Goleak) },
			func(r *row) string { return fmt.Sprint(r.Sockettest) },
			func(r *row) string { return map[bool]string{true: "yes", false: "no"}[r.Bodyclose] },
			func(r *row) string { return fmt.Sprint(r.SS) },
			func(r *row) string { return fmt.Sprint(r.Descriptors) },
			func(r *row) string { return r.Verdict },
		} {
			var seen []string
			for _, v := range versions {
				if text := cell(rows[v][l.Name]); len(seen) == 0 || seen[0] != text {
					seen = append(seen, text)
				}
			}
			fmt.Fprintf(&text, " %s |", strings.Join(seen, " / "))
		}
		text.WriteString("\n")
	}
	return text.Bytes()
}

// The part of the document that is generated stands between these lines.
const begin, end = "<!-- generated: by scripts/detectors -update -->\n\n", "\n<!-- end -->\n"

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
	return errors.New("the cells above are not those of " + path + "; if that is right: scripts/detectors -update")
}
