package cli

import (
	"fmt"
	"os"
	"strings"

	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// findScript reads the script that a word of the command line means: an id of
// the catalogue, or else a file.
func findScript(word string) (scenario.Script, error) {
	if scenarios.Has(word) {
		return scenarios.Script(word)
	}
	if looksLikeFile(word) {
		return scenario.Load(word, scenarios.IDs())
	}
	return scenario.Script{}, fmt.Errorf("no scenario %q%s; sockwatch list shows them all", word, suggestion(word))
}

func looksLikeFile(word string) bool {
	if strings.ContainsAny(word, `/\`) || strings.HasSuffix(word, ".yaml") || strings.HasSuffix(word, ".yml") {
		return true
	}
	_, err := os.Lstat(word)
	return err == nil
}

// suggestion names the scenario that word was probably meant to be.
func suggestion(word string) string { return closest(word, scenarios.IDs()) }

// closest names the one of the names that word, in one of its spellings, was
// probably meant to be.
func closest(word string, names []string, spellings ...string) string {
	best, least := "", len(word)/2+1
	for _, spelling := range append(spellings, word) {
		for _, id := range names {
			d := distance(spelling, id)
			if strings.HasPrefix(id, spelling) {
				d = 1
			}
			if d < least {
				best, least = id, d
			}
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %s?", best)
}

// distance is Levenshtein's: how many letters to insert, drop or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
