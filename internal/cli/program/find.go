package program

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// FindScript reads the script that a word of the command line means: an id of
// the catalogue, or else a file.
func FindScript(word string) (scenario.Script, error) {
	if scenarios.Has(word) {
		return scenarios.Script(word)
	}
	if looksLikeFile(word) {
		return scenario.Load(word, scenarios.IDs())
	}
	return scenario.Script{}, fmt.Errorf("no scenario %q%s; sockwatch list shows them all", word, Suggestion(word))
}

// ScriptError makes a bad script a usage error, as it is one of the command
// line's words; anything else stays what it is.
func ScriptError(c *cobra.Command, err error) error {
	var bad *scenario.Error
	var usage *UsageError
	switch {
	case errors.As(err, &usage):
		return err
	case errors.As(err, &bad):
		return &CodeError{Code: ExitUsage, Err: err}
	default:
		return Usagef(c, "%w", err)
	}
}

// CatalogueOnly refuses scripts whose code is a folder of the user's, for a command that
// plays only code of the catalogue.
func CatalogueOnly(command string, scripts ...scenario.Script) error {
	for _, s := range scripts {
		if s.Folder != "" {
			return &CodeError{Code: ExitUsage, Err: fmt.Errorf(
				"%s: its code is the folder %s, and %s plays only code of the catalogue: sockwatch run plays it", s.ID, s.Folder, command)}
		}
	}
	return nil
}

func looksLikeFile(word string) bool {
	if strings.ContainsAny(word, `/\`) || strings.HasSuffix(word, ".yaml") || strings.HasSuffix(word, ".yml") {
		return true
	}
	_, err := os.Lstat(word)
	return err == nil
}

// Suggestion names the scenario that word was probably meant to be.
func Suggestion(word string) string { return Closest(word, scenarios.IDs()) }

// Closest names the one of the names that word, in one of its spellings, was
// probably meant to be.
func Closest(word string, names []string, spellings ...string) string {
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
