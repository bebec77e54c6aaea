package cli_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"socketlab/internal/cli"
	"socketlab/internal/cli/program"
)

// Answers and help follow the width, and lose no word by it.
func TestAnswersAndHelpFollowTheWidth(t *testing.T) {
	calls := [][]string{
		{"list"},
		{"list", "--by", "cause"},
		{"list", "--by", "order"},
		{"explain"},
		{"explain", "close-wait-leak"},
		{"explain", "ECONNRESET"},
		{"life", "--list"},
		{"help"},
	}
	for _, c := range cli.Command(program.Streams{}).Commands() {
		if !c.Hidden {
			calls = append(calls, []string{c.Name(), "--help"})
		}
	}
	for _, call := range calls {
		t.Setenv("COLUMNS", "1000")
		widest, _ := sockwatch(t, call...)
		for _, width := range []string{"60", "80", "120", "200"} {
			t.Setenv("COLUMNS", width)
			most := map[string]int{"60": 60, "80": 80, "120": 120, "200": 200}[width]
			text, code := sockwatch(t, call...)
			require.Zero(t, code)
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if toBeCopied(line) {
					continue
				}
				require.LessOrEqual(t, utf8.RuneCountInString(line), most, "%v at %s: %s", call, width, line)
			}
			require.Equal(t, wordsOf(widest), wordsOf(text), "%v at %s", call, width)
			require.NotContains(t, text, "\x1b", "it goes to no terminal")
		}
	}
}

// toBeCopied reports whether a line is a command, an address or code, which are not broken.
func toBeCopied(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasPrefix(line, "sockwatch ") || strings.HasPrefix(line, "kubectl sockwatch ") || strings.Contains(line, "https://") || strings.HasPrefix(line, "MaxIdleConns: ")
}

// wordsOf are the words of a text, in order of the alphabet. Some are broken after "|".
func wordsOf(text string) []string {
	all := strings.Fields(strings.ReplaceAll(text, "|", "| "))
	slices.Sort(all)
	return all
}

// show prints the part that it is asked for.
func TestShowPartsOfAScenario(t *testing.T) {
	t.Parallel()
	const id = "transport-per-request"
	parts := map[string]string{
		"--lesson": "## The symptom", "--answer": "## The answer", "--code": "--- fixed.go ---", "--diff": "+++ fixed.go",
	}
	for flag := range parts {
		text, code := sockwatch(t, "show", id, flag)
		require.Zero(t, code)
		for other, sign := range parts {
			if other == flag {
				require.Contains(t, text, sign, flag)
			} else {
				require.NotContains(t, text, sign, flag)
			}
		}
	}
	for _, flag := range []string{"--lesson", "--answer"} {
		text, _ := sockwatch(t, "show", id, flag)
		require.Contains(t, text, "## A question", flag)
	}
	all, _ := sockwatch(t, "show", id)
	for _, sign := range parts {
		require.Contains(t, all, sign)
	}
}

func TestListOfLivesHasNoPicture(t *testing.T) {
	t.Parallel()
	_, code := sockwatch(t, "life", "--list", "-o", "svg")
	require.Equal(t, program.ExitUsage, code)
}
