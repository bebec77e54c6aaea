package scenarios

import (
	"fmt"
	"strings"

	"socketlab/internal/scenario"
)

// Difference returns what makes the two sides of scenario id differ, as diff -u
// shows it. Lines that differ only in the word faulty or fixed are the same
// here: both sides are in one package, so that their types and functions must
// have names of their own, and that is not what the pair is about.
func Difference(id string) string {
	return unified("faulty.go", "fixed.go",
		strings.Split(strings.TrimSuffix(Code(id, scenario.Faulty), "\n"), "\n"),
		strings.Split(strings.TrimSuffix(Code(id, scenario.Fixed), "\n"), "\n"))
}

var sideless = strings.NewReplacer("faulty", "side", "fixed", "side", "Faulty", "Side", "Fixed", "Side")

func sameLine(a, b string) bool { return sideless.Replace(a) == sideless.Replace(b) }

// edit is a line that stays (' '), goes ('-') or comes ('+').
type edit struct {
	op   byte
	line string
}

// edits turns a into b by way of their longest common subsequence. The files are
// short, so that a table of all lines by all lines is no matter.
func edits(a, b []string) []edit {
	longest := make([][]int, len(a)+1) // of a[i:] and b[j:]
	longest[len(a)] = make([]int, len(b)+1)
	for i := len(a) - 1; i >= 0; i-- {
		longest[i] = make([]int, len(b)+1)
		for j := len(b) - 1; j >= 0; j-- {
			if longest[i][j] = max(longest[i+1][j], longest[i][j+1]); sameLine(a[i], b[j]) {
				longest[i][j] = longest[i+1][j+1] + 1
			}
		}
	}
	var out []edit
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && sameLine(a[i], b[j]):
			out = append(out, edit{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || (i < len(a) && longest[i+1][j] >= longest[i][j+1]):
			out = append(out, edit{'-', a[i]})
			i++
		default:
			out = append(out, edit{'+', b[j]})
			j++
		}
	}
	return out
}

// unified is the difference with three lines of what stays around each change.
func unified(nameA, nameB string, a, b []string) string {
	const context = 3
	all := edits(a, b)
	shown := make([]bool, len(all))
	for i, e := range all {
		for near := max(0, i-context); e.op != ' ' && near < min(len(all), i+context+1); near++ {
			shown[near] = true
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", nameA, nameB)
	lineA, lineB := 1, 1
	for i := 0; i < len(all); {
		end := i + 1
		if shown[i] {
			for end < len(all) && shown[end] {
				end++
			}
		}
		linesA, linesB := lengths(all[i:end])
		if shown[i] {
			fmt.Fprintf(&out, "@@ -%d,%d +%d,%d @@\n", lineA, linesA, lineB, linesB)
			for _, e := range all[i:end] {
				fmt.Fprintf(&out, "%c%s\n", e.op, e.line)
			}
		}
		lineA, lineB, i = lineA+linesA, lineB+linesB, end
	}
	return out.String()
}

// lengths is how many lines of each file the edits stand for.
func lengths(part []edit) (a, b int) {
	for _, e := range part {
		if e.op != '+' {
			a++
		}
		if e.op != '-' {
			b++
		}
	}
	return a, b
}
