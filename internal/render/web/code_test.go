package web

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// What is marked are the lines that the difference takes away and adds.
func TestMarksAreTheDifferenceOfEveryPair(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		b := beginOf(&lab.Begin{Scenario: id, Script: script})
		want := map[scenario.Side][]string{}
		diff := scenarios.Difference(codeOf(&lab.Begin{Scenario: id, Script: script}))
		for i, l := range strings.Split(diff, "\n") {
			if i < 2 || l == "" { // the names of the two files
				continue
			}
			text := strings.ReplaceAll(l[1:], "\t", "  ")
			switch l[0] {
			case '-':
				want[scenario.Faulty] = append(want[scenario.Faulty], text)
			case '+':
				want[scenario.Fixed] = append(want[scenario.Fixed], text)
			}
		}
		for _, side := range scenario.Sides() {
			var got []string
			for _, l := range b.Code[side] {
				if l.Differs {
					got = append(got, l.Text)
				}
			}
			require.Equal(t, want[side], got, "%s, %s", id, side)
			require.NotEmpty(t, b.Code[side])
		}
		require.Contains(t, b.Question, "How many sockets")
	}
}

func TestCommandsOfTheUsersHaveNoCodeToShow(t *testing.T) {
	t.Parallel()
	require.Empty(t, beginOf(&lab.Begin{Scenario: "body-not-closed", Commands: &lab.Commands{}}).Code)
	require.Empty(t, beginOf(&lab.Begin{Scenario: "of-my-own"}).Code)
}
